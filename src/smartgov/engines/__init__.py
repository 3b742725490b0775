"""What is hard to compute: pure Python libraries without Django, usable alone from a notebook."""
