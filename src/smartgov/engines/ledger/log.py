"""The log in SQLite: records, the hashes of all complete subtrees, and the checkpoints that were given out.

The caller owns the connection and the transaction, so that a record becomes durable together with what it is about.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from smartgov.engines.ledger import audit, merkle
from smartgov.engines.ledger import checkpoint as notes
from smartgov.engines.ledger.checkpoint import Checkpoint

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger_record (idx INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS ledger_node (
    level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger_checkpoint (size INTEGER PRIMARY KEY, root BLOB NOT NULL, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ledger_archive (size INTEGER PRIMARY KEY, root BLOB NOT NULL);
"""


class Log:
    """One Merkle log named `origin`; `key` signs its checkpoints (None for a log that is only read).

    `extensions` are lines that each of its checkpoints carries.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        origin: str,
        key: Ed25519PrivateKey | None = None,
        extensions: tuple[str, ...] = (),
    ) -> None:
        self._db, self.origin, self._key, self._extensions = connection, origin, key, extensions

    def create_tables(self) -> None:
        """Make the tables where they are missing."""
        self._db.executescript(SCHEMA)

    def append(self, records: Sequence[bytes]) -> list[int]:
        """Add records within the caller's transaction and return their indexes."""
        first = self.size()
        fresh: dict[tuple[int, int], bytes] = {}
        for offset, record in enumerate(records):
            self._grow(first + offset, merkle.leaf_hash(record), fresh)
        self._db.executemany("INSERT INTO ledger_record VALUES (?, ?)", enumerate(records, first))
        self._db.executemany(
            "INSERT INTO ledger_node VALUES (?, ?, ?)", ((level, idx, value) for (level, idx), value in fresh.items())
        )
        return list(range(first, first + len(records)))

    def size(self) -> int:
        """How many records the log holds."""
        (last,) = self._db.execute("SELECT max(idx) FROM ledger_record").fetchone()
        return 0 if last is None else int(last) + 1

    def record(self, index: int) -> bytes:
        """The exact bytes of one record; KeyError if there is none."""
        row = self._db.execute("SELECT CAST(record AS BLOB) FROM ledger_record WHERE idx = ?", (index,)).fetchone()
        if row is None:
            raise KeyError(index)
        return bytes(row[0])

    def records(self, first: int = 0, last: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of the records from `first` up to, not including, `last`."""
        stop = self.size() if last is None else last
        yield from self._db.execute(
            "SELECT idx, CAST(record AS BLOB) FROM ledger_record WHERE idx >= ? AND idx < ? ORDER BY idx", (first, stop)
        )

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` records (default: all)."""
        count = self.size() if size is None else size
        return self._part(0, count) if count else merkle.EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that record `index` is under the root of `size` records."""
        return merkle.inclusion_proof(index, size, self._part)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the first `old` of `new` records are unchanged."""
        return merkle.consistency_proof(old, new, self._part)

    def checkpoint(self, size: int | None = None) -> str:
        """The signed note over the first `size` records (default: all); the same size always gives the same note."""
        if self._key is None:
            raise ValueError("this log was opened without its key")
        count = self.size() if size is None else size
        return notes.sign(Checkpoint(self.origin, count, self.root(count), self._extensions), self._key)

    def remember(self, note: str) -> None:
        """Keep a checkpoint that was given out, so that `verify_stored` can hold the log to it."""
        head = notes.parse(note)
        self._db.execute("INSERT OR IGNORE INTO ledger_checkpoint VALUES (?, ?, ?)", (head.size, head.root, note))

    def archived(self) -> int:
        """How many of the first records were taken out into archives; their hashes are still here."""
        (last,) = self._db.execute("SELECT max(size) FROM ledger_archive").fetchone()
        return int(last or 0)

    def drop(self, size: int) -> int:
        """Take the first `size` records out, which an archive holds; the tree stays whole. Returns how many there were.

        The last record always stays, because the log's size is seen by it.
        """
        if not self.archived() <= size < self.size():
            raise ValueError("an archive is a beginning of the log, and not the whole of it")
        self._db.execute("INSERT OR IGNORE INTO ledger_archive VALUES (?, ?)", (size, self.root(size)))
        return self._db.execute("DELETE FROM ledger_record WHERE idx < ?", (size,)).rowcount

    def verify_stored(self) -> list[int]:
        """Recompute everything from the records; the indexes whose record was altered or is missing.

        When no single record can be named (a tree or checkpoint was altered instead) the list holds -1.
        """
        return audit.verify(self._db)

    def _grow(self, index: int, value: bytes, fresh: dict[tuple[int, int], bytes]) -> None:
        level = 0
        fresh[level, index] = value
        while index & 1:
            left = fresh.get((level, index - 1)) or self._node(level, index - 1)
            value, index, level = merkle.node_hash(left, value), index >> 1, level + 1
            fresh[level, index] = value

    def _node(self, level: int, index: int) -> bytes:
        row = self._db.execute("SELECT hash FROM ledger_node WHERE level = ? AND idx = ?", (level, index)).fetchone()
        if row is None:
            raise KeyError((level, index))
        return bytes(row[0])

    def _part(self, low: int, high: int) -> bytes:
        width = high - low
        if width & (width - 1) == 0 and low % width == 0:
            return self._node(width.bit_length() - 1, low // width)
        middle = low + merkle.split(width)
        return merkle.node_hash(self._part(low, middle), self._part(middle, high))
