"""Who did what, and use records of personal data read locally."""
