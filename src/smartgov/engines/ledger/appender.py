"""Growing a log from one place: its size and right edge are in memory, so that a record costs no query.

Only for a connection through which alone the log grows. Rows are collected by the caller's transaction and written
by `Appender.rows`; after a rollback call `forget`, and the next record reads the file again.
"""

from __future__ import annotations

import sqlite3

from smartgov.engines.ledger import merkle

Rows = tuple[list[tuple[int, bytes]], list[tuple[int, int, bytes]]]
"""Of `ledger_record` and of `ledger_node`."""


class Appender:
    """The growing end of one log; `edge` holds the complete subtree of each level that still waits for its sibling."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._size: int | None = None
        self._edge: dict[int, bytes] = {}
        self._records: list[tuple[int, bytes]] = []
        self._nodes: list[tuple[int, int, bytes]] = []

    def append(self, record: bytes) -> tuple[int, bytes]:
        """Index and leaf hash of one more record, whose rows are to be written before the transaction ends."""
        index = self._read() if self._size is None else self._size
        leaf = value = merkle.leaf_hash(record)
        self._records.append((index, record))
        at, level = index, 0
        self._nodes.append((0, at, value))
        while at & 1:
            value, at, level = merkle.node_hash(self._edge[level], value), at >> 1, level + 1
            self._nodes.append((level, at, value))
        self._edge[level] = value
        self._size = index + 1
        return index, leaf

    def rows(self) -> Rows:
        """What has been appended since the last call."""
        taken = self._records, self._nodes
        self._records, self._nodes = [], []
        return taken

    def forget(self) -> None:
        """The transaction was undone: nothing in memory counts any more."""
        self._size, self._edge, self._records, self._nodes = None, {}, [], []

    def _read(self) -> int:
        (last,) = self._db.execute("SELECT max(idx) FROM ledger_record").fetchone()
        size = 0 if last is None else int(last) + 1
        for level in range(size.bit_length()):
            if size >> level & 1:
                at = (level, (size >> level) - 1)
                row = self._db.execute("SELECT hash FROM ledger_node WHERE level = ? AND idx = ?", at).fetchone()
                if row is None:
                    raise KeyError(at)
                self._edge[level] = bytes(row[0])
        return size
