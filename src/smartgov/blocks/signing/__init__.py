"""Signing: certificates of persons, the desk where documents are signed, seals in batches, and checking."""
