"""An append-only Merkle log: RFC 9162 hashing, SQLite storage, C2SP signed-note checkpoints, proofs."""

from smartgov.engines.ledger.appender import Appender
from smartgov.engines.ledger.checkpoint import Checkpoint
from smartgov.engines.ledger.log import Log

__all__ = ["Appender", "Checkpoint", "Log"]
