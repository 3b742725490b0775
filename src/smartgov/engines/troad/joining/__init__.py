"""Joining T-Road and staying on it: letters to the centre, the request to join, certificates and offers renewed."""
