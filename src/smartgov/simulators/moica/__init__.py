"""The Ministry of the Interior, as far as identities go: its certification authority and its mobile certificates."""
