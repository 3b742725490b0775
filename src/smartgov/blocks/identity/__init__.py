"""People, seats, sign-in, permissions."""
