"""What a gateway writes into its ledger. No name, id or address of a person: persons only as a keyed pseudonym.

Members: kind, side, time, id (the exchange), client, service, method, path, gateway (the other side's), user (seat),
issue (case), purpose, basis, fields, subject (HMAC), and for signed messages body (commitment), base (SHA-256 of the
signature base), input and signature, so that a record proves its message as long as body and salt are kept.
"""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson

from smartgov.engines.pki import keys
from smartgov.engines.troad import reference
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.rights import Ask, Grant
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.store import Place

PROMISED_SECONDS = 10
"""A record is under a published checkpoint within so many seconds of the answer that names it."""
ID = re.compile(r"[A-Za-z0-9._:-]{8,128}")
_NOTE_MEMBERS = {"kind", "subject", "actor", "fields", "purpose", "basis", "case", "request", "time"}


def is_id(text: str) -> bool:
    """Whether this may be an exchange's id in the log: of the right form, and no person's."""
    return ID.fullmatch(text) is not None and _is_safe(text)


def pseudonym(key: bytes, person: str) -> str:
    """The name under which this gateway, and only this one, knows a person: HMAC-SHA-256 in hex."""
    return keys.mac(key, person.encode()).hex()


def moment(now: datetime) -> str:
    """A time as it stands in records: UTC, milliseconds."""
    at = now if now.tzinfo is UTC else now.astimezone(UTC)
    return f"{at.isoformat(timespec='milliseconds')[:-6]}Z"


def parsed(exact: bytes) -> dict[str, Any]:
    """A record of the log; empty where it was altered into something that is none."""
    try:
        record = orjson.loads(exact)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def logged(record: Mapping[str, Any]) -> str:
    """When a record was written, as `moment` gives it; what a system hands in has a time of its own besides."""
    return str(record.get("logged") or record.get("time", ""))


def first_after(db: sqlite3.Connection, moment: str) -> int:
    """The index of the first record of the log that is not before this time; records stand in the order of theirs."""
    low, high = 0, int(db.execute("SELECT coalesce(max(idx), -1) FROM ledger_record").fetchone()[0]) + 1
    while low < high:
        middle = (low + high) // 2
        at, written = _written(db, middle, high)
        if written and written < moment:
            low = at + 1
        else:
            high = middle
    return low


def _written(db: sqlite3.Connection, low: int, high: int) -> tuple[int, str]:
    """Index and time of the first record from `low` on that is there and can be read."""
    query = "SELECT idx, record FROM ledger_record WHERE idx >= ? AND idx < ? ORDER BY idx"
    for index, exact in db.execute(query, (low, high)):
        if written := logged(parsed(exact)):
            return index, written
    return high, ""


def request_record(
    side: str, ask: Ask, grant: Grant | None, now: datetime, *, gateway: str, subject: str | None
) -> dict[str, Any]:
    """The record of a question, before it is passed on."""
    basis = _claimed_basis(ask) if grant is None else grant.basis
    fields = ask.fields if grant is None else grant.fields
    target = ask.target
    record: dict[str, Any] = {
        "kind": "request",
        "side": side,
        "time": moment(now),
        "id": ask.id,
        "client": ask.client,
        "service": target.service_id,
        "method": ask.method,
        "path": target.path,
        "gateway": gateway,
    }
    for name, value in (("user", ask.user), ("issue", ask.issue), ("purpose", ask.purpose)):
        if value:
            record[name] = unquote(value)
    if basis is not None:
        record["basis"] = basis
    if fields is not None:
        record["fields"] = list(fields)
    if subject:
        record["subject"] = subject
    return record


def answer_record(
    side: str, ask: Ask, now: datetime, *, gateway: str, status: int, asked: int | None = None
) -> dict[str, Any]:
    """The record of an answer, before it is given. `asked`: when its question was signed (Unix seconds)."""
    record: dict[str, Any] = {
        "kind": "answer",
        "side": side,
        "time": moment(now),
        "id": ask.id,
        "client": ask.client,
        "service": ask.target.service_id,
        "status": status,
    }
    if gateway:
        record["gateway"] = gateway
    if asked is not None:
        record["asked"] = asked
    return record


def refusal_record(
    side: str, problem: Problem, now: datetime, *, claimed: Mapping[str, str], gateway: str = "", subject: str | None
) -> dict[str, Any]:
    """The record of a no. `claimed` values are not trusted yet: what has a wrong form or names a person is left out."""
    safe = {name: value for name, value in claimed.items() if value and _is_safe(value)}
    return _bare(
        kind="refusal", side=side, time=moment(now), reason=problem.slug, gateway=gateway, subject=subject, **safe
    )


def with_proof(record: dict[str, Any], fields: Mapping[str, str], digest: bytes) -> dict[str, Any]:
    """Put what proves its message into a record, and return it; a signature that its commit will make comes there.

    `digest` is the SHA-256 of the signature base.
    """
    record["body"] = fields["troad-body"]
    record["base"] = digest.hex()
    record["input"] = fields["signature-input"]
    record["signature"] = fields.get("signature", "")
    return record


def promise(origin: str, place: Place, now: float) -> str:
    """The value of `TRoad-Log`: where the question is recorded, and by when that is under a published checkpoint."""
    by = int(now) + PROMISED_SECONDS
    return f'"{origin}";index={place.index};leaf=:{base64.b64encode(place.leaf).decode()}:;by={by}'


def note_record(entry: Any, *, client: str, subject: str | None, now: datetime) -> dict[str, Any]:
    """A record that an information system hands in: a read of its own data (`local-read`) or a `note`."""
    if (
        not isinstance(entry, dict)
        or not set(entry) <= _NOTE_MEMBERS
        or entry.get("kind") not in ("local-read", "note")  # a set would need a hash, and a list has none
    ):
        raise refuse("record-invalid")
    fields = entry.get("fields")
    if fields is not None and not (isinstance(fields, list) and all(isinstance(name, str) for name in fields)):
        raise refuse("record-invalid")
    for name in ("actor", "purpose", "case", "request", "time"):
        if not isinstance(entry.get(name, ""), str | None):
            raise refuse("record-invalid")
    return _bare(
        kind=entry["kind"],
        side="own",
        time=entry.get("time") or moment(now),
        logged=moment(now),
        client=client,
        user=entry.get("actor"),
        purpose=entry.get("purpose"),
        basis=_note_basis(entry.get("basis")),
        issue=entry.get("case"),
        request=entry.get("request"),
        fields=fields,
        subject=subject,
    )


def _note_basis(basis: Any) -> dict[str, str] | None:
    if basis is None or (isinstance(basis, dict) and all(isinstance(part, str) for part in basis.values())):
        return basis or None
    if isinstance(basis, str):
        return {"kind": "statute", "code": basis} if basis else None
    raise refuse("record-invalid")


def _claimed_basis(ask: Ask) -> dict[str, str] | None:
    if ask.consent:
        return {"kind": "consent"}
    return {"kind": "statute", "code": ask.basis} if ask.basis else None


def _is_safe(value: str) -> bool:
    try:
        reference.refuse_clear(b"", (value,))
    except Problem:
        return False
    return len(value) <= 300 and value.isprintable()


def _bare(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, "")}
