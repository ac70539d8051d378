"""What is done at a target: reached, asked, proved, recovered, told, and written down."""
