"""What a gateway exchanged in an hour, read from its log: the ids by the other gateway, and by what is in the log.

Three sets for each other gateway: `asked` (questions sent), `client` (answers taken in), `provider` (answers given).
The hour is that in which the question was signed, the same at both gateways whatever their clocks say. What one took in
the other has given, and what the other has given one has asked: client within provider within asked.

Only the log is asked: a record that was taken out is missed, and an exchange costs nothing beside its records.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from threading import Event
from typing import Any

from smartgov.engines.troad import exchanged, records
from smartgov.engines.troad.exchanged import MOST_DIFFERENCES, Part, Told

ROLES = ("asked", "client", "provider")
GRACE_SECONDS = 900
"""So long after it an hour's records may come: the longest time of a service, and the clocks' difference."""
KEPT_HOURS = 8 * 24
"""So long it is known what was compared; records are in the log for longer (`archive.LEAST_DAYS`)."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS comparison (
    hour INTEGER, peer TEXT, agrees INTEGER, detail TEXT NOT NULL, made INTEGER NOT NULL, PRIMARY KEY (hour, peer)
) WITHOUT ROWID;
"""
"""`agrees` is NULL until the other gateway has answered; a row without a peer says that the hour was read."""
Reading = Callable[[], AbstractContextManager[tuple[sqlite3.Connection, Any]]]
"""Gives a connection that reads the gateway's file (`Store.reading`)."""
Row = tuple[str, str, str]
"""Other gateway, role, id."""

