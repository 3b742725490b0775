"""Reading verbs of `payments`. What leaves here shows accounts masked, except to those who must compare them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404

from smartgov.blocks.payments import refusals
from smartgov.blocks.payments.domain import BATCH_TITLES, RELEASED, TITLES, VOIDED, BatchState, State, reason_text
from smartgov.blocks.payments.models import Batch, Instruction
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text
from smartgov.shared.tw import accounts


@dataclass(frozen=True, slots=True)
class InstructionView:
    """One payment as officers see it; `account` is whole only where it must be compared."""

    id: str
    case: str
    reference: str
    payee_name: str
    bank_code: str
    account: str
    amount: int
    purpose: str
    state: State
    title: Text
    reason: Text | None
    batch: str
    changed_at: datetime
    may_change: bool
    """Whether it may be corrected or given up: not once the bank may have it."""


@dataclass(frozen=True, slots=True)
class BatchView:
    """One batch with what each person did to it."""

    id: str
    state: BatchState
    title: Text
    digest: str
    count: int
    total: int
    prepared_by: str
    prepared_at: datetime
    released_by: str
    released_at: datetime | None
    sent_at: datetime | None
    settled_at: datetime | None
    void_reason: Text | None
    problem: Text | None
    lines: tuple[InstructionView, ...]


def instructions(*, agency: str, case: str | None = None) -> list[InstructionView]:
    """The agency's payments, newest first; of one case if given. Accounts are masked."""
    found = Instruction.objects.filter(agency=agency).select_related("batch").order_by("-created_at")
    return [_view(row, whole=False) for row in (found.filter(case=case) if case else found[:500])]


def instruction(*, actor: Actor, instruction: str) -> InstructionView:
    """One payment of the actor's agency with its whole account; Http404 otherwise."""
    row = Instruction.objects.filter(id=instruction, agency=actor.agency or "").select_related("batch").first()
    if row is None:
        raise Http404
    return _view(row, whole=True)


def batches(*, agency: str) -> list[BatchView]:
    """The agency's batches, newest first, without their lines."""
    return [_batch(row, ()) for row in Batch.objects.filter(agency=agency).order_by("-prepared_at")[:200]]


def batch(*, actor: Actor, batch: str) -> BatchView:
    """One batch of the actor's agency with every line and account number, because that is what is released."""
    row = Batch.objects.filter(id=batch, agency=actor.agency or "").first()
    if row is None:
        raise Http404
    return _batch(
        row, tuple(_view(line, whole=True) for line in row.instructions.select_related("batch").order_by("reference"))
    )


def _batch(row: Batch, lines: tuple[InstructionView, ...]) -> BatchView:
    state = BatchState(row.state)
    return BatchView(
        id=row.id,
        state=state,
        title=BATCH_TITLES[state],
        digest=row.digest,
        count=row.count,
        total=row.total,
        prepared_by=row.prepared_by,
        prepared_at=row.prepared_at,
        released_by=row.released_by,
        released_at=row.released_at,
        sent_at=row.sent_at,
        settled_at=row.settled_at,
        void_reason=VOIDED.get(row.void_reason, Text.of(row.void_reason)) if row.void_reason else None,
        problem=refusals.of_the_bank(row.problem) if row.problem else None,
        lines=lines,
    )


def _view(row: Instruction, *, whole: bool) -> InstructionView:
    state = State(row.state)
    released = state == State.BATCHED and row.batch is not None and row.batch.state != BatchState.PREPARED
    return InstructionView(
        id=row.id,
        case=row.case,
        reference=row.reference,
        payee_name=row.payee_name,
        bank_code=row.bank_code,
        account=row.account if whole else accounts.masked(row.account),
        amount=row.amount,
        purpose=row.purpose,
        state=state,
        title=RELEASED if released else TITLES[state],
        reason=reason_text(row.reason) if row.reason else None,
        batch=row.batch_id or "",
        changed_at=row.changed_at,
        may_change=state in (State.READY, State.BATCHED, State.FAILED) and not released,
    )
