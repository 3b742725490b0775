"""The gateway's file: ledger, encrypted bodies with their keys, nonces, spent artefacts, all in one SQLite database.

Everything that waits is committed once, with fsync, and only then do the callers go on (group commit, `writer.py`): a
message is never sent before its record is on the disk.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartgov.engines.ledger import Appender, Log
from smartgov.engines.troad import epochs, hours, idempotency, limits, retention, stated, visibility, wire
from smartgov.engines.troad.batch import Batch
from smartgov.engines.troad.folding import truncate
from smartgov.engines.troad.names import origin_of
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.soundness import ALARM, unreadable
from smartgov.engines.troad.writer import Job, Results, Work, Writer
from smartgov.shared.problems import Problem

log = structlog.get_logger()
T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    idx INTEGER PRIMARY KEY, exchange TEXT NOT NULL, made INTEGER NOT NULL, wrapped_key BLOB, sealed BLOB, until INTEGER
);
CREATE TABLE IF NOT EXISTS nonce (nonce TEXT PRIMARY KEY, made INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (kind TEXT, jti TEXT, until INTEGER, PRIMARY KEY (kind, jti)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subject (hmac TEXT, idx INTEGER, PRIMARY KEY (hmac, idx)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS head (size INTEGER PRIMARY KEY, note TEXT NOT NULL, made INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS stamp (size INTEGER, time INTEGER, ends INTEGER, token BLOB, PRIMARY KEY (size, time));
CREATE INDEX IF NOT EXISTS stamp_time ON stamp (time, size);
CREATE TABLE IF NOT EXISTS witnessed (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL
) WITHOUT ROWID;
"""
_PLACE = "CREATE TABLE IF NOT EXISTS place (exchange TEXT, idx INTEGER, PRIMARY KEY (exchange, idx)) WITHOUT ROWID;"
"""Where the records of an exchange stand; what `message` keeps of it is found by the same numbers."""
REVOKED = "CREATE TABLE IF NOT EXISTS revoked_consent (jti TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;"
_OTHERS = (idempotency, limits, hours, visibility, stated, retention)
SCHEMA = "".join([_SCHEMA, _PLACE, *(part.SCHEMA for part in _OTHERS), REVOKED])
PAGE_BYTES = 8192
"""A record with its sealed body takes some 4 KiB: pages of that size would be half empty, and twice as many."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_STALE_NONCE = 600
"""Seconds after which a nonce may be forgotten: far beyond the freshness that every message must have."""


Effect = Callable[[sqlite3.Connection], None]


class Evidence(NamedTuple):
    """What proves one received message; `kept` is salt, body and signature base, `digest` the SHA-256 of the latter."""

    fields: Mapping[str, str]
    kept: tuple[bytes, bytes, bytes]
    digest: bytes
    nonce: str
    """As `once` gives it."""


def once(created: int, nonce: str) -> str:
    """The key under which a message is known to have been received: both parts are signed, so a replay has the same.

    The time comes first, so that the keys of a minute lie together in the file and a commit touches few of its pages.
    """
    return f"{created:010d}.{nonce}"


class Unsigned(NamedTuple):
    """A message that is signed together with all others of its commit: SHA-256 of its base, and its fields."""

    digest: bytes
    fields: dict[str, str]


@dataclass(slots=True)
class Entry:
    """One record to commit, with what belongs to it."""

    record: dict[str, Any]
    made: int
    exchange: str = ""
    body: tuple[bytes, bytes, bytes] | None = None
    """Salt, body and signature base: kept encrypted under a key of their own, erased together."""
    visible_to: str | None = None
    """The keyed pseudonym of the person who may list this record, from `shown_from` (Unix seconds) on."""
    shown_from: int = 0
    seal: str = ""
    """The number of the order that keeps this record from its person until then."""
    veil: tuple[bytes, bytes] | None = None
    """Salt and members of the record that it only commits to: kept encrypted as a body is."""
    nonce: str | None = None
    spend: tuple[str, str, int] | None = None
    """Kind, id and expiry of an artefact that this record uses up."""
    effects: list[Effect] = field(default_factory=list)
    """What else is done in the same transaction; a Problem undoes the whole entry."""
    unsigned: Unsigned | None = None
    keep_until: int | None = None
    """When the body is to be erased by itself (Unix seconds), where the service says so."""


@dataclass(slots=True)
class Place:
    """Where a record stands: its index, and the size of the log right after it."""

    index: int
    size: int
    leaf: bytes = b""
    """The leaf hash, by which somebody who was told it can see later that this very record is in the log."""


class Store:
    """The file of one gateway; `start` before use, `stop` at the end."""

    def __init__(self, path: Path, *, origin: str, log_key: Ed25519PrivateKey, body_key: bytes) -> None:
        self.path, self.origin, self._log_key = path, origin, log_key
        self.torn = False
        """Whether the tree in the file is broken (`soundness`): a record that was added could not be proven."""
        self._wrap = AESGCM(body_key)
        self.sign: Callable[[Sequence[bytes]], list[bytes]] | None = None
        """Makes the batch signature over what commits together; called for each commit."""
        try:
            self._db = self._open()
            self._log = Log(self._db, origin, log_key)
            self._log.create_tables()
            self._db.executescript(SCHEMA)
            _find_by_place(self._db)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                raise
            raise unreadable(path, error) from None
        self.gateway, self.extensions = origin, epochs.stored(self._db)
        self._enter()
        self._appender = Appender(self._db)
        self.writer = Writer(self._db, self._carry, self._appender.forget, self._open)
        self._plain = frozenset(
            row[0] for row in self._db.execute("SELECT nonce FROM nonce WHERE nonce NOT LIKE '%.%'")
        )
        """Nonces that were kept before their keys began with a time: a replay of their message is refused too."""

    def start(self) -> None:
        """Start the writing thread."""
        self.writer.start()

    def stop(self) -> None:
        """Write what is waiting, then close the file."""
        self.writer.stop()
        self._db.close()

    async def apply(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the writing thread and return its result once that is durable. Problem `log-unavailable`."""
        result: T = await self.writer.submit(work)
        return result

    def commit(self, entries: Sequence[Entry], *, soon: bool = False) -> Awaitable[list[Place]]:
        """Make the entries durable, all or none. Problems `replay`, `consent-used`, `token-used`, `log-unavailable`.

        With `soon` it returns when they are written and before the disk has confirmed it.
        """
        if self.torn:
            raise refuse("log-unavailable", cause=ALARM)
        return self.writer.submit(entries, soon=soon)

    async def erase(self, exchange: str) -> int:
        """Destroy the keys, salts and bodies of one exchange; its records and their proofs stay. Returns how many."""
        count: int = await self.writer.submit(lambda db: erase_exchange(db, exchange))
        await self.writer.submit(truncate)  # also where only an answer was kept, for a key that was handed over
        return count

    async def erase_due(self, now: int, default_days: int) -> int:
        """Destroy what is kept of services that say so by now, and of all others what is older than `default_days`."""
        count = await self._in_parts(retention.erasing(now, default_days))
        if count:
            await self.writer.submit(truncate)
        return count

    async def forget_stale(self, now: int) -> None:
        """Drop nonces and spent artefacts that are refused for their age anyway."""
        await self._in_parts(retention.forgetting(now, now - _STALE_NONCE))

    async def _in_parts(self, steps: Sequence[retention.Step]) -> int:
        """Do each step until nothing is left of it, and leave as much time to others as it takes; how many rows."""
        count = 0
        for step in steps:
            done = retention.AT_ONCE
            while done >= retention.AT_ONCE:
                began = time.monotonic()
                done = await self.writer.submit(step)
                count += done
                await asyncio.sleep(time.monotonic() - began if done >= retention.AT_ONCE else 0)
        return count

    async def remember_checkpoint(self, note: str) -> None:
        """Keep a checkpoint that was given out."""
        await self.writer.submit(lambda _: self._log.remember(note))

    async def open_epoch(self, entry: Entry, lines: tuple[str, ...]) -> Place:
        """Go on under a new origin from the record `entry` on; `lines` say in every head what was before."""
        entry.effects.append(lambda db: epochs.remember(db, lines))
        (place,) = await self.commit([entry])
        self.extensions = lines
        self._enter()
        return place

    async def set_fact(self, name: str, value: str) -> None:
        """Remember one named value."""
        query = "INSERT OR REPLACE INTO fact VALUES (?, ?)"
        await self.writer.submit(lambda db: db.execute(query, (name, value)).rowcount)

    def fact(self, name: str) -> str | None:
        """A value that `set_fact` remembered."""
        with self.reading() as (db, _):
            row = db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    @contextmanager
    def reading(self) -> Iterator[tuple[sqlite3.Connection, Log]]:
        """A connection of one's own, reading one state of the file throughout."""
        db = self._open()
        try:
            db.execute("BEGIN")
            yield db, Log(db, self.origin, self._log_key, self.extensions)
        finally:
            db.close()

    def message(self, index: int) -> tuple[bytes, bytes, bytes] | None:
        """Salt, body and signature base of a record, or None when it had none or they were erased."""
        return self._opened("SELECT wrapped_key, sealed FROM message WHERE idx = ?", index)

    def veil(self, index: int) -> tuple[bytes, bytes] | None:
        """Salt and members (canonical JSON) that a masked record commits to, or None."""
        found = self._opened("SELECT wrapped_key, sealed FROM veil WHERE idx = ?", index)
        return found and found[:2]

    def body_keys(self, exchange: str) -> dict[int, AESGCM]:
        """The keys of an exchange's bodies that were not erased, by index, for a body that lies in an archive."""
        with self.reading() as (db, _):
            query = "SELECT idx, wrapped_key FROM message WHERE idx IN (SELECT idx FROM place WHERE exchange = ?)"
            rows = db.execute(query, (exchange,)).fetchall()
        opened = {index: self._wrap.decrypt(key[:12], key[12:], str(index).encode()) for index, key in rows if key}
        return {index: AESGCM(key) for index, key in opened.items()}

    def _opened(self, query: str, index: int) -> tuple[bytes, bytes, bytes] | None:
        with self.reading() as (db, _):
            row = db.execute(query, (index,)).fetchone()
        if row is None or row[0] is None or row[1] is None:
            return None
        bound = str(index).encode()
        key = self._wrap.decrypt(row[0][:12], row[0][12:], bound)
        plain = AESGCM(key).decrypt(row[1][:12], row[1][12:], bound)
        size = int.from_bytes(plain[32:36], "big")
        return plain[:32], plain[36 + size :], plain[36 : 36 + size]

    # -- the writing thread -------------------------------------------------------------------------------------

    def _enter(self) -> None:
        """Sign as the epoch that `extensions` lead to."""
        self.origin = origin_of(self.gateway, epochs.count(self.extensions))
        self._log = Log(self._db, self.origin, self._log_key, self.extensions)

    def _open(self) -> sqlite3.Connection:
        fresh = not self.path.exists()
        if fresh:
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
        db = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=10, cached_statements=256
        )
        db.executescript(
            f"PRAGMA page_size={PAGE_BYTES};"  # of a file that is empty yet; another keeps its own
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA cache_size=-8000;"
            # Folding is done where its errors are seen: by itself SQLite would keep a failed fsync to itself.
            "PRAGMA wal_autocheckpoint=0;"
        )
        return db

    def _carry(self, jobs: list[Job]) -> Results:
        """Do everything within the open transaction; what each job gets, or the Problem that undid it."""
        batch = Batch(self._db, self._appender, self._wrap, Place, self._plain)
        entries = [one for job in jobs if not callable(job.work) for one in job.work]
        batch.prepare(entries)
        unsigned = self._sign([one for one in entries if one.unsigned is not None])
        results: Results = []
        for job in jobs:
            if callable(job.work):
                batch.flush()
                results.append((job, self._under_savepoint(job.work)))
            elif unsigned is not None and any(one.unsigned for one in job.work):
                results.append((job, unsigned))
            else:
                results.append((job, batch.take(job.work)))
        batch.flush()
        return results

    def _sign(self, entries: list[Entry]) -> Problem | None:
        """Sign all messages that commit now, with one signature; the Problem of a key that cannot be used."""
        if not entries:
            return None
        assert self.sign is not None
        try:
            values = self.sign([one.unsigned.digest for one in entries if one.unsigned])
        except Problem as problem:
            return problem
        for entry, value in zip(entries, values, strict=True):
            assert entry.unsigned is not None
            wire.attach(entry.unsigned.fields, value)
            entry.record["signature"] = entry.unsigned.fields["signature"]
        return None

    def _under_savepoint(self, job: Work) -> Any:
        self._db.execute("SAVEPOINT job")
        try:
            result = job(self._db)
        except Problem as problem:
            self._db.execute("ROLLBACK TO job")
            result = problem
        self._db.execute("RELEASE job")
        return result


def erase_exchange(db: sqlite3.Connection, exchange: str) -> int:
    """Destroy keys, salts, bodies and the kept answer of one exchange; how many bodies there were."""
    _find_by_place(db)
    idempotency.erase(db, exchange)
    db.execute("UPDATE veil SET wrapped_key = NULL, sealed = NULL WHERE exchange = ?", (exchange,))
    return db.execute(
        "UPDATE message SET wrapped_key = NULL, sealed = NULL WHERE wrapped_key IS NOT NULL"
        " AND idx IN (SELECT idx FROM place WHERE exchange = ?)",
        (exchange,),
    ).rowcount


def _find_by_place(db: sqlite3.Connection) -> None:
    """Bring a file of an earlier version, which found messages by an index of their own, to the present form."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'message_exchange'").fetchone():
        db.execute(_PLACE)
        db.execute("INSERT OR IGNORE INTO place SELECT exchange, idx FROM message")
        db.execute("DROP INDEX message_exchange")
