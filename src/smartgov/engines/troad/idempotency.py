"""A call under an idempotency key is carried out at most once: the provider's gateway keeps a claim on each key.

A claim is made in the transaction that records the request, before the service is asked, and finished in the one that
records the answer. It binds client, service, method, path and key; the rest of the request (person, query, fields and
body) by an HMAC under a salt of its own, which is erased with the claim's answer, so that nobody can guess at it later.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartgov.engines.httpd import Response
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.rights import Ask

FIELD = "idempotency-key"
KEPT_SECONDS = 7 * 86400
"""How long a key is remembered; after that the same key is a new request."""
_KEY = re.compile(r"[ -~]{1,200}")
SCHEMA = """
CREATE TABLE IF NOT EXISTS claim (
    id BLOB PRIMARY KEY, made INTEGER NOT NULL, exchange TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'unknown', 'erased')),
    salt BLOB, tag BLOB, answer BLOB, consent TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claim_exchange ON claim (exchange);
"""


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
    mine: bool = False
    stored: Response | None = None
    consent: str = ""

    def take(self, db: sqlite3.Connection) -> None:
        """Claim the key, or read what became of it. Problems `idempotency-*`, `outcome-unknown`, `answer-erased`."""
        row = db.execute("SELECT made, state, salt, tag, answer, consent FROM claim WHERE id = ?", (self.id,))
        found = row.fetchone()
        if found is not None and found[0] < self.made - KEPT_SECONDS:
            db.execute("DELETE FROM claim WHERE id = ?", (self.id,))
            found = None
        if found is None:
            self.doubt()
            salt = os.urandom(32)
            fresh = (self.id, self.made, self.exchange, "running", self._seal(salt), self._tag(salt))
            db.execute("INSERT INTO claim VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)", fresh)
            self.mine = True
            self.live.add(self.id)
            return
        self._read(*found[1:])

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

    def _read(self, state: str, salt: bytes, tag: bytes, answer: bytes, consent: str | None) -> None:
        if state == "erased":
            raise refuse("answer-erased")
        if not hmac.compare_digest(self._tag(self._open(salt)), tag):
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
        nonce = os.urandom(12)
        return nonce + self.wrap.encrypt(nonce, plain, self.id)

    def _open(self, sealed: bytes) -> bytes:
        return self.wrap.decrypt(sealed[:12], sealed[12:], self.id)


class Claims:
    """Makes claims for one running gateway."""

    def __init__(self, index_key: bytes, body_key: bytes, refuse_unsure: Callable[[str, int, int], None]) -> None:
        self._index_key, self._wrap, self._refuse_unsure = index_key, AESGCM(body_key), refuse_unsure
        self._live: set[bytes] = set()

    def of(self, ask: Ask, now: int, since: int = 0) -> Claim | None:
        """The claim that this call makes, or None when it shows no key; Problem `idempotency-key-invalid`.

        `since`: when this gateway began to take the keys of its member (Unix seconds), 0 for always.
        """
        key = ask.headers.get(FIELD)
        if key is None:
            return None
        if not _KEY.fullmatch(key):
            raise refuse("idempotency-key-invalid")
        named = (ask.client, ask.target.service_id, ask.method, ask.target.path, key)
        id_ = hmac.digest(self._index_key, b"claim" + _joined(*(part.encode() for part in named)), "sha256")
        content = _joined(*(part.encode() for part in _circumstances(ask)), ask.body)
        return Claim(id_, now, ask.id, content, self._wrap, self._live, lambda: self._refuse_unsure(key, now, since))


def erase(db: sqlite3.Connection, exchange: str) -> None:
    """Erase the answer kept for an exchange; that its key was used is still known."""
    db.execute(
        "UPDATE claim SET state = 'erased', salt = NULL, tag = NULL, answer = NULL WHERE exchange = ?", (exchange,)
    )


def forget(db: sqlite3.Connection, now: int) -> None:
    """Drop claims that are older than a key is remembered."""
    db.execute("DELETE FROM claim WHERE made < ?", (now - KEPT_SECONDS,))


def _circumstances(ask: Ask) -> tuple[str, ...]:
    headers: Mapping[str, str] = ask.headers
    fields = "" if ask.fields is None else ",".join(ask.fields)
    return (ask.subject or "", ask.query, fields, headers.get("content-type", ""))


def _joined(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)
