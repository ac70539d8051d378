"""What we ask a switch, what it answers, and the commands that place and move calls."""
