"""smartgov: the open platform on which a smart government runs."""

__version__ = "0.1.0"
