"""A city library that signs its readers in by the platform: a relying party of another house, with keys of its own."""
