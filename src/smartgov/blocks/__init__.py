"""What people use: Django apps, one folder each, one public door (`api.py`)."""
