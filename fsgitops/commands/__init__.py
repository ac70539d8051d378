"""One file per command: each composes steps from plain arguments."""
