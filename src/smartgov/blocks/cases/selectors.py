"""Reading verbs of `cases`. Opening a case reads personal data, so it leaves a use record for each person in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from smartgov.blocks.audit import api as audit
from smartgov.blocks.cases import content, refusals, reporting, services
from smartgov.blocks.cases.domain import DECIDED_STATES, OPEN_STATES, TITLES, State
from smartgov.blocks.cases.models import Birth, Case
from smartgov.blocks.directory import api as directory
from smartgov.blocks.payments import api as payments
from smartgov.engines.forms.services import DECIDE, FactSource, Part
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import names

ATTENTION: dict[str, Text] = {
    "payment-failed": Text("The bank sent the payment back", "銀行退件"),
    "account-invalid": Text("The account is not valid", "帳號格式不正確"),
    "overdue": Text("The supplement did not come in time", "逾期未補件"),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What the work list shows: `show` is open, mine, attention, decided or all; `text` a number or part."""

    show: str = "todo"
    text: str = ""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One line of the work list; the applicant's name only in part."""

    id: str
    number: str
    part: Text
    applicant: str
    state: State
    title: Text
    deadline: date
    days_left: int
    attention: Text | None
    outcome: str

    @property
    def is_open(self) -> bool:
        """Whether there is still something to decide, so that the deadline counts."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True)
class FactRow:
    """A verified fact as the case page shows it: `own`: from the agency's register; not `shown`: for the rule."""

    id: str
    title: Text
    value: Any
    kind: str
    agency: Text
    basis: Text
    answered_at: str
    exchange: str
    own: bool
    shown: bool
    labels: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything an officer needs on one page."""

    row: CaseRow
    version: int
    application: str
    applicant_name: str
    applicant_id: str
    representative: Mapping[str, Any] | None
    answers: Mapping[str, Any]
    facts: tuple[FactRow, ...]
    missing: tuple[Mapping[str, Any], ...]
    decision: Mapping[str, Any]
    rule_version: str
    history: tuple[Mapping[str, Any], ...]
    supplements: tuple[Mapping[str, Any], ...]
    payments: tuple[payments.InstructionView, ...]
    bases: tuple[directory.LegalBasis, ...]
    cited: directory.LegalBasis | None
    reason: str
    received_at: datetime
    is_party: bool


def work_list(*, actor: Actor, wanted: Filter) -> list[CaseRow]:
    """The agency's cases, the next deadline first."""
    found = _filtered(Case.objects.filter(agency=actor.agency or ""), wanted)
    return [_row(case) for case in found.order_by("deadline", "received_at")[:300]]


@transaction.atomic
def case(*, actor: Actor, case_id: str) -> CaseView:
    """One case of the officer's agency; the reading is noted for every person whose data the page shows."""
    held = Case.objects.filter(id=case_id, agency=actor.agency or "").first()
    if held is None or actor.kind != "officer":
        raise Http404
    part = content.part(held.service, held.part)
    _note_reading(actor, held, part)
    return _view(actor, held, part)


def case_for_applicant(*, agency: str, applicant: str, case_id: str) -> dict[str, Any]:
    """What the applicant's portal may read of her case."""
    index = services.person_index(applicant)
    held = Case.objects.filter(id=case_id, agency=agency, applicant_index=index).first()
    if held is None:
        raise Http404
    return {"id": held.id, **state_of(held)}


def state_of(held: Case) -> dict[str, Any]:
    """Number, state and what comes next, as answers to the portal carry them."""
    return {"number": held.number, "state": reporting.KINDS[held.state], **reporting.next_of(held)}


def announced_births(*, actor: Actor) -> list[Birth]:
    """Births announced to, or notified at, the officer's agency, newest first."""
    return list(Birth.objects.filter(agency=actor.agency or "").order_by("-notified_at")[:100])


def _filtered(found: QuerySet[Case], wanted: Filter) -> QuerySet[Case]:
    todo = Q(state__in=(State.IN_REVIEW, State.STOPPED)) | ~Q(attention="")
    choices = {
        "todo": todo,
        "waiting": Q(state__in=(State.HELD, State.RECEIVED, State.WAITING, State.SUPPLEMENT, State.APPROVED)),
        "open": Q(state__in=OPEN_STATES),
        "decided": Q(state__in=DECIDED_STATES),
        "all": Q(),
    }
    found = found.filter(choices.get(wanted.show, todo))
    return found.filter(number__icontains=wanted.text) if wanted.text else found


