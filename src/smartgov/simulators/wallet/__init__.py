"""The wallet: holds people's credentials with their keys, fetches them, and shows them to registered verifiers."""
