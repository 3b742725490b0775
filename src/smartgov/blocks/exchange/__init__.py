"""T-Road's door for the other blocks, and its administration."""
