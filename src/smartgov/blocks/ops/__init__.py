"""Health, outbox, periodic work, retirement of personal data."""
