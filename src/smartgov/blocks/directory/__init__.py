"""Agencies and the law they act on."""
