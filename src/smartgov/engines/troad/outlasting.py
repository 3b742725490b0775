"""What has to outlast a restore: which exchanges were erased, which consents taken back, and that what is counted once
was handed over, in a file beside the home.

Each is on the disk here before it is acknowledged. A backup does not hold the file and a restore does not replace it:
it says what has to be done again to whatever comes out of the backup. No person stands in it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from smartgov.engines.troad import handover, store


def note(path: Path, entry: dict[str, Any]) -> None:
    """Add one line, durably."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, json.dumps(entry).encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def erasure(exchange: str) -> dict[str, Any]:
    """An exchange whose bodies are destroyed."""
    return {"kind": "erasure", "exchange": exchange}


def revocation(jti: str, until: int) -> dict[str, Any]:
    """A consent that was taken back and would have ended at `until` (Unix seconds)."""
    return {"kind": "revocation", "jti": jti, "until": until}


def handed_over(line: str) -> dict[str, Any]:
    """That another gateway of the member takes what may happen only once, as the heads of this log say it."""
    return {"kind": "handover", "line": line}


def erasures(path: Path) -> Iterator[str]:
    """The exchanges that were erased."""
    return (str(entry["exchange"]) for entry in _entries(path) if entry["kind"] == "erasure")


def reapply(path: Path, log: Path) -> int:
    """Do all of it again in the restored file `log`; how many lines there were. ValueError for a line it cannot read.

    A last line without its end was never acknowledged.
    """
    entries = list(_entries(path))
    with closing(sqlite3.connect(log, isolation_level=None)) as db:
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;" + store.SCHEMA)
        db.execute("BEGIN IMMEDIATE")
        for entry in entries:
            if entry["kind"] == "erasure":
                store.erase_exchange(db, entry["exchange"])
            elif entry["kind"] == "revocation":
                row = (entry["jti"], entry["until"])
                db.execute("INSERT OR REPLACE INTO revoked_consent VALUES (?, ?)", row)
            elif entry["kind"] == "handover":
                handover.remember(db, entry["line"])
            else:
                raise ValueError(f"unknown kind {entry['kind']!r}")
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return len(entries)


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    text = path.read_text() if path.exists() else ""
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)
