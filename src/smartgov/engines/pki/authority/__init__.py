"""A certification authority that runs by itself: the life of a certificate from request to its end, its lists of
revocations, its answers about single certificates (OCSP), and a signed trail of who did what.
"""

from smartgov.engines.pki.authority.authority import Authority
from smartgov.engines.pki.authority.life import PROFILES, Profile, Proof, Record, State
from smartgov.engines.pki.authority.store import SqliteStore, Store

__all__ = ["PROFILES", "Authority", "Profile", "Proof", "Record", "SqliteStore", "State", "Store"]
