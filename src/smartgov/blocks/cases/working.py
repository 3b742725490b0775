"""What cases do by themselves: ask facts, wait and ask again, decide what the rule may decide, write registers.

The worker calls `work_on_due` every second or two. What is interrupted is due again, so nothing is lost with a process.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction

from smartgov.blocks.cases import content, deciding, gathering, history, registers, services
from smartgov.blocks.cases.domain import Gathered, State, Step, may_decide_alone, retry_after
from smartgov.blocks.cases.models import Case, Supplement
from smartgov.engines.forms.services import DECIDE, Part
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

logger = structlog.get_logger()
LEASE = timedelta(minutes=2)


def work_on_due(limit: int = 20) -> int:
    """Take up every case whose time has come; the number taken up."""
    due = Case.objects.filter(
        work_due_at__lte=clock.now(), state__in=(State.RECEIVED, State.WAITING, State.APPROVED, State.IN_REVIEW)
    )
    return sum(_take_up(case) for case in due.order_by("work_due_at")[:limit])


def close_overdue() -> int:
    """Give cases whose supplement did not come in time back to the officer; the number given back."""
    late = Supplement.objects.filter(answered_at__isnull=True, overdue=False, due__lt=clock.today())
    return sum(_overdue(supplement.id) for supplement in late)


def work_on(case: Case) -> None:
    """One round of a case: facts first, then the rule; or, once approved, the registers."""
    if case.state == State.APPROVED:
        _write(case)
    elif case.state in (State.RECEIVED, State.WAITING):
        _gather(case)


def _take_up(case: Case) -> int:
    leased = Case.objects.filter(id=case.id, work_due_at=case.work_due_at).update(work_due_at=clock.now() + LEASE)
    if not leased:
        return 0
    try:
        work_on(case)
    except Problem as problem:
        _later(case, problem.slug)
    return 1


def _later(case: Case, reason: str) -> None:
    attempts = case.attempts + 1
    Case.objects.filter(id=case.id).update(attempts=attempts, work_due_at=clock.now() + retry_after(attempts))
    logger.warning("case_work_postponed", case=case.id, attempts=attempts, problem=reason)


def _gather(case: Case) -> None:
    part = content.part(case.service, case.part)
    actor = Actor.for_system(case.agency, "cases")
    question = gathering.Question(
        service=case.service,
        part=part,
        when=DECIDE,
        applicant=case.applicant,
        child=case.child,
        notification=case.notification,
        consents=case.consents or {},
        case=case.number,
    )
    gathered = gathering.ask(actor=actor, question=question)
    decision = deciding.decide(
        part, gathered.values, case.answers or {}, case.received_at.astimezone(clock.TAIPEI).date()
    )
    with transaction.atomic():
        _note_facts(case, part, gathered, decision, actor)


def _note_facts(case: Case, part: Part, gathered: Gathered, decision: dict[str, Any], actor: Actor) -> None:
    waits = gathered.step == Step.FACTS_MISSING
    attempts = case.attempts + 1 if waits else 0
    missing = [lack.as_dict() for lack in gathered.missing]
    history.move(
        case,
        gathered.step,
        actor=actor,
        detail={"missing": [lack for lack in missing if lack["needed"]]},
        facts=[fact.as_dict() for fact in gathered.facts],
        missing=missing,
        decision=decision,
        rule_version=f"{decision['rule']}@{decision['version']}"[:80],
        attempts=attempts,
        work_due_at=clock.now() + retry_after(attempts) if waits else None,
    )
    _note_parties(case)
    if case.state == State.IN_REVIEW:
        _decide_alone(case, part, gathered, actor)


def _note_parties(case: Case) -> None:
    """Whoever a fact names is a party: the father and the child may not be decided on by themselves either."""
    for fact in case.facts or []:
        value = fact["value"]
        if isinstance(value, str) and value.startswith("urn:tw:nid:"):
            services.add_party(case, fact["id"][:20], national_id.from_urn(value))


def _decide_alone(case: Case, part: Part, gathered: Gathered, actor: Actor) -> None:
    alone = may_decide_alone(
        automatic=part.decided_by == "rule",
        outcome=str((case.decision or {}).get("outcome")),
        missing=sum(lack.needed for lack in gathered.missing),
        # A part that follows another is about the child that the other registered; without her number it is a guess.
        own_reading=bool(gathered.facts) and bool(case.child or not part.after),
    )
    if not alone:
        return
    try:
        deciding.require_values(case, part)
    except Problem:
        return
    history.move(
        case,
        Step.APPROVE,
        actor=actor,
        detail={"cited": part.legal_basis, "rule": case.rule_version},
        decided_by=actor.label,
        decided_at=clock.now(),
        cited=part.legal_basis,
        work_due_at=clock.now(),
    )


def _write(case: Case) -> None:
    actor = Actor.for_system(case.agency, "cases")
    registers.write(case, actor)
    with transaction.atomic():
        history.move(case, Step.REGISTERS_WRITTEN, actor=actor, work_due_at=None, attempts=0, closed_at=clock.now())
        deciding.announce_decision(case, actor)


@transaction.atomic
def _overdue(supplement: str) -> int:
    late = Supplement.objects.select_for_update().select_related("case").get(id=supplement)
    if late.answered_at or late.overdue:
        return 0
    late.overdue = True
    late.save(update_fields=("overdue",))
    actor = Actor.for_system(late.case.agency, "cases")
    history.move(late.case, Step.SUPPLEMENT_OVERDUE, actor=actor, detail={"supplement": late.id}, attention="overdue")
    return 1
