"""Simulator of a time-stamping authority (RFC 3161)."""
