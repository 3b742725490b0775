"""Implementations of the ports of `identity`."""
