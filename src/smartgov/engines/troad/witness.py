"""Witnessing: a gateway co-signs the checkpoints of other members' logs, and asks theirs to co-sign its own.

A witness keeps, for each log, the last head it signed. It signs a new one only after a proof that the log still begins
with that head, and after the new head is on its disk. Form of the request: C2SP tlog-witness, over mutual TLS.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from smartgov.engines.httpd import Request, Response
from smartgov.engines.ledger import Checkpoint, checkpoint, cosign, merkle
from smartgov.engines.troad import epochs
from smartgov.engines.troad.names import epoch_of, is_number
from smartgov.engines.troad.snapshot import Gateway
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

log = structlog.get_logger()
PATH = "/witness/v1/add-checkpoint"
LAST = "/witness/v1/last"
SIZE_TYPE = "text/x.tlog.size"
KEY_FIELD = "troad-log-key"
"""On the answer to `LAST`: the key (base64) that signed the head, for a log whose key has changed since."""
_KEY_FACT = "witnessed-key:"
TIMEOUT = 3.0
_MOST_PROOF = 63  # hashes; a tree of 2^63 leaves needs no more


@dataclass(frozen=True, slots=True)
class Asked:
    """A read request: the size that the log believes we know, the proof from there, and the new head."""

    old: int
    proof: list[bytes]
    note: str


@dataclass(frozen=True, slots=True)
class Known:
    """The log is known up to another size than the request says."""

    size: int


class Fork:
    """The log shows another history than before."""


class WitnessDoor:
    """The witness's side, on the gateway's outward door; only registered gateways reach it."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def handle(self, request: Request) -> Response:
        """Co-sign, or say which head was co-signed last."""
        try:
            peer = self._peer(request)
            if (request.method, request.path) == ("POST", PATH):
                self._core.restoring.refuse_unready()
                return await self._add(request)
            if (request.method, request.path) == ("GET", LAST):
                return self._last(request.args().get("of", peer.id))
        except Problem as problem:
            return Response.problem(problem, "en")
        return Response(404)

    def _peer(self, request: Request) -> Gateway:
        return self._core.known.of(request.peer_cert)

    async def _add(self, request: Request) -> Response:
        asked = _read(request.body)
        if asked is None:
            return Response(400)
        origin = checkpoint.parse(asked.note).origin
        gateways = self._core.configuration.current().gateways.values()
        owner = next((one for one in gateways if one.log_origin == epoch_of(origin)[0]), None)
        if owner is None:
            return Response(404)
        try:
            head = checkpoint.verify(asked.note, owner.log_key, origin)
        except Problem:
            return Response(403)
        key = owner.log_key.public_bytes_raw()
        outcome = await self._core.store.apply(lambda db: advance(db, asked, head, key))
        if isinstance(outcome, Known):
            return Response(409, {"content-type": SIZE_TYPE}, f"{outcome.size}\n".encode())
        if outcome is Fork:
            # Somebody shows two histories under one name: that is what witnesses are for.
            self._core.alarms.set(f"log-forked:{origin}", f"size {head.size}")
            return Response(422)
        self._tell_of_epoch(head)
        now = int(self._core.now().timestamp())
        line = cosign.cosign(asked.note, self._core.home.gateway, self._core.home.witness_key(), now)
        return Response(200, {"content-type": "text/plain; charset=utf-8"}, line.encode())

    def _tell_of_epoch(self, head: Checkpoint) -> None:
        if opened := epochs.of_head(head):
            last = opened[-1]
            told = f"epoch {last.number} after {last.size} records of {last.origin}, restored {last.restored}"
            name = "log-rekeyed" if last in epochs.rekeyed(head) else "log-restored"
            self._core.alarms.set(f"{name}:{head.origin}", told)

    def _last(self, gateway: str) -> Response:
        """The newest head that this witness co-signed for a gateway, of whichever epoch."""
        with self._core.store.reading() as (db, _):
            rows = db.execute("SELECT origin, note FROM witnessed").fetchall()
            known = [(epoch_of(origin)[1], origin, note) for origin, note in rows if epoch_of(origin)[0] == gateway]
            if not known:
                return Response(204)
            _, origin, note = max(known)
            key = _key(db, origin)
        told = {KEY_FIELD: base64.b64encode(key).decode()} if key else {}
        return Response(200, {"content-type": "text/plain; charset=utf-8", **told}, note.encode())


