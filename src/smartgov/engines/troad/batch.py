"""The log entries of one commit, turned into rows and written with few statements.

Every statement that SQLite runs gives the interpreter's lock away and takes it again, against the thread that serves
connections; so a row a statement costs more in waiting than in writing. What can be refused (a nonce seen before, a
spent artefact, a quota) is asked first, under a savepoint where it writes; the rest cannot fail one by one.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartgov.engines.ledger import Appender
from smartgov.engines.troad import visibility
from smartgov.engines.troad.problems import refuse
from smartgov.shared import canonical
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.store import Entry, Place

_TABLES = {
    "ledger_record": 2,
    "ledger_hash": 2,
    "nonce": 2,
    "place": 2,
    "subject": 2,
    "later": 5,
    "veil": 4,
    "message": 6,
}
_ROWS = (128, 32, 8, 4, 2, 1)
"""Rows of one statement: few sizes, so that all of them stay prepared."""
_DRAWN = 32 + 12 + 12
"""Random bytes for one body: its key, and the nonces under it and under the key that wraps it."""


class Batch:
    """One commit through `db`; `place` makes a Place of index, size and leaf hash; `plain` are old nonces."""

    def __init__(
        self,
        db: sqlite3.Connection,
        appender: Appender,
        wrap: AESGCM,
        place: type[Place],
        plain: frozenset[str] = frozenset(),
    ) -> None:
        self._db, self._appender, self._wrap, self._place, self._plain = db, appender, wrap, place, plain
        self._values: dict[str, list[Any]] = {name: [] for name in _TABLES}
        """What goes into each table, value after value."""
        self._seen: set[str] = set()
        self._drawn: list[bytes] = []

    def prepare(self, entries: Sequence[Entry]) -> None:
        """Do once for all entries of the commit what can be: look up their nonces, draw what their bodies need."""
        nonces = [entry.nonce for entry in entries if entry.nonce is not None]
        for part in _parts(nonces, 1):
            marks = ", ".join("?" * len(part))
            found = self._db.execute(f"SELECT nonce FROM nonce WHERE nonce IN ({marks})", part)  # noqa: S608 - marks only
            self._seen.update(row[0] for row in found.fetchall())
        drawn = os.urandom(_DRAWN * len(entries))
        self._drawn = [drawn[at : at + _DRAWN] for at in range(0, len(drawn), _DRAWN)]

    def take(self, entries: Sequence[Entry]) -> list[Place] | Problem:
        """Where these entries stand, all or none; the Problem that one of them met."""
        nonces = [entry.nonce for entry in entries if entry.nonce is not None]
        if len(set(nonces)) < len(nonces) or not self._seen.isdisjoint(nonces):
            return refuse("replay")
        if self._plain and any(nonce.partition(".")[2] in self._plain for nonce in nonces):
            return refuse("replay")
        if any(entry.effects or entry.spend for entry in entries):
            problem = self._attempt(entries)
            if problem is not None:
                return problem
        self._seen.update(nonces)
        return [self._write(entry) for entry in entries]

    def flush(self) -> None:
        """Write what has been taken."""
        records, hashes = self._appender.rows()
        self._values["ledger_record"] += chain.from_iterable(records)
        self._values["ledger_hash"] += chain.from_iterable(hashes)
        for name, values in self._values.items():
            if values:
                width = _TABLES[name]
                for part in _parts(values, width):
                    self._db.execute(_insert(name, len(part) // width), part)
                values.clear()

    def _attempt(self, entries: Sequence[Entry]) -> Problem | None:
        self._db.execute("SAVEPOINT job")
        try:
            for entry in entries:
                if entry.spend is not None:
                    _spend(self._db, entry.spend)
                for effect in entry.effects:
                    effect(self._db)
        except Problem as problem:
            self._db.execute("ROLLBACK TO job")
            self._db.execute("RELEASE job")
            return problem
        self._db.execute("RELEASE job")
        return None

    def _write(self, entry: Entry) -> Place:
        values, exact = self._values, canonical.dumps(entry.record)
        index, leaf = self._appender.append(exact)
        if entry.nonce is not None:
            values["nonce"] += (entry.nonce, entry.made)
        if entry.exchange:
            values["place"] += (entry.exchange, index)
        if (listed := visibility.row(entry, index)) is not None:
            values[listed[0]] += listed[1]
        if entry.veil is not None:
            values["veil"] += (index, entry.exchange, *self._seal((*entry.veil, b""), index))
        if entry.body is not None:
            values["message"] += (index, entry.exchange, entry.made, *self._seal(entry.body, index), entry.keep_until)
        return self._place(index, index + 1, leaf)

    def _seal(self, body: tuple[bytes, bytes, bytes], index: int) -> tuple[bytes, bytes]:
        salt, content, base = body
        fresh = self._drawn.pop() if self._drawn else os.urandom(_DRAWN)  # an entry may have a veil besides
        bound = str(index).encode()
        key, nonce, wrap_nonce = fresh[:32], fresh[32:44], fresh[44:]
        plain = b"".join((salt, len(base).to_bytes(4, "big"), base, content))
        wrapped = wrap_nonce + self._wrap.encrypt(wrap_nonce, key, bound)
        return wrapped, nonce + AESGCM(key).encrypt(nonce, plain, bound)


def _spend(db: sqlite3.Connection, spend: tuple[str, str, int]) -> None:
    try:
        db.execute("INSERT INTO spent VALUES (?, ?, ?)", spend)
    except sqlite3.IntegrityError:
        raise refuse(f"{spend[0]}-used") from None


def _parts(values: list[Any], width: int) -> list[list[Any]]:
    """The values of so many rows of this width as there are, in parts that have one of the sizes of `_ROWS`."""
    found, at = [], 0
    for rows in _ROWS:
        size = rows * width
        while len(values) - at >= size:
            found.append(values[at : at + size])
            at += size
    return found


@lru_cache(maxsize=128)
def _insert(table: str, rows: int) -> str:
    marks = f"({', '.join('?' * _TABLES[table])})"
    # FAIL keeps what the statement did before it failed, which does not matter: the whole commit is undone then. So
    # SQLite need not copy the pages that a statement touches, which cost more than rows in random order.
    return f"INSERT OR FAIL INTO {table} VALUES {', '.join([marks] * rows)}"  # noqa: S608 - names of `_TABLES`
