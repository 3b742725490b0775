"""What `site/flows` calls when something happened. Each may be called twice with one event, to no new effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from django.db import transaction

from smartgov.blocks.cases import content, deciding, history, reporting
from smartgov.blocks.cases.models import Birth, Case, Step
from smartgov.blocks.credentials import api as credentials
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.ops.api import EmittedEvent, is_refusal
from smartgov.blocks.payments import api as payments
from smartgov.engines.forms.services import Part
from smartgov.shared import homes
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id
from smartgov.shared.tw.roc import roc_date

PORTAL_SERVICE = f"{homes.member_id(exchange.PORTAL)}/portal/services.v1"
ANNOUNCED_TO = (f"{homes.member_id('ris')}/cases/cases.v1", PORTAL_SERVICE)
BIRTH_BASIS = "child-welfare-act-14"
One = TypeVar("One")


def announce_birth(event: EmittedEvent) -> None:
    """Tell the household agency and the portal of a birth (`birth_notified`), as the health agency by law."""
    birth = Birth.objects.get(agency=event.payload["agency"], birth=event.payload["birth"])
    _each(ANNOUNCED_TO, partial(_announce, birth))
    Birth.objects.filter(id=birth.id).update(announced=True)


def report_step(event: EmittedEvent) -> None:
    """Tell the portal one line of a case's history (`case_moved`)."""
    case = _case(event)
    line = Step.objects.get(id=event.payload["step"], case=case)
    exchange.call(
        actor=Actor.for_system(case.agency, "cases"),
        agency=case.agency,
        service=PORTAL_SERVICE,
        method="POST",
        path=f"/applications/{case.application}/steps",
        json=reporting.step_of(case, line),
        subject=case.applicant,
        purpose=f"{case.service}.{case.part}",
        basis=_part(case).legal_basis,
        case=case.number,
    )


def forward_parts(event: EmittedEvent) -> None:
    """Tell the agencies whose parts waited for this decision (`case_decided`) that it is time; they decide."""
    case = _case(event)
    waiting = {part.id: part for part in content.service(case.service).followers(case.part)}
    due = [(waiting[one["part"]], one["part_id"]) for one in case.followers if one["part"] in waiting]
    _each(due, lambda one: _continue(case, *one, str(event.payload["outcome"])))


def start_payment(event: EmittedEvent) -> None:
    """Order what the decision grants (`case_decided`); a decision pays once, whatever happens to this event."""
    case, part = _case(event), _part(_case(event))
    amount = deciding.amount_due(case, part)
    if event.payload["outcome"] != deciding.GRANTED or part.pays is None or not amount:
        return
    account = (case.answers or {}).get(part.pays.account) or {}
    actor = Actor.for_system(case.agency, "cases")
    try:
        ordered = payments.instruct(
            actor=actor,
            agency=case.agency,
            case=case.id,
            payee_name=str(account.get("holder") or case.applicant_name),
            bank_code=str(account.get("bank_code", "")),
            account=str(account.get("account", "")),
            amount=amount,
            purpose=part.pays.purpose.zh,
            idempotency_key=f"{case.id}:decision",
            decided_by=case.decided_by_person,
        )
    except Problem as problem:
        if problem.slug != "account-invalid":
            raise
        Case.objects.filter(id=case.id).update(attention="account-invalid")
        return
    _news(case, "payment_ordered", actor, {"instruction": ordered})


def issue_certificate(event: EmittedEvent) -> None:
    """Issue the service's certificate when its part was granted (`case_decided`)."""
    case = _case(event)
    certificate = content.service(case.service).certificate
    if event.payload["outcome"] != deciding.GRANTED or certificate is None or certificate.part != case.part:
        return
    actor = Actor.for_system(case.agency, "cases")
    issued = credentials.issue(
        actor=actor,
        agency=case.agency,
        template=certificate.id,
        title=certificate.title,
        subject_national_id=case.applicant,
        holder_name=case.applicant_name or str(deciding.facts_of(case).get("mother_name", "")),
        data=_certificate_data(case),
        case=case.id,
    )
    told = {"id": issued.id, "code": issued.code, "number": issued.number, "title": certificate.title.as_dict()}
    _news(case, "certificate_issued", actor, {"certificate": told})


