"""Proving who one is with a certificate of the state: the card, and the mobile certificate (TW FidO)."""
