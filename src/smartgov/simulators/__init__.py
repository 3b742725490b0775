"""Separate programs that play what is outside the platform: a phone, a bank, a mail server. Only for demo and tests."""
