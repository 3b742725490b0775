"""What an authority remembers: records, numbers of lists, and its trail; behind a Protocol, with SQLite in a folder."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from smartgov.engines.pki.authority import life
from smartgov.engines.pki.authority.life import Record, State
from smartgov.engines.pki.authority.trail import Entry

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
  id TEXT PRIMARY KEY, state TEXT NOT NULL, holder TEXT NOT NULL, serial TEXT UNIQUE, not_after TEXT,
  body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS records_by_holder ON records (holder);
CREATE TABLE IF NOT EXISTS lists (number INTEGER PRIMARY KEY, made_at TEXT NOT NULL, der BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS trail (
  number INTEGER PRIMARY KEY, body TEXT NOT NULL, digest TEXT NOT NULL, signature TEXT NOT NULL);
"""
_ON_LIST = (State.ISSUED, State.SUSPENDED, State.REVOKED)


class Store(Protocol):
    """The authority's memory. What is written within one `change` is kept together or not at all."""

    def change(self) -> AbstractContextManager[None]:
        """One transaction; the only one at a time."""

    def get(self, record: str) -> Record | None:
        """The record of that id."""

    def by_serial(self, serial: int) -> Record | None:
        """The record whose certificate has that serial."""

    def of_holder(self, holder: str) -> list[Record]:
        """A holder's records, newest first."""

    def all(self, *, state: State | None = None, limit: int = 200) -> list[Record]:
        """Records, newest first."""

    def put(self, record: Record) -> None:
        """Write a record, new or changed."""

    def on_list(self) -> Iterator[Record]:
        """Every record that belongs on the list of revocations: revoked, suspended, or not activated yet."""

    def last_list(self) -> tuple[int, bytes] | None:
        """Number and DER of the newest list."""

    def list_before(self, moment: str) -> tuple[int, bytes] | None:
        """Number and DER of the newest list that was made before `moment`; of the first one when there was none."""

    def put_list(self, number: int, made_at: str, der: bytes) -> None:
        """Keep a list; a number is used once."""

    def last_entry(self) -> Entry | None:
        """The newest entry of the trail."""

    def append(self, entry: Entry) -> None:
        """Add to the trail; a number is used once."""

    def trail(self) -> list[Entry]:
        """The whole trail, oldest first."""

    def newest_entries(self) -> Iterator[Entry]:
        """The trail, newest first; whoever has seen enough stops."""


class SqliteStore:
    """The store in one SQLite file; a connection for each use, so that threads may share the object."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._here = threading.local()  # the open change belongs to its thread: another must not read on its connection
        with self._connected() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(_SCHEMA)

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction, begun as a writer so that two cannot read the same state."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            self._here.open = connection
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            finally:
                self._here.open = None

    def get(self, record: str) -> Record | None:
        """The record of that id."""
        return self._one("SELECT body FROM records WHERE id = ?", record)

    def by_serial(self, serial: int) -> Record | None:
        """The record whose certificate has that serial."""
        return self._one("SELECT body FROM records WHERE serial = ?", str(serial))

    def of_holder(self, holder: str) -> list[Record]:
        """A holder's records, newest first."""
        return self._many("SELECT body FROM records WHERE holder = ? ORDER BY id DESC", holder)

    def all(self, *, state: State | None = None, limit: int = 200) -> list[Record]:
        """Records, newest first (ids rise with time)."""
        if state is None:
            return self._many("SELECT body FROM records ORDER BY id DESC LIMIT ?", limit)
        return self._many("SELECT body FROM records WHERE state = ? ORDER BY id DESC LIMIT ?", state, limit)

    def put(self, record: Record) -> None:
        """Write a record, new or changed."""
        end = record.not_after.isoformat() if record.not_after else None
        serial = None if record.serial is None else str(record.serial)
        body = json.dumps(life.to_json(record), ensure_ascii=False)
        row = (record.id, record.state, record.holder, serial, end, body)
        with self._used() as connection:
            connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)", row)

    def on_list(self) -> Iterator[Record]:
        """Every record that belongs on the list of revocations."""
        return iter(self._many("SELECT body FROM records WHERE state IN (?, ?, ?)", *_ON_LIST))

    def last_list(self) -> tuple[int, bytes] | None:
        """Number and DER of the newest list."""
        with self._used() as connection:
            row = connection.execute("SELECT number, der FROM lists ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else (int(row[0]), bytes(row[1]))

    def list_before(self, moment: str) -> tuple[int, bytes] | None:
        """Number and DER of the newest list that was made before `moment`; of the first one when there was none."""
        before = "SELECT number, der FROM lists WHERE made_at < ? ORDER BY number DESC LIMIT 1"
        with self._used() as connection:
            row = connection.execute(before, (moment,)).fetchone()
            row = row or connection.execute("SELECT number, der FROM lists ORDER BY number LIMIT 1").fetchone()
        return None if row is None else (int(row[0]), bytes(row[1]))

    def put_list(self, number: int, made_at: str, der: bytes) -> None:
        """Keep a list."""
        with self._used() as connection:
            connection.execute("INSERT INTO lists VALUES (?, ?, ?)", (number, made_at, der))

    def last_entry(self) -> Entry | None:
        """The newest entry of the trail."""
        found = self._entries("SELECT number, body, digest, signature FROM trail ORDER BY number DESC LIMIT 1")
        return found[0] if found else None

    def append(self, entry: Entry) -> None:
        """Add to the trail."""
        row = (entry.number, entry.body, entry.digest, entry.signature)
        with self._used() as connection:
            connection.execute("INSERT INTO trail VALUES (?, ?, ?, ?)", row)

    def trail(self) -> list[Entry]:
        """The whole trail, oldest first."""
        return self._entries("SELECT number, body, digest, signature FROM trail ORDER BY number")

    def newest_entries(self) -> Iterator[Entry]:
        """The trail, newest first, read as it is asked for."""
        with self._used() as connection:
            for row in connection.execute("SELECT number, body, digest, signature FROM trail ORDER BY number DESC"):
                yield Entry(*row)

    def _one(self, query: str, *values: object) -> Record | None:
        found = self._many(query, *values)
        return found[0] if found else None

    def _many(self, query: str, *values: object) -> list[Record]:
        with self._used() as connection:
            return [life.from_json(json.loads(row[0])) for row in connection.execute(query, values)]

    def _entries(self, query: str) -> list[Entry]:
        with self._used() as connection:
            return [Entry(*row) for row in connection.execute(query)]

    @contextmanager
    def _used(self) -> Iterator[sqlite3.Connection]:
        if (mine := getattr(self._here, "open", None)) is not None:
            yield mine
            return
        with self._connected() as connection:
            yield connection

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=20, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            yield connection
        finally:
            connection.close()
