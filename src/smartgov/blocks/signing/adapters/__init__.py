"""The demo's phone, authority and time stamps."""
