"""A gateway's log record as a line that a person can read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime

from smartgov.blocks.mydata.domain import TrailEntry
from smartgov.shared import clock

# Kinds of records that tell of a use of data; answers and the like only repeat their request.
USES = frozenset({"request", "local-read", "refusal"})


def is_use(record: Mapping[str, Any]) -> bool:
    """Whether a record belongs on the page: somebody asked for, read, or was refused the person's data."""
    return record.get("kind") in USES


def exchange_of(record: Mapping[str, Any]) -> str:
    """The id by which two gateways' records of one exchange are known to be about the same; empty for local reads."""
    return str(record.get("id") or "") if record.get("kind") == "request" else ""


def entry(record: Mapping[str, Any]) -> TrailEntry:
    """The members of a record (listed in engines/troad/records.py) as a TrailEntry; absent ones are empty."""
    client = str(record.get("client") or "").split("/")
    service = str(record.get("service") or "").split("/")
    basis = record.get("basis") or {}
    return TrailEntry(
        time=parse_datetime(str(record.get("time") or "")) or clock.now(),
        kind=str(record.get("kind")),
        agency=client[2] if len(client) > 2 else "",
        system="/".join(client[3:]),
        seat=str(record.get("user") or ""),
        purpose=str(record.get("purpose") or ""),
        basis=str(basis.get("code") or basis.get("kind") or ""),
        consent=str(basis.get("jti") or basis.get("id") or "yes") if basis.get("kind") == "consent" else "",
        fields=tuple(str(name) for name in record.get("fields") or ()),
        source=service[2] if len(service) > 2 else "",
        service="/".join(service),
        path=f"{record.get('method', '')} {record.get('path', '')}".strip(),
        case=str(record.get("issue") or ""),
        exchange=str(record.get("id") or ""),
        recorded_by=(),
        proven=False,
        seal=str(record.get("seal") or ""),
        masked=bool(record.get("veil")),
    )
