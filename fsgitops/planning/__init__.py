"""What a plan is beside its changes: the part that was asked for, and what will come of it."""
