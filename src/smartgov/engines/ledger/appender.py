"""Growing a log from one place: its size and right edge are in memory, so that a record costs no query.

Only for a connection through which alone the log grows. Rows are collected by the caller's transaction and written
by the caller (`Appender.rows`); after a rollback call `forget`, and the next record reads the file again.
"""

from __future__ import annotations

import sqlite3
from hashlib import sha256

from smartgov.engines.ledger import merkle

Rows = tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]
"""Of `ledger_record` and of `ledger_hash`."""


class Appender:
    """The growing end of one log; `edge` holds the complete subtree of each level that still waits for its sibling."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._size: int | None = None
        self._edge: list[bytes] = []
        self._records: list[tuple[int, bytes]] = []
        self._hashes: list[tuple[int, bytes]] = []

    def append(self, record: bytes) -> tuple[int, bytes]:
        """Index and leaf hash of one more record, whose rows are to be written before the transaction ends."""
        index = self._read() if self._size is None else self._size
        leaf = sha256(b"\x00" + record).digest()
        self._records.append((index, record))
        self._hashes.append((index, leaf + self._complete(index, leaf) if index & 1 else leaf))
        if not index & 1:
            self._edge.append(leaf)
        self._size = index + 1
        return index, leaf

    def rows(self) -> Rows:
        """What has been appended since the last call."""
        taken = self._records, self._hashes
        self._records, self._hashes = [], []
        return taken

    def forget(self) -> None:
        """The transaction was undone: nothing in memory counts any more."""
        self._size, self._edge, self._records, self._hashes = None, [], [], []

    def _complete(self, index: int, value: bytes) -> bytes:
        """The hashes of the subtrees that end with this record, lowest first; they become the edge."""
        found = b""
        while index & 1:
            value = sha256(b"\x01" + self._edge.pop() + value).digest()
            found, index = found + value, index >> 1
        self._edge.append(value)
        return found

    def _read(self) -> int:
        (last,) = self._db.execute("SELECT max(idx) FROM ledger_record").fetchone()
        size = 0 if last is None else int(last) + 1
        self._edge = [stored(self._db, level, (size >> level) - 1) for level in merkle.peaks(size)]
        return size


def part(db: sqlite3.Connection, low: int, high: int) -> bytes:
    """The root over the records from `low` up to, not including, `high`, put together from complete subtrees."""
    width = high - low
    if width & (width - 1) == 0 and low % width == 0:
        return stored(db, width.bit_length() - 1, low // width)
    middle = low + merkle.split(width)
    return merkle.node_hash(part(db, low, middle), part(db, middle, high))


def stored(db: sqlite3.Connection, level: int, index: int) -> bytes:
    """The hash of a complete subtree, which lies with its last record; KeyError when it is not there."""
    row = db.execute(
        "SELECT substr(hashes, ?, 32) FROM ledger_hash WHERE idx = ?", (32 * level + 1, ((index + 1) << level) - 1)
    ).fetchone()
    if row is None or len(row[0]) != 32:
        raise KeyError((level, index))
    return bytes(row[0])
