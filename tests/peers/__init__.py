"""Suites and examples that others wrote, read from the folder `SMARTGOV_PEERS`; none of their text is in here."""
