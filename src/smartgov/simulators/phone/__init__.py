"""The phone: holds the keys of demo persons and signs what they approve."""
