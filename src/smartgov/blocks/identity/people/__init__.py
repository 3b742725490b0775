"""People and their means: second factors, browsers, sessions, recovery, and what the FIDO metadata say of a key."""
