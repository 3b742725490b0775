"""The built-in service `trail/records`: a person's own entries in this gateway's log, each with its proofs.

Opened by her token only: signed by a registered issuer for this member, 60 seconds, one use, carried by the gateway it
names, with her id encrypted to this gateway.
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from smartgov.engines.httpd import Response
from smartgov.engines.ledger import Log, checkpoint
from smartgov.engines.pki import keys
from smartgov.engines.troad import artefacts, records, visibility
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.names import is_number
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.rights import Ask
from smartgov.engines.troad.snapshot import Gateway, Snapshot
from smartgov.engines.troad.store import Evidence
from smartgov.shared import clock

LIMIT = 1000
"""The newest entries that one answer lists."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A shown token, the gateway that carried it, and the configuration to judge it by."""

    token: str
    sender: Gateway
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Look:
    """Who is looked for (her pseudonym), when (Unix seconds), the seals in force then, and what a mandate excludes."""

    subject: str
    now: int
    seals: frozenset[tuple[str, str]]
    excludes: tuple[str, ...]


async def answer(core: Core, ask: Ask, bearer: Bearer, evidence: Evidence | None) -> Response:
    """The trail answer; the request is recorded and its token spent before anything is looked up.

    `evidence` is that of the received message, None on the way without a wire.
    """
    if (ask.target.service, ask.target.path) != ("trail", "/records") or ask.method != "GET":
        raise refuse("service-unknown")
    sender = bearer.sender
    issuers = bearer.snapshot.token_issuers
    token = artefacts.read_token(bearer.token, issuers, core.reader, sender.message_kid, core.now())
    core.restoring.refuse_void(token.issued)
    subject = core.pseudonym(token.subject)
    assert subject is not None
    record = records.request_record(
        "provider" if evidence else "own", ask, None, core.now(), gateway=sender.id, subject=subject
    )
    record["kind"] = "trail"
    if token.mandate:
        record["mandate"] = token.mandate
    entry = core.entry(record, ask.id)
    entry.spend = ("token", token.jti, token.expires)
    if evidence is not None:
        entry.record = records.with_proof(record, evidence.fields, evidence.digest)
        entry.body, entry.nonce = evidence.kept, evidence.nonce
    (place,) = await core.store.commit([entry])
    note = await core.heads.publish(at_least=place.size)
    seals = visibility.seals_in_force(bearer.snapshot, entry.made)
    look = Look(subject, entry.made, seals, token.excludes)
    content = await asyncio.to_thread(_collect, core, look, note, _old_size(ask.query))
    response = Response.json(content)
    if evidence is not None:
        response.headers["troad-log"] = records.promise(core.store.origin, place, clock.timestamp())
    return response


async def audit(core: Core, subject: str, old: int) -> dict[str, Any]:
    """All records about a person (by her pseudonym), hidden or not, with what masked ones keep to themselves."""
    note = await core.heads.publish()
    return await asyncio.to_thread(_collect_all, core, subject, note, old)


def _collect(core: Core, look: Look, note: str, old: int) -> dict[str, Any]:
    size = checkpoint.parse(note).size
    with core.store.reading() as (db, log):
        shown: list[dict[str, Any]] = []
        for index in visibility.listed(db, look.subject, size, look.now, look.seals):
            record = _exact(log, index)
            if look.excludes and visibility.excluded(records.parsed(record), look.excludes):
                continue
            shown.append(_proven(log, index, size, record))
            if len(shown) == LIMIT:
                break
        return _told(core, log, note, old, shown[::-1])


def _collect_all(core: Core, subject: str, note: str, old: int) -> dict[str, Any]:
    size, found = checkpoint.parse(note).size, list[dict[str, Any]]()
    with core.store.reading() as (db, log):
        for index, shown_from, seal in visibility.everything(db, subject, size):
            entry = _proven(log, index, size, _exact(log, index))
            if shown_from:
                entry |= {"shown_from": shown_from, "seal": seal}
            if (veil := core.store.veil(index)) is not None:
                entry["veil"] = json.loads(veil[1])
            found.append(entry)
        return _told(core, log, note, old, found)


def _told(core: Core, log: Log, note: str, old: int, entries: list[dict[str, Any]]) -> dict[str, Any]:
    size = checkpoint.parse(note).size
    return {
        "origin": log.origin,
        "checkpoint": note,
        "log_key": keys.public_jwk(core.home.log_key().public_key()),
        "consistency": [part.hex() for part in log.consistency(old, size)] if 0 < old <= size else [],
        "entries": entries,
    }


def _exact(log: Log, index: int) -> bytes:
    try:
        return log.record(index)
    except KeyError:
        return b""  # somebody removed it: it is listed and cannot be proven


def _proven(log: Log, index: int, size: int, record: bytes) -> dict[str, Any]:
    proof = [part.hex() for part in log.inclusion(index, size)]
    return {"index": index, "record": base64.b64encode(record).decode(), "proof": proof}


def _old_size(query: str) -> int:
    text = parse_qs(query).get("have", ["0"])[-1]
    return int(text) if is_number(text) else 0
