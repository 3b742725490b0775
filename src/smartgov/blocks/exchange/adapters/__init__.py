"""Transports: the gateways of this machine."""