_AT_ONCE = 500
"""Records read in one go: no other reader or writer of the log waits for an hour's."""
_REST = 3.0
"""Of the time that a step took, so much more is left to the exchanges that go on."""
_STEPS = 10_000
"""Steps of SQLite's machine between two looks whether anybody waits."""
_BEFORE_SECONDS = 300
"""A record may be so much older than its question was signed: the clocks' difference."""
_IN_MEMORY = 4096
"""So many hashes are folded into a root at once."""
_CREATED = re.compile(r";created=([0-9]{1,12})(?:;|$)")
_FILE = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-512;
CREATE TABLE found (of INTEGER, hash BLOB, id TEXT);
CREATE TABLE one (of INTEGER, hash BLOB, id TEXT, times INTEGER, PRIMARY KEY (of, hash)) WITHOUT ROWID;
CREATE TABLE whole (of INTEGER PRIMARY KEY, told TEXT);
"""
_SORT = """
BEGIN;
INSERT INTO one SELECT of, hash, min(id), count(*) FROM found GROUP BY of, hash;
DROP TABLE found;
COMMIT;
"""
_TAKE_BACK = """
DELETE FROM one WHERE of = :asked AND EXISTS (
    SELECT 1 FROM one AS back WHERE back.of = :unsent AND back.hash = one.hash AND back.times >= one.times + coalesce(
        (SELECT more.times FROM one AS more WHERE more.of = :elsewhen AND more.hash = one.hash), 0
    )
)
"""
"""What never left was not asked. An id that was put to that gateway once more than it came back may have left."""


class Hour:
    """The sets of one hour.

    They lie in a file that has no name and goes with the object; SQLite keeps little of it in memory.
    """

    def __init__(self, ended: Event) -> None:
        """`ended`: nobody waits for it any more."""
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.set_progress_handler(ended.is_set, _STEPS)
        self._db.executescript(_FILE)
        self._numbers: dict[tuple[str, str], int] = {}
        """The number of each set, by the other gateway and role."""

    def add(self, rows: list[Row]) -> None:
        """Add what records say; before `close`."""
        self._db.execute("BEGIN")
        numbered = ((self._number(peer, role), sha256(one.encode()).digest(), one) for peer, role, one in rows)
        self._db.executemany("INSERT INTO found VALUES (?, ?, ?)", numbered)
        self._db.execute("COMMIT")

    def close(self) -> None:
        """All is added: put it into order, and reckon what is told of each set."""
        self._db.executescript(_SORT)
        for peer, role in list(self._numbers):
            if role == "unsent":
                named = {name: self._number(peer, name) for name in ("asked", "unsent", "elsewhen")}
                self._db.execute(_TAKE_BACK, named)
        for (peer, role), number in self._numbers.items():
            if role in ROLES:
                told = json.dumps(self.ids(peer, role).fold().as_dict())
                self._db.execute("INSERT INTO whole VALUES (?, ?)", (number, told))

    def peers(self) -> list[str]:
        """The gateways with which there was an exchange."""
        found = [peer for peer, role in self._numbers if role in ROLES and self.ids(peer, role).part().count]
        return sorted(set(found))

    def ids(self, peer: str, role: str) -> Stored:
        """One of the sets."""
        return Stored(self._db, self._numbers.get((peer, role), -1))

    def _number(self, peer: str, role: str) -> int:
        return self._numbers.setdefault((peer, role), len(self._numbers))


@dataclass(frozen=True, slots=True)
class Stored:
    """One set of an hour (`exchanged.Ids`)."""

    _db: sqlite3.Connection
    _number: int

    def part(self, prefix: str = "") -> Part:
        """What is told of the ids whose hash begins with `prefix`; of all of them it was reckoned while reading."""
        if prefix:
            return self.fold(prefix)
        row = self._db.execute("SELECT told FROM whole WHERE of = ?", (self._number,)).fetchone()
        return self.fold() if row is None else Part.of(json.loads(row[0]))

    def fold(self, prefix: str = "") -> Part:
        """As `part`, from the hashes."""
        first = self._rows("hash, id", prefix, exchanged.LIST + 1)
        if len(first) <= exchanged.LIST:
            ids = tuple(str(one) for _, one in first)
            return Part(len(ids), exchanged.leaf([one for one, _ in first]), ids)
        parts = self._parts(prefix)
        return Part(sum(count for count, _ in parts.values()), exchanged.node(parts), None, parts)

    def under(self, prefix: str = "") -> set[str]:
        """The ids whose hash begins with `prefix`, the first so many of them."""
        return {str(one) for (one,) in self._rows("id", prefix, MOST_DIFFERENCES + exchanged.LIST)}

    def _parts(self, prefix: str) -> dict[str, Told]:
        hashes = self._hashes(prefix)
        if len(hashes) <= _IN_MEMORY:
            return exchanged.split(hashes, len(prefix))
        parts = {digit: self._told(prefix + digit) for digit in exchanged.DIGITS}
        return {digit: told for digit, told in parts.items() if told[0]}

    def _told(self, prefix: str) -> Told:
        """Count and root of the ids whose hash begins with `prefix`."""
        began = time.thread_time()
        hashes = self._hashes(prefix)
        if len(hashes) > _IN_MEMORY:
            parts = self._parts(prefix)
            return sum(count for count, _ in parts.values()), exchanged.node(parts)
        told = exchanged.tree(hashes, len(prefix))
        _rest(began)
        return told

    def _hashes(self, prefix: str) -> list[bytes]:
        return [one for (one,) in self._rows("hash", prefix, _IN_MEMORY + 1)]

    def _rows(self, what: str, prefix: str, most: int) -> list[Any]:
        if len(prefix) > 64:
            return []
        low, high = bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f"))
        return self._db.execute(
            f"SELECT {what} FROM one WHERE of = ? AND hash BETWEEN ? AND ? ORDER BY hash LIMIT ?",  # noqa: S608 - two names
            (self._number, low, high, most),
        ).fetchall()


# -- reading the log ------------------------------------------------------------------------------------------------


def read(reading: Reading, hour: int, ended: Event) -> Hour:
    """Read an hour (Unix seconds // 3600) from the log, in small steps and with rests: exchanges go on meanwhile.

    sqlite3.OperationalError once `ended` is set.
    """
    read = Hour(ended)
    begins, ends = hour * 3600, (hour + 1) * 3600
    with reading() as (db, _):
        at = records.first_after(db, _moment(begins - _BEFORE_SECONDS))
        size = records.first_after(db, _moment(ends + GRACE_SECONDS))
    while at < size:
        if ended.is_set():
            raise sqlite3.OperationalError("nobody waits for it any more")
        began = time.thread_time()
        with reading() as (db, _):
            query = "SELECT idx, record FROM ledger_record WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT ?"
            rows = db.execute(query, (at, size, _AT_ONCE)).fetchall()
        if not rows:
            break
        at = rows[-1][0] + 1
        said = (_said(records.parsed(record), hour) for _, record in rows)
        read.add([row for row in said if row is not None])
        _rest(began)
    read.close()
    return read


def first(reading: Reading) -> int | None:
    """The hour of the oldest record of the log, 0 where that was altered; None of an empty log."""
    with reading() as (db, _):
        row = db.execute("SELECT record FROM ledger_record ORDER BY idx LIMIT 1").fetchone()
    if row is None:
        return None
    try:
        return int(datetime.fromisoformat(records.logged(records.parsed(row[0]))).timestamp()) // 3600
    except ValueError:
        return 0


def forget(db: sqlite3.Connection, now: int) -> None:
    """Drop what nobody compares any more."""
    db.execute("DELETE FROM comparison WHERE hour < ?", (now // 3600 - KEPT_HOURS,))


def _said(record: dict[str, Any], hour: int) -> Row | None:
    """What one record says of the exchanges of this hour."""
    kind, side, peer, one = record.get("kind"), record.get("side"), record.get("gateway"), record.get("id")
    if not (isinstance(peer, str) and isinstance(one, str) and peer and one):
        return None
    if kind == "answer" and side in ROLES:
        asked = record.get("asked")
        return (peer, str(side), one) if isinstance(asked, int) and asked // 3600 == hour else None
    if kind == "request" and side == "client":
        created = _CREATED.search(str(record.get("input")))
        return peer, "asked" if created and int(created[1]) // 3600 == hour else "elsewhen", one
    return (peer, "unsent", one) if kind == "refusal" and side == "client" else None


def _moment(seconds: int) -> str:
    return records.moment(datetime.fromtimestamp(seconds, UTC))


def _rest(began: float) -> None:
    """Leave the interpreter to others for longer than this thread has had it since `began` (`time.thread_time`)."""
    time.sleep(_REST * (time.thread_time() - began))