def advance(db: sqlite3.Connection, asked: Asked, head: Checkpoint, key: bytes) -> Known | type[Fork] | None:
    """None when the head continues what was known and is now kept; else what is known, or that it is a fork.

    `key` is the one that signed the head: an epoch that began under it names the one before.
    """
    known = _known(db, head, key)
    if known is Fork:
        return Fork
    assert isinstance(known, tuple)
    size, root = known
    if asked.old != size or head.size < size:
        return Known(size)
    if not continues(size, root, head, asked.proof):
        return Fork
    db.execute("INSERT OR REPLACE INTO witnessed VALUES (?, ?, ?, ?)", (head.origin, head.size, head.root, asked.note))
    fact = (f"{_KEY_FACT}{head.origin}", base64.b64encode(key).decode())
    db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", fact)
    return None


def _key(db: sqlite3.Connection, origin: str) -> bytes:
    """The key that signed the head which is known of a log; nothing where it was not kept yet."""
    row = db.execute("SELECT value FROM fact WHERE name = ?", (f"{_KEY_FACT}{origin}",)).fetchone()
    return base64.b64decode(row[0]) if row else b""


def _known(db: sqlite3.Connection, head: Checkpoint, key: bytes) -> tuple[int, bytes] | type[Fork]:
    """Size and root from which `head` has to lead on: those known of its epoch, or what it kept of an earlier one.

    An epoch that is over gets no more heads, and one that conceals a head known here is another history; so is a head
    of a known epoch that tells otherwise of those before it, or is by another key.
    """
    gateway, number = epoch_of(head.origin)
    rows = db.execute("SELECT origin, note FROM witnessed").fetchall()
    seen = [checkpoint.parse(str(note)) for origin, note in rows if epoch_of(str(origin))[0] == gateway]
    newest = max(seen, key=lambda one: epoch_of(one.origin)[1], default=None)
    if newest is None:
        return 0, merkle.EMPTY_ROOT
    before = _key(db, newest.origin)
    if newest.origin == head.origin:
        same = epochs.told_by(newest) == epochs.told_by(head) and before in {b"", key}
        return (newest.size, newest.root) if same else Fork
    opened = epochs.of_head(head)
    if epoch_of(newest.origin)[1] > number or not epochs.admits(opened, newest):
        return Fork
    if before and epochs.key_of(head, epoch_of(newest.origin)[1], key) != before:
        return Fork
    kept = epochs.kept_until(opened, epoch_of(newest.origin)[1])
    return (newest.size, newest.root) if kept is not None and newest.size <= kept else (0, merkle.EMPTY_ROOT)


def continues(size: int, root: bytes, head: Checkpoint, proof: Sequence[bytes]) -> bool:
    """Whether the log of `head` begins with the tree of this size and root."""
    if size == 0:
        return not proof
    return merkle.verify_consistency(old=size, new=head.size, old_root=root, new_root=head.root, proof=proof)


def _read(body: bytes) -> Asked | None:
    try:
        top, _, note = body.decode().partition("\n\n")
        first, *lines = top.split("\n")
        word, _, size = first.partition(" ")
        if word != "old" or not is_number(size) or len(lines) > _MOST_PROOF:
            return None
        proof = [base64.b64decode(line, validate=True) for line in lines]
        epochs.of_head(checkpoint.parse(note))
    except (ValueError, Problem):
        return None
    return Asked(int(size), proof, note)


def write(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body of a request to a witness."""
    lines = [f"old {old}", *(base64.b64encode(part).decode() for part in proof)]
    return ("\n".join(lines) + "\n\n" + note).encode()
