"""A project: its settings and target, what it declares, its secrets, and that compiled."""
