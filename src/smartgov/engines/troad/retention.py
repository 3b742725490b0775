"""What ends with time: bodies whose retention is over, and what is refused for its age anyway.

Each step does a small part of it within a transaction of its own, found by an index: exchanges commit between two
parts, however much has come to its end, and what was done stays done when the gateway ends meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from smartgov.engines.troad import hours, idempotency, limits, stated

Step = Callable[[sqlite3.Connection], int]
"""Does up to `AT_ONCE` rows and says how many it did: with fewer there is nothing left."""

AT_ONCE = idempotency.AT_ONCE
SCHEMA = """
CREATE INDEX IF NOT EXISTS message_kept ON message (made) WHERE wrapped_key IS NOT NULL AND until IS NULL;
CREATE INDEX IF NOT EXISTS message_until ON message (until) WHERE wrapped_key IS NOT NULL AND until IS NOT NULL;
CREATE INDEX IF NOT EXISTS spent_until ON spent (until);
"""
_ERASE = "UPDATE message SET wrapped_key = NULL, sealed = NULL WHERE idx IN (SELECT idx FROM message WHERE"
_KEPT = "wrapped_key IS NOT NULL AND until IS"


def erasing(now: int, default_days: int) -> tuple[Step, ...]:
    """Destroy keys, salts and bodies of services that say so by now, and of all others after `default_days`."""
    limit = now - default_days * 86_400
    return (
        _rows(f"{_ERASE} {_KEPT} NOT NULL AND until < ? LIMIT ?)", now),
        _rows(f"{_ERASE} {_KEPT} NULL AND made < ? LIMIT ?)", limit),
        lambda db: idempotency.end_kept(db, now, default_days),
    )


def forgetting(now: int, limit: int) -> tuple[Step, ...]:
    """Drop what `now` nobody needs to know any more; nonces and spent artefacts from before `limit`."""
    # A nonce is kept under the time that its sender signed (`store.once`), so that the old ones lie together.
    nonces = "DELETE FROM nonce WHERE nonce IN (SELECT nonce FROM nonce WHERE nonce < ? AND made < ? LIMIT ?)"
    spent = "DELETE FROM spent WHERE (kind, jti) IN (SELECT kind, jti FROM spent WHERE until < ? LIMIT ?)"
    return (
        _rows(nonces, f"{limit:010d}", limit),
        _rows(spent, limit),
        lambda db: idempotency.forget(db, limit),
        lambda db: idempotency.tidy(db, now),
        lambda db: _few(db, limit),
    )


def _rows(statement: str, *values: int | str) -> Step:
    return lambda db: db.execute(statement, (*values, AT_ONCE)).rowcount


def _few(db: sqlite3.Connection, limit: int) -> int:
    """What grows with days, services and members, not with exchanges."""
    limits.forget(db, limit)
    hours.forget(db, limit)
    stated.forget(db, limit)
    db.execute("DELETE FROM revoked_consent WHERE until < ?", (limit,))
    return 0
