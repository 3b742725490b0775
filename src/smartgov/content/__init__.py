"""Data, not code: forms, rules, services, notices and certificates, by jurisdiction."""
