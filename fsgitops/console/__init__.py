"""What both command lines share: help in groups, common options, colour, width and tables."""
