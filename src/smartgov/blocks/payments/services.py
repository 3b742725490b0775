"""Writing verbs of `payments`."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256

import structlog
from django.db import IntegrityError, transaction
from django.http import Http404

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import api as identity
from smartgov.blocks.ops import api as ops
from smartgov.blocks.payments import bank, domain, refusals
from smartgov.blocks.payments.domain import BatchState, State, Step
from smartgov.blocks.payments.models import BankFile, Batch, Instruction
from smartgov.blocks.payments.ports import Order
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.money import require_ntd
from smartgov.shared.problems import Problem
from smartgov.shared.tw.accounts import is_valid_account

logger = structlog.get_logger()
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@transaction.atomic
def instruct(
    *,
    actor: Actor,
    agency: str,
    case: str,
    payee_name: str,
    bank_code: str,
    account: str,
    amount: int,
    purpose: str,
    idempotency_key: str,
    decided_by: str = "",
) -> str:
    """Order one payment of `amount` NT$; the same key again gives the first instruction's id and orders nothing.

    `decided_by` is the person (not the seat) who decided the case; she may not release the batch. Problem
    `account-invalid` when the account has not the form that banks take, `payment-differs` when the key comes with
    another amount.
    """
    known = Instruction.objects.filter(agency=agency, idempotency_key=idempotency_key).first()
    if known:
        if (known.case, known.amount) != (case, amount):
            raise refusals.PAYMENT_DIFFERS
        return known.id
    _require_account(bank_code, account)
    made = Instruction.objects.create(
        agency=agency,
        case=case,
        idempotency_key=idempotency_key,
        reference=_reference(),
        payee_name=payee_name,
        bank_code=bank_code,
        account=account,
        amount=require_ntd(amount),
        purpose=purpose,
        decided_by=decided_by,
    )
    _audit(actor, "payment.instructed", made.id, amount=amount, case=case)
    return made.id


@transaction.atomic
def correct(*, actor: Actor, instruction: str, payee_name: str, bank_code: str, account: str) -> str:
    """Replace an instruction that is not on its way to the bank, or that failed there, by one to another account.

    A batch that held it becomes void. Returns the new instruction's id. Problem `batch-step-refused` when its batch is
    released: the bank may have it, whatever we heard.
    """
    _require_account(bank_code, account)
    old = _taken_out(actor, instruction, "a payment in it was corrected")
    _move(old, Step.REPLACE)
    new = Instruction.objects.create(
        agency=old.agency,
        case=old.case,
        idempotency_key=f"{old.idempotency_key.partition('>')[0]}>{old.reference}",
        reference=_reference(),
        payee_name=payee_name,
        bank_code=bank_code,
        account=account,
        amount=old.amount,
        purpose=old.purpose,
        replaces=old,
        decided_by=old.decided_by,
        corrected_by=_person(actor),
    )
    _audit(actor, "payment.corrected", new.id, replaces=old.id)
    return new.id


@transaction.atomic
def cancel(*, actor: Actor, instruction: str) -> None:
    """Give up a payment that is not on its way to the bank; a batch that held it becomes void.

    Problem `batch-step-refused` when its batch is released.
    """
    found = _taken_out(actor, instruction, "a payment in it was cancelled")
    _move(found, Step.CANCEL)
    _audit(actor, "payment.cancelled", found.id)


@transaction.atomic
def prepare_batch(*, actor: Actor, agency: str) -> str:
    """Put every ready instruction of the agency into a new batch; Problem `batch-empty` when there is none."""
    _require_agency(actor, agency)
    ready = list(Instruction.objects.select_for_update().filter(agency=agency, state=State.READY).order_by("reference"))
    if not ready:
        raise refusals.BATCH_EMPTY
    batch = Batch(
        agency=agency,
        salt=secrets.token_hex(16),
        count=len(ready),
        total=sum(instruction.amount for instruction in ready),
        prepared_by=actor.seat or "",
        prepared_by_person=_person(actor),
    )
    batch.digest = _digest(batch, ready)
    batch.save(force_insert=True)
    for instruction in ready:
        _move(instruction, Step.BATCH, batch=batch)
    _audit(actor, "batch.prepared", batch.id, digest=batch.digest, total=batch.total)
    return batch.id


def release_batch(*, actor: Actor, batch: str, seen_hash: str) -> None:
    """Release a batch to the bank by the digest that this person saw.

    She must be another person than the preparer, than whoever decided one of its cases, and than whoever corrected one
    of its accounts. Problems: `second-person-needed`, `batch-changed` (the batch is then void).
    """
    if _void_if_changed(actor, batch):
        raise refusals.BATCH_CHANGED
    with transaction.atomic():
        held = _own_batch(actor, batch)
        if held.state != BatchState.PREPARED:
            raise refusals.batch_is(held.state)
        person = _person(actor)
        if person in _who_may_not_release(held):
            raise refusals.SECOND_PERSON
        if not hmac.compare_digest(seen_hash.strip().encode(), held.digest.encode()):
            raise refusals.NOT_THE_HASH_SEEN
        held.state, held.released_by, held.released_by_person = BatchState.RELEASED, actor.seat or "", person
        held.released_at = clock.now()
        held.save(update_fields=("state", "released_by", "released_by_person", "released_at"))
        _audit(actor, "batch.released", held.id, digest=held.digest)
        ops.emit("batch_released", aggregate=held.id, payload={"batch": held.id, "agency": held.agency}, actor=actor)


@transaction.atomic
def void_batch(*, actor: Actor, batch: str, reason: str) -> None:
    """Dissolve a batch that is not released; its payments are ready again."""
    held = _own_batch(actor, batch)
    if held.state != BatchState.PREPARED:
        raise refusals.batch_is(held.state)
    _void(actor, held, reason)


def send_released() -> int:
    """Hand released batches to the bank (periodic; also a listener of `batch_released`); the number handed over."""
    waiting = Batch.objects.filter(state=BatchState.RELEASED).values_list("id", flat=True)
    return sum(_send(batch) for batch in list(waiting))


def poll_results() -> int:
    """Fetch and apply the results of batches at the bank (periodic); the number applied."""
    applied = 0
    for batch in Batch.objects.filter(state=BatchState.SENT):
        robot = Actor.for_system(batch.agency, "payments")
        try:
            content = bank.current().result(batch.id)
            if content is not None:
                apply_result(actor=robot, agency=batch.agency, content=content)
                applied += 1
        except Problem as problem:
            Batch.objects.filter(id=batch.id).update(problem=problem.slug)
            logger.warning("bank_result_refused", batch=batch.id, problem=problem.slug)
    return applied


@transaction.atomic
def apply_result(*, actor: Actor, agency: str, content: bytes) -> str:
    """Apply a result file of the bank, whole or not at all; returns the id of its batch.

    Problems (nothing applied): `bank-file-cut`, `bank-file-twice`, `bank-batch-unknown`, `bank-digest-differs`,
    `bank-reference-unknown`, `bank-reference-absent`, `bank-reference-twice`, `bank-amount-differs`.
    """
    _require_agency(actor, agency)
    digest = sha256(content).hexdigest()
    result = domain.parse_result(content)
    if BankFile.objects.filter(digest=digest).exists():
        raise refusals.FILE_TWICE
    batch = Batch.objects.select_for_update().filter(agency=agency, id=result.batch).first()
    if batch is None or batch.state in (BatchState.PREPARED, BatchState.VOID):
        raise refusals.BATCH_UNKNOWN
    if batch.state == BatchState.SETTLED:
        raise refusals.FILE_TWICE
    lines = {line.reference: line for line in batch.instructions.select_for_update()}
    domain.check_result(result, digest=batch.digest, amounts={ref: line.amount for ref, line in lines.items()})
    for outcome in result.outcomes:
        _settle(actor, lines[outcome.reference], outcome)
    _close(actor, batch, digest, result)
    return batch.id


def _send(batch_id: str) -> int:
    batch = Batch.objects.get(id=batch_id)
    robot = Actor.for_system(batch.agency, "payments")
    lines = list(batch.instructions.order_by("reference"))
    if not hmac.compare_digest(_digest(batch, lines), batch.digest):
        with transaction.atomic():
            held = Batch.objects.select_for_update().get(id=batch_id)
            if held.state == BatchState.RELEASED:
                _void(robot, held, "its lines changed after release")
        return 0
    order = Order(batch.id, batch.agency, batch.digest, tuple(line.line() for line in lines))
    try:
        bank.current().send(order)
    except Problem as problem:
        Batch.objects.filter(id=batch_id).update(problem=problem.slug)
        logger.warning("batch_not_taken", batch=batch_id, problem=problem.slug)
        return 0
    return _mark_sent(robot, batch_id)


@transaction.atomic
def _mark_sent(robot: Actor, batch_id: str) -> int:
    batch = Batch.objects.select_for_update().get(id=batch_id)
    if batch.state != BatchState.RELEASED:
        return 0
    for line in batch.instructions.select_for_update():
        _move(line, Step.SEND)
    batch.state, batch.sent_at, batch.problem = BatchState.SENT, clock.now(), ""
    batch.save(update_fields=("state", "sent_at", "problem"))
    _audit(robot, "batch.sent", batch.id, agency=batch.agency)
    return 1


def _settle(actor: Actor, instruction: Instruction, outcome: domain.Outcome) -> None:
    instruction.reason = outcome.reason[:60]
    _move(instruction, Step.PAID if outcome.paid else Step.REJECTED)
    ops.emit(
        "payment_settled" if outcome.paid else "payment_failed",
        aggregate=instruction.case,
        payload={"instruction": instruction.id, "case": instruction.case, "agency": instruction.agency},
        actor=actor,
    )


def _close(actor: Actor, batch: Batch, digest: str, result: domain.ResultFile) -> None:
    paid = sum(outcome.paid for outcome in result.outcomes)
    try:
        BankFile.objects.create(
            digest=digest,
            agency=batch.agency,
            batch=batch,
            paid=paid,
            failed=len(result.outcomes) - paid,
            applied_by=actor.label,
        )
    except IntegrityError:
        raise refusals.FILE_TWICE from None
    batch.state, batch.settled_at, batch.problem = BatchState.SETTLED, clock.now(), ""
    batch.save(update_fields=("state", "settled_at", "problem"))
    _audit(actor, "batch.result_applied", batch.id, paid=paid, failed=len(result.outcomes) - paid)


@transaction.atomic
def _void_if_changed(actor: Actor, batch_id: str) -> bool:
    batch = _own_batch(actor, batch_id)
    if batch.state != BatchState.PREPARED:
        return False
    if hmac.compare_digest(_digest(batch, list(batch.instructions.all())), batch.digest):
        return False
    _void(actor, batch, "its lines are not those that were prepared")
    return True


def _void(actor: Actor, batch: Batch, reason: str) -> None:
    for line in batch.instructions.select_for_update().filter(state=State.BATCHED):
        _move(line, Step.UNBATCH, batch=None)
    batch.state, batch.void_reason = BatchState.VOID, reason[:200]
    batch.save(update_fields=("state", "void_reason"))
    _audit(actor, "batch.voided", batch.id, reason=reason[:200])


def _move(instruction: Instruction, step: Step, **changes: Batch | None) -> None:
    """One step of the table, guarded in the database against a second one at the same time."""
    before = instruction.state
    instruction.state = domain.next_state(State(before), step)
    instruction.changed_at = clock.now()
    moved = Instruction.objects.filter(id=instruction.id, state=before).update(
        state=instruction.state, changed_at=instruction.changed_at, reason=instruction.reason, **changes
    )
    if moved != 1:
        raise refusals.PAYMENT_MOVED


def _digest(batch: Batch, lines: Sequence[Instruction]) -> str:
    return domain.batch_digest(batch.id, batch.salt, (line.line() for line in lines))


def _who_may_not_release(batch: Batch) -> set[str]:
    persons = {batch.prepared_by_person}
    for decided, corrected in batch.instructions.values_list("decided_by", "corrected_by"):
        persons |= {decided, corrected}
    return persons - {""}


def _person(actor: Actor) -> str:
    """The person behind the officer's seat; two seats of one person are one person."""
    if actor.kind != "officer" or not actor.seat:
        raise refusals.OFFICER_NEEDED
    return identity.person_of_seat(actor.seat)


