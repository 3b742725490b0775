"""Writing a decision into the agency's own register, through its own gateway; tried again until it is there, once.

Each row has an id that follows from case and position; a register answers a repeated create with the row there is.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from smartgov.blocks.cases import content, deciding, refusals, services
from smartgov.blocks.cases.models import AssignedNumber, Case, RegisterWrite
from smartgov.blocks.exchange import api as exchange
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

# Numbers for newborns are taken from the end of the range, which the synthetic country leaves free.
FIRST_SERIAL = national_id.NEWBORN_SERIALS.start
_ROWS = uuid.UUID("6f0c1f5e-0d0b-4b6e-9a53-2f6b1a6d7c11")


def write(case: Case, actor: Actor) -> None:
    """Make every row of the case's decision; raises the Problem of the first that is not taken yet."""
    part = content.part(case.service, case.part)
    if part.assigns and not case.child:
        _assign(case, actor, part.writes[0].service, part.writes[0].basis)
    plan(case)
    for row in case.writes.filter(done_at__isnull=True):
        _make(case, actor, row)


@transaction.atomic
def plan(case: Case) -> None:
    """Fix which rows are to be written, before the first is sent."""
    part = content.part(case.service, case.part)
    if case.writes.exists():
        return
    for position, declared in enumerate(part.writes):
        row = deciding.row_of(case, declared, child=case.child)
        if row is None:
            raise refusals.VALUES_MISSING
        RegisterWrite.objects.create(
            case=case,
            position=position,
            service=declared.service,
            path=declared.path,
            basis=declared.basis,
            subject=_subject(case, declared.subject, row),
            row={"id": str(uuid.uuid5(_ROWS, f"{case.id}:{position}")), **row},
        )


def _make(case: Case, actor: Actor, row: RegisterWrite) -> None:
    method, path = row.path.split(" ", 1)
    answer = exchange.call(
        actor=actor,
        agency=case.agency,
        service=row.service,
        method=method,
        path=path,
        json=row.row,
        subject=row.subject,
        purpose=f"{case.service}.{case.part}",
        basis=row.basis,
        case=case.number,
    )
    RegisterWrite.objects.filter(id=row.id).update(done_at=clock.now(), exchange=answer.exchange_id)


def _assign(case: Case, actor: Actor, service: str, basis: str) -> None:
    """Give the newborn the next number that the register does not know yet."""
    sex = 1 if deciding.facts_of(case).get("child_sex") == "male" else 2
    while True:
        number = national_id.make(_reserve(case), sex)
        answer = exchange.call(
            actor=actor,
            agency=case.agency,
            service=service,
            method="POST",
            path="/people/query",
            json={},
            subject=number,
            purpose=f"{case.service}.{case.part}",
            basis=basis,
            case=case.number,
        )
        taken = any(item.get("national_id") == national_id.urn(number) for item in answer.body.get("items", []))
        if not taken:
            break
        AssignedNumber.objects.filter(case=case).update(case=None)
    with transaction.atomic():
        Case.objects.filter(id=case.id).update(child=number)
        case.refresh_from_db()
        services.add_party(case, "child", number)


def _reserve(case: Case) -> int:
    kept = AssignedNumber.objects.filter(case=case).first()
    while kept is None:
        highest = AssignedNumber.objects.aggregate(highest=Max("serial"))["highest"]
        try:
            with transaction.atomic():
                kept = AssignedNumber.objects.create(case=case, serial=(highest or FIRST_SERIAL - 1) + 1)
        except IntegrityError:  # another case took it first
            continue
    return kept.serial


def _subject(case: Case, declared: str, row: dict[str, Any]) -> str:
    """The national id of whom the row is about, as the content names them."""
    if declared == "applicant":
        return case.applicant
    if case.child:
        return case.child
    for column in ("national_id", "child_id"):
        if isinstance(row.get(column), str):
            return national_id.from_urn(row[column])
    raise Problem("subject-unknown", 422, what=refusals.VALUES_MISSING.what, why=refusals.VALUES_MISSING.why)
