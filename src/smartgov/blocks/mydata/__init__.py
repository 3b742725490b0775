"""Consent, and the trail of who looked."""
