"""Commands of `signing`."""
