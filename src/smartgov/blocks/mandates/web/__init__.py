"""Doors for browsers: translate, call the api, render."""
