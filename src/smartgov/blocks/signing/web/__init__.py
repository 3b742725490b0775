"""Doors for browsers and programs that check: translate, call the api, render."""
