"""Seals in batches: an agency's documents, sealed one after the other by the worker, through the agency's gateway."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db import models, transaction
from django.db.models import Count, Q
from django.http import Http404

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.signing import domain
from smartgov.blocks.signing.domain import BatchState, BatchView, ItemView
from smartgov.blocks.signing.models import Batch, BatchItem
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem

logger = structlog.get_logger()
LEASE = timedelta(minutes=2)
AT_ONCE = 20
"""Documents that one round of the worker seals, so that other work is not held up."""


@transaction.atomic
def begin_batch(*, actor: Actor, name: str, reason: str, files: Sequence[tuple[str, bytes]]) -> str:
    """Hand in documents to be sealed by the officer's agency; returns the batch's id. Problems `batch-size`, sizes."""
    agency = _agency(actor)
    if not 1 <= len(files) <= domain.MOST_IN_BATCH:
        raise domain.BATCH_WRONG
    if any(len(content) > domain.LARGEST_FILE for _, content in files):
        raise domain.FILE_TOO_LARGE
    batch = Batch.objects.create(agency=agency, name=name[:100], reason=reason[:100], begun_by=actor.seat or "")
    for number, (title, content) in enumerate(files, start=1):
        BatchItem.objects.create(
            batch=batch, number=number, name=title[:200], content=base64.b64encode(content).decode()
        )
    _note(actor, "batch_seal.begun", batch.id)
    return batch.id


def batches(*, actor: Actor) -> list[BatchView]:
    """The agency's batches, newest first."""
    return [_view(row) for row in _counted().filter(agency=_agency(actor)).order_by("-id")[:100]]


def batch(*, actor: Actor, batch_id: str) -> tuple[BatchView, list[ItemView]]:
    """One batch of the agency with its documents; Http404 otherwise."""
    row = _mine(actor, batch_id)
    items = BatchItem.objects.filter(batch=row).order_by("number")
    return _view(row), [ItemView(one.number, one.name, one.state, one.problem) for one in items]


@transaction.atomic
def stop_batch(*, actor: Actor, batch_id: str) -> None:
    """Stop after the document at hand."""
    row = _mine(actor, batch_id)
    if Batch.objects.filter(id=row.id, state=BatchState.RUNNING).update(state=BatchState.STOPPED):
        _note(actor, "batch_seal.stopped", row.id)


@transaction.atomic
def resume_batch(*, actor: Actor, batch_id: str) -> None:
    """Go on, failed documents too."""
    row = _mine(actor, batch_id)
    again = BatchItem.objects.filter(batch=row, state=BatchItem.FAILED)
    again.update(state=BatchItem.PENDING, problem="", leased_until=None)
    if BatchItem.objects.filter(batch=row, state=BatchItem.PENDING).exists():
        Batch.objects.filter(id=row.id).update(state=BatchState.RUNNING)
        _note(actor, "batch_seal.resumed", row.id)


def sealed_document(*, actor: Actor, batch_id: str, number: int) -> tuple[str, bytes]:
    """Name and bytes of a sealed document; Http404 before."""
    row = BatchItem.objects.filter(batch=_mine(actor, batch_id), number=number, state=BatchItem.SEALED).first()
    if row is None:
        raise Http404
    beside = "" if domain.is_pdf(base64.b64decode(row.content)) else ".p7s"
    return row.name + beside, base64.b64decode(row.sealed)


def seal_next() -> int:
    """The worker's round: seal what waits, at most twenty documents; returns how many."""
    done = 0
    for _ in range(AT_ONCE):
        item = _take()
        if item is None:
            break
        _seal(item)
        done += 1
    return done


def _take() -> BatchItem | None:
    """The next document of a running batch; of two workers only one gets it, and a killed one's comes back."""
    now = clock.now()
    free = BatchItem.objects.filter(
        Q(leased_until__isnull=True) | Q(leased_until__lt=now),
        state=BatchItem.PENDING,
        batch__state=BatchState.RUNNING,
    )
    for item in free.select_related("batch").order_by("id")[:3]:
        if free.filter(id=item.id).update(leased_until=now + LEASE):
            return item
    return None


def _seal(item: BatchItem) -> None:
    found = BatchItem.objects.filter(id=item.id, state=BatchItem.PENDING)
    try:
        content = base64.b64decode(item.content)
        sealed = exchange.seal_document(agency=item.batch.agency, content=content, reason=item.batch.reason)
    except Problem as problem:
        if problem.status >= 500:  # the gateway or the stamps are away: stop, so that an officer resumes later
            found.update(leased_until=None)
            Batch.objects.filter(id=item.batch_id, state=BatchState.RUNNING).update(state=BatchState.STOPPED)
            logger.warning("batch_stopped", batch=item.batch_id, problem=problem.slug)
            return
        found.update(state=BatchItem.FAILED, problem=problem.slug)
    else:
        found.update(state=BatchItem.SEALED, sealed=base64.b64encode(sealed).decode())
    rest = BatchItem.objects.filter(batch=item.batch_id, state=BatchItem.PENDING)
    if not rest.exists():
        Batch.objects.filter(id=item.batch_id, state=BatchState.RUNNING).update(state=BatchState.DONE)


def _counted() -> models.QuerySet[Batch]:
    return Batch.objects.annotate(
        total=Count("items"),
        sealed=Count("items", filter=Q(items__state=BatchItem.SEALED)),
        failed=Count("items", filter=Q(items__state=BatchItem.FAILED)),
    )


def _mine(actor: Actor, batch_id: str) -> Batch:
    row = _counted().filter(id=batch_id, agency=_agency(actor)).first()
    if row is None:
        raise Http404
    return row


def _agency(actor: Actor) -> str:
    if actor.kind != "officer" or not actor.agency:
        raise Http404
    return actor.agency


def _view(row: Batch) -> BatchView:
    counted = {name: int(getattr(row, name)) for name in ("sealed", "failed", "total")}
    return BatchView(
        row.id, row.name, BatchState(row.state), counted["sealed"], counted["failed"], counted["total"], row.begun_at
    )


def _note(actor: Actor, action: str, batch_id: str) -> None:
    audit.record(actor=actor, action=action, object_type="batch_seal", object_id=batch_id)
