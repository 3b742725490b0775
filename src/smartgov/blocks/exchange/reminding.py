"""Reminders of rights and certificates that end soon: one event for each stage that is reached, never two.

Who is told, and in which words, is for the block that sends notices; here stands what ends, and whose it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from smartgov.blocks.exchange.domain import RightState
from smartgov.blocks.exchange.joining import CertificateView, gateway_certificates
from smartgov.blocks.exchange.models import Reminder, Right
from smartgov.blocks.exchange.publishing import PUBLISHER, is_centre
from smartgov.blocks.ops import api as ops
from smartgov.shared import clock, homes

STAGES = (("ended", timedelta(0)), ("week", timedelta(days=7)), ("month", timedelta(days=30)))
"""What is reached when so much time is left, the latest first."""
LATE = timedelta(days=7)
"""So long after its end nobody is told any more that something has ended: it is known, or was meant."""
CENTRE = "portal"


@dataclass(frozen=True, slots=True)
class Ending:
    """What ends: its kind (`right`, `certificate`), id, name for people, when, and who is to be told: agency and right
    to act (a permission).
    """

    kind: str
    id: str
    name: str
    other: str
    ends_at: datetime
    told: tuple[tuple[str, str], ...]


def remind_of_endings() -> None:
    """Emit `ending_near` for every right and certificate that has come to a stage; for the worker."""
    if not is_centre():
        return
    now = clock.now()
    rights = Right.objects.filter(state=RightState.GRANTED, expires_at__lte=now + STAGES[-1][1])
    for row in rights.filter(expires_at__gt=now - LATE):
        assert row.expires_at is not None
        _remind("right", row.id, row.expires_at, _stage(row.expires_at, now))
    for view in gateway_certificates():
        if view.state in {"ending", "ended"}:
            _remind("certificate", view.serial, view.ends_at, view.state)


def ending(kind: str, object_id: str) -> Ending | None:
    """What a reminder is about; None when it has been renewed, ended otherwise or dropped meanwhile."""
    if kind == "certificate":
        found = [view for view in gateway_certificates() if view.serial == object_id and view.state != "revoked"]
        return _of_certificate(found[0]) if found else None
    row = Right.objects.filter(id=object_id, state=RightState.GRANTED).first()
    return _of_right(row) if row is not None else None


def _stage(ends_at: datetime, now: datetime) -> str:
    return next(name for name, left in STAGES if ends_at - now <= left)


@transaction.atomic
def _remind(kind: str, object_id: str, ends_at: datetime, stage: str) -> None:
    # A right that was renewed has another end: its stages begin anew.
    _, first = Reminder.objects.get_or_create(kind=kind, object_id=object_id, ends_at=ends_at, stage=stage)
    if first:
        payload = {"kind": kind, "object": object_id, "stage": stage}
        ops.emit("ending_near", aggregate=object_id, payload=payload, actor=PUBLISHER)


def _of_right(row: Right) -> Ending:
    assert row.expires_at is not None
    client, service = row.client_id, row.service_id
    told = ((_agency(client), "exchange.ask"), (_agency(service), "exchange.review"))
    return Ending("right", row.id, service, client, row.expires_at, told)


def _of_certificate(view: CertificateView) -> Ending:
    told = ((_agency(view.gateway), "exchange.offer"), (CENTRE, "exchange.admit"))
    return Ending("certificate", view.serial, view.gateway, "", view.ends_at, told)


def _agency(name: str) -> str:
    """The agency of a member's system, service or gateway; empty for a member that is none of this country's."""
    agency = name.split("/")[2]
    return agency if name.startswith(f"{homes.member_id(agency)}/") else ""
