"""Every number at once: languages of numbers, and what a dialplan makes of each of them."""
