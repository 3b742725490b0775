"""The door of `audit`: note a deed, note a use of personal data, read the notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from smartgov.blocks.audit import domain
from smartgov.blocks.audit.models import Entry, UseRecord
from smartgov.blocks.audit.sequencer import register_sink, sequence, sink_replaced
from smartgov.blocks.audit.words import register_seat_titles, who
from smartgov.blocks.ops.api import Statements
from smartgov.shared import clock, ids
from smartgov.shared.actor import Actor
from smartgov.shared.tw import national_id as nid

__all__ = [
    "Entry",
    "entries",
    "pending_uses",
    "record",
    "register_seat_titles",
    "register_sink",
    "sequence",
    "sink_replaced",
    "use_record",
    "who",
]


def record(
    *, actor: Actor, action: str, object_type: str, object_id: str, detail: Mapping[str, Any] | None = None
) -> str:
    """Note that `actor` did `action` (`case.approved`) to an object, in the caller's transaction.

    Returns the entry's id. `detail` holds ids and codes of ours, never personal data.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an audit entry belongs into the transaction of the deed")
    domain.refuse_personal(detail or {})
    name = ids.uuid7()
    _entries.insert(
        {
            "id": name,
            "at": clock.now(),
            "kind": actor.kind,
            "subject": actor.subject or "",
            "seat": actor.seat or "",
            "system": actor.system or "",
            "agency": actor.agency or "",
            "acting_for": actor.acting_for or "",
            "assurance": actor.assurance,
            "action": action,
            "object_type": object_type,
            "object_id": object_id,
            "detail": dict(detail or {}),
        }
    )
    return name


_entries = Statements(Entry)


def use_record(
    *,
    actor: Actor,
    agency: str,
    national_id: str,
    fields: Sequence[str],
    purpose: str,
    basis: str | None,
    case: str | None,
    request: str | None = None,
) -> str:
    """Note that `actor` read `fields` of a person here; a second after the commit it is in the ledger of `agency`."""
    if not connection.in_atomic_block:
        raise RuntimeError("a use record belongs into the transaction of the reading")
    if not nid.is_valid(national_id):
        raise ValueError("a use record needs the valid id of the person concerned")
    row = UseRecord.objects.create(
        agency=agency,
        national_id=national_id,
        actor=domain.used_by(actor),
        fields=list(fields),
        purpose=purpose,
        basis=basis or "",
        case=case or "",
        request=request or "",
        used_at=clock.now(),
    )
    return row.id


def entries(
    agency: str,
    *,
    action: str = "",
    object_id: str = "",
    seat: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 200,
) -> list[Entry]:
    """The newest entries of an agency that match every given filter."""
    found = Entry.objects.filter(agency=agency)
    exact = {"object_id": object_id, "seat": seat}
    found = found.filter(**{key: value for key, value in exact.items() if value})
    if action:
        found = found.filter(action__startswith=action)
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until)
    return list(found.order_by("-at", "-id")[:limit])


def pending_uses(agency: str) -> int:
    """How many use records of `agency` still wait for their place in the ledger."""
    return UseRecord.objects.filter(agency=agency, state=UseRecord.PENDING).count()