def _taken_out(actor: Actor, instruction: str, reason: str) -> Instruction:
    """An instruction of the actor's agency, out of the batch that held it, which becomes void.

    A batch that is released stays whole, also before we know that the bank has it: a bank that took it and whose answer
    was lost would pay its lines, and those that were put into another batch once more. The batch is locked first, as
    by whoever releases and sends it.
    """
    mine = Instruction.objects.filter(id=instruction, agency=actor.agency or "")
    known = mine.first()
    if known is None:
        raise Http404
    batch = _own_batch(actor, known.batch_id) if known.batch_id else None
    found = mine.select_for_update().get()
    if found.batch_id != known.batch_id:
        raise refusals.PAYMENT_MOVED
    if batch is not None and found.state == State.BATCHED:
        if batch.state != BatchState.PREPARED:
            raise refusals.batch_is(batch.state)
        _void(actor, batch, reason)
        found.refresh_from_db()
    return found


def _own_batch(actor: Actor, batch: str) -> Batch:
    found = Batch.objects.select_for_update().filter(id=batch, agency=actor.agency or "").first()
    if found is None:
        raise Http404
    return found


def _require_agency(actor: Actor, agency: str) -> None:
    if actor.agency != agency:
        raise Http404


def _require_account(bank_code: str, account: str) -> None:
    if not is_valid_account(bank_code, account):
        raise refusals.ACCOUNT_INVALID


def _reference() -> str:
    """Ten characters without look-alikes: 50 random bits, unique in the database."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


def _audit(actor: Actor, action: str, object_id: str, **detail: object) -> None:
    kind = action.partition(".")[0]
    audit.record(actor=actor, action=action, object_type=kind, object_id=object_id, detail=detail)
