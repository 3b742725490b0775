"""Files of the first form kept a row for each subtree (`ledger_node`); now a record's row holds all that it completes.

A gateway rewrites its file when it opens it. Who only reads such a file gets the new rows in a temporary table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import groupby

_NODES = "SELECT ((idx + 1) << level) - 1 AS at, hash FROM ledger_node ORDER BY at, level"
"""A subtree is complete with its last record, whose index is `at`."""


def rewrite(db: sqlite3.Connection) -> None:
    """Bring a file of the first form into the present one, all or nothing."""
    if not _has(db, "ledger_node"):
        return
    db.execute("SAVEPOINT upgrade")
    try:
        db.executemany("INSERT INTO ledger_hash VALUES (?, ?)", _rows(db))
        db.execute("DROP TABLE ledger_node")
    except BaseException:
        db.execute("ROLLBACK TO upgrade")
        raise
    finally:
        db.execute("RELEASE upgrade")


def readable(db: sqlite3.Connection) -> None:
    """Let this connection read a file of the first form as if it were of the present one."""
    if _has(db, "ledger_node") and not _has(db, "ledger_hash"):
        db.execute("DROP TABLE IF EXISTS temp.ledger_hash")
        db.execute("CREATE TEMP TABLE ledger_hash (idx INTEGER PRIMARY KEY, hashes BLOB NOT NULL)")
        db.executemany("INSERT INTO temp.ledger_hash VALUES (?, ?)", _rows(db))


def _has(db: sqlite3.Connection, table: str) -> bool:
    found = db.execute("SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
    return found is not None


def _rows(db: sqlite3.Connection) -> Iterator[tuple[int, bytes]]:
    for at, nodes in groupby(db.execute(_NODES), key=lambda row: row[0]):
        yield at, b"".join(value for _, value in nodes)
