"""The built-in service `trail/records`: a person's own entries in this gateway's log, each with its proofs.

Opened by her token only: signed by a registered issuer for this member, 60 seconds, one use, carried by the gateway it
names, with her id encrypted to this gateway.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from smartgov.engines.httpd import Response
from smartgov.engines.ledger import Log, checkpoint
from smartgov.engines.pki import keys
from smartgov.engines.troad import artefacts, records
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.rights import Ask
from smartgov.engines.troad.snapshot import Gateway, Snapshot
from smartgov.engines.troad.store import Evidence

LIMIT = 1000
"""The newest entries that one answer lists."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A shown token, the gateway that carried it, and the configuration to judge it by."""

    token: str
    sender: Gateway
    snapshot: Snapshot


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
    entry = core.entry(record, ask.id)
    entry.spend = ("token", token.jti, token.expires)
    if evidence is not None:
        entry.record = records.with_proof(record, evidence.fields, evidence.kept[2])
        entry.body, entry.nonce = evidence.kept, evidence.nonce
    (place,) = await core.store.commit([entry])
    note = await core.heads.publish(at_least=place.size)
    content = await asyncio.to_thread(_collect, core, subject, note, _old_size(ask.query))
    response = Response.json(content)
    if evidence is not None:
        response.headers["troad-log"] = records.promise(core.store.origin, place, core.now())
    return response


def _collect(core: Core, subject: str, note: str, old: int) -> dict[str, Any]:
    size = checkpoint.parse(note).size
    with core.store.reading() as (db, log):
        indexes = core.store.visible(db, subject, size, LIMIT)
        return {
            "origin": log.origin,
            "checkpoint": note,
            "log_key": keys.public_jwk(core.home.log_key().public_key()),
            "consistency": [part.hex() for part in log.consistency(old, size)] if 0 < old <= size else [],
            "entries": [_proven(log, index, size) for index in indexes],
        }


def _proven(log: Log, index: int, size: int) -> dict[str, Any]:
    try:
        record = log.record(index)
    except KeyError:
        record = b""  # somebody removed it: it is listed and cannot be proven
    proof = [part.hex() for part in log.inclusion(index, size)]
    return {"index": index, "record": base64.b64encode(record).decode(), "proof": proof}


def _old_size(query: str) -> int:
    text = parse_qs(query).get("have", ["0"])[-1]
    return int(text) if text.isdigit() else 0
