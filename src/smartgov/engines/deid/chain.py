"""An append-only file whose entries are chained by SHA-256: one SQLite file for any book that must show its past.

A changed, removed or re-ordered entry breaks the chain. A cut end is found by whoever kept a later head, so heads are
given out: every release and every report names the head at its time.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from smartgov.shared import canonical, clock
from smartgov.shared.problems import Problem

_WAIT_SECONDS = 60
_SCHEMA = """
CREATE TABLE entry (seq INTEGER PRIMARY KEY, body BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TRIGGER entry_kept BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'append-only'); END;
PRAGMA user_version = 1;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: its place from 1, what it says (with `kind` and `at`), and the hash over it and all before it."""

    seq: int
    body: dict[str, Any]
    hash: str


class Chain:
    """The file at `path`; `kind` starts the chain, so that a file of another kind is not taken for it.

    `broken` makes the Problem of a file that cannot be used, from a status and the reason in both languages.
    """

    def __init__(self, path: Path, kind: str, broken: Callable[[int, str, str], Problem]) -> None:
        self.path, self.kind, self._broken = path, kind, broken

    def create(self) -> None:
        """A new, empty file (mode 0600). Never made in passing: a lost file is no new start."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            raise self._broken(409, "There is a ledger here already.", "此處已有帳冊。") from None
        with closing(self._connect()) as db:
            db.executescript(_SCHEMA)

    def entries(self) -> list[Entry]:
        """All entries, the chain checked; the Problem of `broken` otherwise."""
        with closing(self._connect()) as db:
            return self._read(db)

    def head(self) -> str:
        """The hash of the last entry, or of the empty chain."""
        return self._head(self.entries())

    def verify(self, *heads: str) -> list[Entry]:
        """The chain holds and contains every head in `heads`; the Problem of `broken` otherwise."""
        entries = self.entries()
        if not set(heads) <= {entry.hash for entry in entries} | {self._head([])}:
            raise self._broken(409, "A head that was once given out is not in it.", "曾公布之鏈首不在帳冊中。")
        return entries

    @contextmanager
    def writing(self) -> Iterator[tuple[list[Entry], Appender]]:
        """The checked entries and an appender, alone until the commit; an error leaves the file as it was."""
        with closing(self._connect()) as db:
            try:
                db.execute("PRAGMA synchronous=FULL")
                db.execute("BEGIN IMMEDIATE")
                entries = self._read(db)
                yield entries, Appender(db, entries, self._head(entries))
                db.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                raise self._broken(503, f"It could not be written ({error}).", f"無法寫入（{error}）。") from error

    def _connect(self) -> sqlite3.Connection:
        if not self.path.is_file():
            raise self._broken(404, "There is no ledger at this place.", "該處沒有帳冊。")
        return sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None)

    def _read(self, db: sqlite3.Connection) -> list[Entry]:
        try:
            rows = db.execute("SELECT seq, body, hash FROM entry ORDER BY seq").fetchall()
        except sqlite3.DatabaseError as error:
            raise self._broken(409, "It is no ledger of this program.", "這不是本程式的帳冊。") from error
        entries: list[Entry] = []
        previous = self._head([])
        for place, (seq, body, digest) in enumerate(rows, 1):
            if seq != place or _chained(previous, body) != digest.hex():
                raise self._broken(409, f"Entry {place} was altered or removed.", f"第 {place} 筆遭更改或移除。")
            previous = digest.hex()
            entries.append(Entry(seq, json.loads(body), previous))
        return entries

    def _head(self, entries: list[Entry]) -> str:
        return entries[-1].hash if entries else sha256(self.kind.encode()).hexdigest()


class Appender:
    """Adds entries within one transaction."""

    def __init__(self, db: sqlite3.Connection, entries: list[Entry], head: str) -> None:
        self._db, self._entries, self._head = db, entries, head

    def __call__(self, body: dict[str, Any]) -> Entry:
        """Append `body` (JSON without floats) with its time, and return the entry."""
        raw = canonical.dumps({**body, "at": clock.now().isoformat(timespec="milliseconds")})
        self._head = _chained(self._head, raw)
        entry = Entry(len(self._entries) + 1, json.loads(raw), self._head)
        self._db.execute("INSERT INTO entry VALUES (?, ?, ?)", (entry.seq, raw, bytes.fromhex(entry.hash)))
        self._entries.append(entry)
        return entry


def _chained(previous: str, body: bytes) -> str:
    return sha256(bytes.fromhex(previous) + body).hexdigest()
