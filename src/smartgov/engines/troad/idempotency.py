"""A call under an idempotency key is carried out at most once: the provider's gateway keeps a claim on each key.

A claim is made in the transaction that records the request, before the service is asked, and finished in the one that
records the answer. It binds client, service, method, path and key; the rest of the request (person, query, fields and
body) by an HMAC under a salt of its own, which is erased with the claim's answer, so that nobody can guess at it later.
Both end with the service's retention; that the key was used is known for its seven days all the same.

Claims are found by an HMAC under a key for this alone, so that they can be handed to another gateway of the member
(`handover`) without the key that names persons in this log.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartgov.engines.httpd import Response
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.rights import Ask

FIELD = "idempotency-key"
KEPT_SECONDS = 7 * 86400
"""How long a key is remembered; after that the same key is a new request."""
_KEY = re.compile(r"[ -~]{1,200}")
_LONGEST = 3600
"""Nobody works on a key for this long (seconds): what is called running and older broke off."""
KEYED = "claims-keyed"
"""When this file's last claim was made that is found by the index key, as all were once (Unix seconds)."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS claim (
    id BLOB PRIMARY KEY, made INTEGER NOT NULL, exchange TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'unknown', 'erased')),
    salt BLOB, tag BLOB, answer BLOB, consent TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claim_exchange ON claim (exchange);
