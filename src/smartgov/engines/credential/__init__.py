"""Verifiable credentials: SD-JWT VC issued in batches for single use, their status list, OpenID4VCI, OpenID4VP with
DCQL, the register of verifiers, and the holder's side.
"""
