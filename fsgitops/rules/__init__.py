"""Checks on the desired state, one per file."""
