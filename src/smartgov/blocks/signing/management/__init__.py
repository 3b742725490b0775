"""Verbs for operators."""
