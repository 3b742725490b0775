"""E-certificates and their checking."""
