"""Implementations of the ports of `audit`."""
