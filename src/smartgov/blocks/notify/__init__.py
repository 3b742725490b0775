"""Notices on the wall and by e-mail."""
