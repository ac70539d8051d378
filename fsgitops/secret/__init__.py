"""Where a secret's value comes from, and the one type that carries it without ever printing it.

YAML names secrets (`source`), fetching opens them (`fetch`), and what is not named is derived
from the project key (`key`).
"""
