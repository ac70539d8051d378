"""The embedded switch: a simulation of FreeSWITCH for demo, tests and previews."""