CREATE INDEX IF NOT EXISTS claim_made ON claim (made);
CREATE TABLE IF NOT EXISTS claim_until (id BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claim_until_until ON claim_until (until);
INSERT OR IGNORE INTO fact SELECT 'claims-keyed', coalesce(max(made), 0) FROM claim;
"""
_END = (
    "UPDATE claim SET state = CASE state WHEN 'done' THEN 'erased' ELSE state END, salt = NULL, tag = NULL,"
    " answer = NULL WHERE id IN ({} AND salt IS NOT NULL AND (state <> 'running' OR made < ?) LIMIT ?)"
)
AT_ONCE = 200
"""Rows that come to their end in one transaction: others wait for it, some milliseconds."""


@dataclass(slots=True)
class Claim:
    """One key as it is being used; `stored` is the answer of an earlier use, `consent` the one that it spent.

    `live` are the keys that this process works on: one that the file calls running and that is not among them was
    left behind by a gateway that broke off. `mine`: this use made the claim.
    """

    id: bytes
    made: int
    exchange: str
    content: bytes
    wrap: AESGCM
    live: set[bytes]
    doubt: Callable[[], None]
    """Raises the Problem for a key that nothing is known of, when that proves nothing."""
    until: int | None = None
    """When what is kept for the key has to be gone (Unix seconds), where the service says so."""
    earlier: bytes = b""
    """The id that this claim has where an earlier version made it."""
    mine: bool = False
    stored: Response | None = None
    consent: str = ""

    def take(self, db: sqlite3.Connection) -> None:
        """Claim the key, or read what became of it. Problems `idempotency-*`, `outcome-unknown`, `answer-erased`."""
        own = self.id
        found = self._found(db)
        if found is None and self.earlier:
            self.id = self.earlier
            found = self._found(db)
        if found is not None and found[0] < self.made - KEPT_SECONDS:
            db.execute("DELETE FROM claim WHERE id = ?", (self.id,))
            found = None
        if found is None:
            self.id = own
            self.doubt()
            salt = os.urandom(32)
            fresh = (self.id, self.made, self.exchange, "running", self._seal(salt), self._tag(salt))
            db.execute("INSERT INTO claim VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)", fresh)
            _limit(db, self.id, self.made, self.until)
            self.mine = True
            self.live.add(self.id)
            return
        self._read(*found[1:])

    def _found(self, db: sqlite3.Connection) -> Any:
        query = "SELECT made, state, salt, tag, answer, consent, until FROM claim LEFT JOIN claim_until USING (id)"
        return db.execute(f"{query} WHERE id = ?", (self.id,)).fetchone()

    def finish(self, db: sqlite3.Connection, answer: Response, consent: str) -> None:
        """Keep the answer, in the transaction that records it."""
        plain = json.dumps([answer.status, dict(answer.headers)]).encode()
        sealed = self._seal(len(plain).to_bytes(4, "big") + plain + answer.body)
        db.execute("UPDATE claim SET state = 'done', answer = ?, consent = ? WHERE id = ?", (sealed, consent, self.id))

    def finish_bare(self, db: sqlite3.Connection) -> None:
        """Keep that the request was carried out, and neither its answer nor anything that tells of its content."""
        db.execute("UPDATE claim SET state = 'erased', salt = NULL, tag = NULL, answer = NULL WHERE id = ?", (self.id,))

    def release(self, db: sqlite3.Connection) -> None:
        """Forget the claim: nothing was done."""
        db.execute("DELETE FROM claim WHERE id = ? AND state = 'running'", (self.id,))

    def lose(self, db: sqlite3.Connection) -> None:
        """Keep the claim as one whose outcome nobody knows."""
        db.execute("UPDATE claim SET state = 'unknown' WHERE id = ? AND state = 'running'", (self.id,))

    def end(self) -> None:
        """This process no longer works on the key."""
        if self.mine:
            self.live.discard(self.id)

    def _read(
        self, state: str, salt: bytes | None, tag: bytes, answer: bytes, consent: str | None, until: int | None
    ) -> None:
        gone = salt is None or (until is not None and until <= self.made)
        if gone and state in {"done", "erased"}:
            raise refuse("answer-erased")
        if not gone and not hmac.compare_digest(self._tag(self._open(salt)), tag):
            raise refuse("idempotency-mismatch")
        if state == "running" and self.id in self.live:
            raise refuse("idempotency-running", retry_after=1)
        if state != "done":
            raise refuse("outcome-unknown")
        plain = self._open(answer)
        size = int.from_bytes(plain[:4], "big")
        status, headers = json.loads(plain[4 : 4 + size])
        self.stored, self.consent = Response(status, headers, plain[4 + size :]), consent or ""

    def _tag(self, salt: bytes) -> bytes:
        return hmac.digest(salt, self.content, "sha256")

    def _seal(self, plain: bytes) -> bytes:
        return _sealed(self.wrap, plain, self.id)

    def _open(self, sealed: bytes | None) -> bytes:
        assert sealed is not None
        return self.wrap.decrypt(sealed[:12], sealed[12:], self.id)


class Claims:
    """Makes claims for one running gateway."""

    def __init__(
        self,
        index_key: bytes,
        body_key: bytes,
        refuse_unsure: Callable[[str, int, int], None],
        *,
        key: bytes,
        keyed: int = 0,
    ) -> None:
        self._index_key, self._wrap, self._refuse_unsure = index_key, AESGCM(body_key), refuse_unsure
        self.key, self._keyed = key, keyed
        self._live: set[bytes] = set()

    @property
    def unsure(self) -> int:
        """Before when a key may have been used by a claim that cannot be handed over (Unix seconds)."""
        return self._keyed + 1 if self._keyed else 0

    def of(self, ask: Ask, now: int, since: int = 0, retain_days: int | None = None) -> Claim | None:
        """The claim that this call makes, or None when it shows no key; Problem `idempotency-key-invalid`.

        `since`: when this gateway began to take the keys of its member (Unix seconds), 0 for always. `retain_days`: for
        how long the service keeps bodies, where it says so.
        """
        key = ask.headers.get(FIELD)
        if key is None:
            return None
        if not _KEY.fullmatch(key):
            raise refuse("idempotency-key-invalid")
        parts = (ask.client, ask.target.service_id, ask.method, ask.target.path, key)
        named = _joined(*(part.encode() for part in parts))
        content = _joined(*(part.encode() for part in _circumstances(ask)), ask.body)

        def doubt() -> None:
            self._refuse_unsure(key, now, since)

        claim = Claim(hmac.digest(self.key, named, "sha256"), now, ask.id, content, self._wrap, self._live, doubt)
        claim.until = None if retain_days is None else now + retain_days * 86_400
        if now <= self._keyed + KEPT_SECONDS:
            claim.earlier = hmac.digest(self._index_key, b"claim" + named, "sha256")
        return claim


def own_key(index_key: bytes) -> bytes:
    """The key by which a gateway finds its claims, until it takes over another one's."""
    return hmac.digest(index_key, b"troad-claims-1", "sha256")


def handed(db: sqlite3.Connection, body_key: bytes, now: int) -> Iterator[list[Any]]:
    """Every claim that is still remembered and found by the claims' own key, opened; none is worked on any more."""
    wrap = AESGCM(body_key)
    (keyed,) = db.execute("SELECT CAST(value AS INTEGER) FROM fact WHERE name = ?", (KEYED,)).fetchone()
    rows = db.execute(
        "SELECT id, made, exchange, CASE state WHEN 'running' THEN 'unknown' ELSE state END, salt, answer, tag,"
        " consent, until FROM claim LEFT JOIN claim_until USING (id) WHERE made >= ? ORDER BY id",
        (max(keyed, now - KEPT_SECONDS),),
    )
    for id_, made, exchange, state, salt, answer, tag, consent, until in rows:
        plain = [None if one is None else wrap.decrypt(one[:12], one[12:], id_) for one in (salt, answer)]
        limit = [] if until is None else [until]
        yield [_text(id_), made, exchange, state, *map(_text, (*plain, tag)), consent, *limit]


def take_over(db: sqlite3.Connection, body_key: bytes, row: list[Any]) -> None:
    """Keep one claim that another gateway handed over; what was erased here stays erased."""
    wrap, (id_, made, exchange, state, salt, answer, tag, consent, *until) = AESGCM(body_key), row
    key = b64decode(id_)
    _limit(db, key, made, until[0] if until else None)
    salt, answer = (None if one is None else _sealed(wrap, b64decode(one), key) for one in (salt, answer))
    db.execute(
        "INSERT INTO claim VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET made = excluded.made,"
        " exchange = excluded.exchange, state = excluded.state, salt = excluded.salt, tag = excluded.tag,"
        " answer = excluded.answer, consent = excluded.consent"
        " WHERE state <> 'erased' OR exchange <> excluded.exchange",
        (key, made, exchange, state, salt, None if tag is None else b64decode(tag), answer, consent),
    )


def knows(db: sqlite3.Connection, exchange: str) -> bool:
    """Whether a key of this exchange is still remembered."""
    return db.execute("SELECT 1 FROM claim WHERE exchange = ?", (exchange,)).fetchone() is not None


def erase(db: sqlite3.Connection, exchange: str) -> None:
    """Erase the answer kept for an exchange; that its key was used is still known."""
    db.execute(
        "UPDATE claim SET state = 'erased', salt = NULL, tag = NULL, answer = NULL WHERE exchange = ?", (exchange,)
    )


def end_kept(db: sqlite3.Connection, now: int, default_days: int) -> int:
    """Erase what is kept for keys of services whose retention is over, `default_days` where a service says nothing.

    Returns of how many, `AT_ONCE` at most. That a key was used stays, and so does that nobody knows what became of it.
    """
    limit, broke_off = now - default_days * 86_400, now - _LONGEST
    said = "SELECT claim.id FROM claim_until JOIN claim USING (id) WHERE until < ?"
    count = db.execute(_END.format(said), (now, broke_off, AT_ONCE)).rowcount
    if default_days * 86_400 < KEPT_SECONDS:
        others = "NOT EXISTS (SELECT 1 FROM claim_until WHERE claim_until.id = claim.id)"
        unsaid = f"SELECT id FROM claim WHERE made < ? AND {others}"  # noqa: S608 - constant
        count += db.execute(_END.format(unsaid), (limit, broke_off, AT_ONCE - count)).rowcount
    return int(count)


def tidy(db: sqlite3.Connection, now: int) -> int:
    """Drop what is known of the retention of keys for which nothing is kept any more; `AT_ONCE` at most."""
    over = (
        "SELECT id FROM claim_until WHERE until < ?"
        " AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.id = claim_until.id AND salt IS NOT NULL) LIMIT ?"
    )
    return db.execute(f"DELETE FROM claim_until WHERE id IN ({over})", (now, AT_ONCE)).rowcount  # noqa: S608 - constant


def forget(db: sqlite3.Connection, now: int) -> int:
    """Drop claims that are older than a key is remembered; `AT_ONCE` at most."""
    old = "SELECT id FROM claim WHERE made < ? LIMIT ?"
    return db.execute(f"DELETE FROM claim WHERE id IN ({old})", (now - KEPT_SECONDS, AT_ONCE)).rowcount  # noqa: S608 - constant


def _limit(db: sqlite3.Connection, id_: bytes, made: int, until: int | None) -> None:
    """Note when what is kept for a key ends, where the service says so; it ends with the key in any case."""
    db.execute("DELETE FROM claim_until WHERE id = ?", (id_,))
    if until is not None:
        db.execute("INSERT INTO claim_until VALUES (?, ?)", (id_, min(until, made + KEPT_SECONDS + 1)))


def _circumstances(ask: Ask) -> tuple[str, ...]:
    headers: Mapping[str, str] = ask.headers
    fields = "" if ask.fields is None else ",".join(ask.fields)
    return (ask.subject or "", ask.query, fields, headers.get("content-type", ""))


def _joined(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def _sealed(wrap: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + wrap.encrypt(nonce, plain, bound)


def _text(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()
