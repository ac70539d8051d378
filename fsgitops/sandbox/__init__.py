"""The embedded switch: a simulation for demos and tests, the target where no FreeSWITCH is.

It loads a conf directory as FreeSWITCH does and speaks ESL on loopback. It carries no calls.
"""

from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.sandbox.switch import EmbeddedSwitch, serve_forever

__all__ = ["EmbeddedSwitch", "serve_forever", "write_skeleton"]
