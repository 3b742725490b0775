"""What certified software by others needs to be run beside our provider: a relying party, and another provider."""