# What the applicant reads of a case is said to her; these are said to the officer.
OFFICERS_TITLES = {State.SUPPLEMENT: Text("Waiting for the applicant's answer", "已通知補件，等候回覆")}


def _row(held: Case) -> CaseRow:
    state = State(held.state)
    return CaseRow(
        id=held.id,
        number=held.number,
        part=content.part(held.service, held.part).title,
        applicant=names.masked(held.applicant_name) if held.applicant_name else "—",
        state=state,
        title=OFFICERS_TITLES.get(state, TITLES[state]),
        deadline=held.deadline,
        days_left=(held.deadline - clock.today()).days,
        attention=ATTENTION.get(held.attention),
        outcome=str((held.decision or {}).get("outcome", "")),
    )


def _view(actor: Actor, held: Case, part: Part) -> CaseView:
    sources = {fact.id: fact for fact in part.facts_at(DECIDE)}
    return CaseView(
        row=_row(held),
        version=held.version,
        application=held.application,
        applicant_name=held.applicant_name,
        applicant_id=held.applicant,
        representative=_representative(held),
        answers=held.answers or {},
        facts=tuple(
            _fact(fact, sources[fact["id"]], held.agency) for fact in held.facts or [] if fact["id"] in sources
        ),
        missing=tuple(held.missing),
        decision=held.decision or {},
        rule_version=held.rule_version,
        history=tuple(
            {"at": line.at, "title": reporting.title(line.state), "actor": line.actor, "note": line.note}
            for line in held.steps.all()
        ),
        supplements=tuple(
            {"question": s.question, "asked_at": s.asked_at, "due": s.due, "answer": s.answer, "at": s.answered_at}
            for s in held.supplements.all()
        ),
        payments=tuple(payments.instructions(agency=held.agency, case=held.id)),
        bases=tuple(directory.legal_basis(code) for code in _bases(part)),
        cited=directory.legal_basis(held.cited) if held.cited else None,
        reason=held.reason,
        received_at=held.received_at,
        is_party=_is_party(actor, held),
    )


def _representative(held: Case) -> dict[str, Any] | None:
    """Who acted for the applicant, in words, with the evidence that the portal named."""
    if not held.representative:
        return None
    told, evidence = held.representative, held.representative["evidence"]
    return {
        "name": told["name"],
        "person": told["person"],
        "kind": Text.of(told["kind"]),
        "mandate": told["mandate"],
        "by_register": evidence["source"] == "register",
        "reference": evidence["reference"],
        "at": datetime.fromisoformat(evidence["at"]),
    }


def _bases(part: Part) -> list[str]:
    """The legal bases that a decision on this part may cite, the part's own first."""
    others = sorted({fact.basis for fact in part.facts} | {write.basis for write in part.writes})
    return list(dict.fromkeys([part.legal_basis, *(code for code in others if code != "consent")]))


def _fact(fact: Mapping[str, Any], spec: FactSource, agency: str) -> FactRow:
    return FactRow(
        id=fact["id"],
        title=Text.of(fact["title"]),
        value=fact["value"],
        kind=spec.kind,
        agency=directory.agency(fact["source"]).name,
        basis=_basis(fact["basis"]),
        answered_at=fact["answered_at"],
        exchange=fact["exchange"],
        own=fact["source"] == agency,
        shown=spec.shown,
        labels=spec.labels,
    )


def _basis(code: str) -> Text:
    if code == "consent":
        return Text("Consent", "當事人同意")
    basis = directory.legal_basis(code)
    return Text(f"{basis.title.en}, {basis.article.en}", f"{basis.title.zh}{basis.article.zh}")


def _is_party(actor: Actor, held: Case) -> bool:
    try:
        services.require_no_party(actor, held)
    except Problem as problem:
        if problem.slug != refusals.PARTY.slug:
            raise
        return True
    return False


def _note_reading(actor: Actor, held: Case, part: Part) -> None:
    fields = sorted({*(held.answers or {}), *(fact["id"] for fact in held.facts or [])})
    for party in held.parties.all():
        audit.use_record(
            actor=actor,
            agency=held.agency,
            national_id=party.person,
            fields=[services.REPRESENTATIVE] if party.role == services.REPRESENTATIVE else fields,
            purpose=f"{held.service}.{held.part}",
            basis=part.legal_basis,
            case=held.number,
        )