def payment_settled(event: EmittedEvent) -> None:
    """The bank has paid: tell the applicant."""
    case = _case(event)
    Case.objects.filter(id=case.id, attention="payment-failed").update(attention="")
    _news(case, "payment_settled", event.actor, {"instruction": event.payload["instruction"]})


def payment_failed(event: EmittedEvent) -> None:
    """The bank sent a payment back: the case returns to the officer's list, and the applicant is told."""
    case = _case(event)
    Case.objects.filter(id=case.id).update(attention="payment-failed")
    _news(case, "payment_failed", event.actor, {"instruction": event.payload["instruction"]})


def _news(case: Case, state: str, actor: Actor, detail: dict[str, Any]) -> None:
    """Add a line once: the same news with the same detail again is not told again."""
    with transaction.atomic():
        Case.objects.select_for_update().get(id=case.id)
        if not any(line.detail == detail for line in case.steps.filter(state=state)):
            history.tell(case, state, actor=actor, detail=detail)


def _each(others: Iterable[One], tell: Callable[[One], object]) -> None:
    """Tell each of several agencies: one that cannot be reached keeps nobody else waiting. Then raise what failed.

    Of several failures an outage is raised before a refusal: refusals end the delivery, and outages pass.
    """
    failed: list[Problem] = []
    for one in others:
        try:
            tell(one)
        except Problem as problem:
            failed.append(problem)
    if failed:
        raise min(failed, key=is_refusal)


def _announce(birth: Birth, service: str) -> None:
    row = birth.row or {}
    exchange.call(
        actor=Actor.for_system(birth.agency, "cases"),
        agency=birth.agency,
        service=service,
        method="POST",
        path="/life-events",
        json={
            "id": birth.birth,
            "kind": "birth",
            "happened_on": row["born_on"],
            "notification": birth.birth,
            "detail": {"hospital": row["hospital"], "child_sex": row["child_sex"]},
        },
        subject=birth.mother,
        purpose="birth.announcement",
        basis=BIRTH_BASIS,
    )


def _continue(case: Case, part: Part, part_id: str, outcome: str) -> None:
    exchange.call(
        actor=Actor.for_system(case.agency, "cases"),
        agency=case.agency,
        service=f"{exchange.subsystem_of(part.agency)}/cases.v1",
        method="POST",
        path=f"/cases/{part_id}/continuations",
        json={
            "decided": case.part,
            "outcome": outcome,
            "child": national_id.urn(case.child) if case.child else None,
        },
        subject=case.applicant,
        purpose=f"{case.service}.{part.id}",
        basis=part.legal_basis,
        case=case.number,
    )


def _certificate_data(case: Case) -> dict[str, Any]:
    """What the certificate shows: the row that was written into the register, and who is who."""
    row = next((write.row for write in case.writes.all() if write.row), None) or {}
    facts = deciding.facts_of(case)
    return {
        "number": case.number,
        "child_name": row.get("name"),
        "child_id": case.child,
        "sex": row.get("sex"),
        "birth_date": row.get("birth_date"),
        "birth_place": facts.get("hospital"),
        "mother_name": facts.get("mother_name"),
        "father_name": facts.get("father_name"),
        "residence": row.get("address"),
        "township": row.get("township"),
        "registered_on": row.get("registered_on"),
        "decided_on": roc_date(case.decided_at.date()) if case.decided_at else "",
    }


def _part(case: Case) -> Part:
    return content.part(case.service, case.part)


def _case(event: EmittedEvent) -> Case:
    return Case.objects.get(id=event.payload["case"], agency=event.payload["agency"])
