"""The embedded switch: a simulation for demos and tests, the target where no FreeSWITCH is.

It loads a conf directory as FreeSWITCH does and speaks ESL on loopback. It carries no calls.
"""
