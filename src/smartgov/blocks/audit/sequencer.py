"""Moves use records into the ledgers of the agencies' gateways, and erases the person's id once they are there.

A crash between the ledger's commit and ours appends a record twice, never loses one; both carry the same `request`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

import structlog
from django.db import transaction

from smartgov.blocks.audit.domain import Pending
from smartgov.blocks.audit.models import UseRecord
from smartgov.blocks.audit.ports import LedgerSink
from smartgov.shared.problems import Problem

logger = structlog.get_logger()
_sinks: list[LedgerSink] = []


def register_sink(sink: LedgerSink) -> None:
    """Set the sink of this process (`apps.py` does it)."""
    _sinks[:] = [sink]


@contextmanager
def sink_replaced(sink: LedgerSink) -> Iterator[None]:
    """Use `sink` within a block of a test."""
    _sinks.append(sink)
    try:
        yield
    finally:
        _sinks.remove(sink)


def sequence(limit: int = 200) -> int:
    """Push pending use records, oldest first, and count them; an agency whose gateway is down keeps its own waiting."""
    waiting = UseRecord.objects.filter(state=UseRecord.PENDING).order_by("agency", "used_at", "id")[:limit]
    return sum(_push(agency, list(rows)) for agency, rows in groupby(waiting, key=lambda row: row.agency))


def _push(agency: str, rows: Sequence[UseRecord]) -> int:
    try:
        indexes = _sinks[-1].append(agency, [_pending(row).as_record() for row in rows])
    except Problem as problem:
        logger.warning("use_records_delayed", agency=agency, waiting=len(rows), problem=problem.slug)
        # One record that the gateway does not take must not hold back the others.
        refused = 400 <= problem.status < 500 and len(rows) > 1
        return sum(_push(agency, [row]) for row in rows) if refused else 0
    if len(indexes) != len(rows):
        raise RuntimeError("the ledger answered with another number of indexes than records")
    with transaction.atomic():
        for row, index in zip(rows, indexes, strict=True):
            UseRecord.objects.filter(id=row.id).update(state=UseRecord.SEQUENCED, ledger_index=index, national_id="")
    return len(rows)


def _pending(row: UseRecord) -> Pending:
    return Pending(
        id=row.id,
        agency=row.agency,
        national_id=row.national_id,
        actor=row.actor,
        fields=row.fields,
        purpose=row.purpose,
        basis=row.basis,
        case=row.case,
        request=row.request or row.id,
        used_at=row.used_at,
    )
