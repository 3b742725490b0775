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
    "exchanged": 4,
    "subject": 2,
    "later": 5,
    "veil": 4,
    "message": 5,
    "retain": 2,
}
_ROWS = (128, 32, 8, 4, 2, 1)
"""Rows of one statement: few sizes, so that all of them stay prepared."""


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
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _TABLES}
        self._seen: set[str] = set()

    def know(self, nonces: Sequence[str]) -> None:
        """Look up all nonces of the commit at once."""
        for part in _parts(list(nonces)):
            marks = ", ".join("?" * len(part))
            found = self._db.execute(f"SELECT nonce FROM nonce WHERE nonce IN ({marks})", part)  # noqa: S608 - marks only
            self._seen.update(row[0] for row in found.fetchall())

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
        self._rows["ledger_record"] += records
        self._rows["ledger_hash"] += hashes
        for name, rows in self._rows.items():
            for part in _parts(rows):
                self._db.execute(_insert(name, len(part)), [value for row in part for value in row])
            rows.clear()

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
        rows, exact = self._rows, canonical.dumps(entry.record)
        index, leaf = self._appender.append(exact)
        if entry.nonce is not None:
            rows["nonce"].append((entry.nonce, entry.made))
        if entry.exchange:
            rows["place"].append((entry.exchange, index))
        if entry.exchanged is not None:
            rows["exchanged"].append((*entry.exchanged, entry.exchange))
        if (listed := visibility.row(entry, index)) is not None:
            rows[listed[0]].append(listed[1])
        if entry.veil is not None:
            rows["veil"].append((index, entry.exchange, *self._seal((*entry.veil, b""), index)))
        if entry.body is not None:
            rows["message"].append((index, entry.exchange, entry.made, *self._seal(entry.body, index)))
            if entry.keep_until is not None:
                rows["retain"].append((index, entry.keep_until))
        return self._place(index, index + 1, leaf)

    def _seal(self, body: tuple[bytes, bytes, bytes], index: int) -> tuple[bytes, bytes]:
        salt, content, base = body
        fresh, bound = os.urandom(56), str(index).encode()
        key, nonce, wrap_nonce = fresh[:32], fresh[32:44], fresh[44:]
        plain = b"".join((salt, len(base).to_bytes(4, "big"), base, content))
        wrapped = wrap_nonce + self._wrap.encrypt(wrap_nonce, key, bound)
        return wrapped, nonce + AESGCM(key).encrypt(nonce, plain, bound)


def _spend(db: sqlite3.Connection, spend: tuple[str, str, int]) -> None:
    try:
        db.execute("INSERT INTO spent VALUES (?, ?, ?)", spend)
    except sqlite3.IntegrityError:
        raise refuse(f"{spend[0]}-used") from None


def _parts(rows: list[Any]) -> list[list[Any]]:
    found, at = [], 0
    for size in _ROWS:
        while len(rows) - at >= size:
            found.append(rows[at : at + size])
            at += size
    return found


@lru_cache(maxsize=128)
def _insert(table: str, rows: int) -> str:
    marks = f"({', '.join('?' * _TABLES[table])})"
    verb = "INSERT OR IGNORE" if table == "exchanged" else "INSERT"
    return f"{verb} INTO {table} VALUES {', '.join([marks] * rows)}"
