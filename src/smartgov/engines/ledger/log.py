"""The log in SQLite: records, the hashes of all complete subtrees, and the checkpoints that were given out.

The caller owns the connection and the transaction, so that a record becomes durable together with what it is about.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from smartgov.engines.ledger import audit, merkle, upgrade
from smartgov.engines.ledger import checkpoint as notes
from smartgov.engines.ledger.appender import Appender, part, stored
from smartgov.engines.ledger.checkpoint import Checkpoint

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger_record (idx INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS ledger_hash (idx INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS ledger_checkpoint (size INTEGER PRIMARY KEY, root BLOB NOT NULL, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ledger_archive (size INTEGER PRIMARY KEY, root BLOB NOT NULL);
"""
"""`hashes` are the record's leaf hash and then those of the subtrees that it completes, lowest first, 32 bytes each: so
both tables only ever grow at their end, and a commit touches few pages of the file.
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
        """Make the tables where they are missing, and rewrite those of the first form."""
        self._db.executescript(SCHEMA)
        upgrade.rewrite(self._db)

    def append(self, records: Sequence[bytes]) -> list[int]:
        """Add records within the caller's transaction and return their indexes."""
        end = Appender(self._db)
        indexes = [end.append(record)[0] for record in records]
        rows, hashes = end.rows()
        self._db.executemany("INSERT INTO ledger_record VALUES (?, ?)", rows)
        self._db.executemany("INSERT INTO ledger_hash VALUES (?, ?)", hashes)
        return indexes

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

    def peaks(self, size: int) -> list[bytes]:
        """The roots of the complete subtrees that the first `size` records consist of, largest first."""
        return [stored(self._db, level, (size >> level) - 1) for level in merkle.peaks(size)]

    def verify_stored(self) -> list[int]:
        """Recompute everything from the records; the indexes whose record was altered or is missing.

        When no single record can be named (a tree or checkpoint was altered instead) the list holds -1.
        """
        return audit.verify(self._db)

    def _part(self, low: int, high: int) -> bytes:
        return part(self._db, low, high)
