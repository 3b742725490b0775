"""Writing verbs of `cases`: open, ask for a supplement, decide."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404

from smartgov.blocks.audit import api as audit
from smartgov.blocks.cases import content, deciding, gathering, history, refusals
from smartgov.blocks.cases.domain import OPEN_STATES, State, Step, agency_of, deadline
from smartgov.blocks.cases.models import Case, Party, Supplement
from smartgov.blocks.directory import api as directory
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.identity import api as identity
from smartgov.engines.forms.services import PREPARE, Part
from smartgov.shared import canonical, clock
from smartgov.shared.actor import Actor
from smartgov.shared.ids import is_uuid
from smartgov.shared.problems import Problem
from smartgov.shared.sealed import blind_index
from smartgov.shared.tw import workdays
from smartgov.shared.tw.roc import OFFSET

SUPPLEMENT_DAYS = 14
REPRESENTATIVE = "representative"
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Application:
    """One part of an application as it came over T-Road.

    `representative` is who handed it in for the applicant: person, name, kind, mandate, evidence. `waits` says that an
    earlier part must be decided first; `followers` (agency, part, part_id) wait for this one.
    """

    id: str
    application: str
    service: str
    part: str
    applicant: str
    answers: Mapping[str, Any]
    applicant_name: str = ""
    notification: str = ""
    consents: Mapping[str, str] = field(default_factory=dict)
    followers: Sequence[Mapping[str, str]] = ()
    waits: bool = False
    representative: Mapping[str, Any] | None = None


def prepare(
    *,
    agency: str,
    service: str,
    part: str,
    applicant: str,
    consents: Mapping[str, str],
    answers: Mapping[str, Any],
    notification: str = "",
) -> dict[str, Any]:
    """Fetch what this agency may know before an application, and what its rule would say; nothing is kept here."""
    wanted = _part_of(agency, service, part)
    question = gathering.Question(service, wanted, PREPARE, applicant, notification=notification, consents=consents)
    gathered = gathering.ask(actor=Actor.for_system(agency, "cases"), question=question)
    decision = deciding.decide(wanted, gathered.values, answers, clock.today())
    shown = {source.id for source in wanted.facts_at(PREPARE) if source.shown}
    return {
        "facts": [
            {**fact.as_dict(), "source_name": _agency_name(fact.service)} for fact in gathered.facts if fact.id in shown
        ],
        "missing": [lack.as_dict() for lack in gathered.missing if lack.id in shown],
        "decision": decision,
    }


def open_case(*, actor: Actor, agency: str, application: Application) -> Case:
    """Make the case of an application part; the same content again gives the same case.

    Problems: `case-differs` (the id came with other content), `part-not-here`.
    """
    part = _part_of(agency, application.service, application.part)
    if actor.system != exchange.subsystem_of(exchange.PORTAL):
        raise refusals.NOT_YOUR_PART
    if not is_uuid(application.id):
        raise refusals.CASE_DIFFERS
    digest = _digest(application)
    known = Case.objects.filter(id=application.id).first()
    if known is None:
        try:
            return _create(actor, agency, application, part, digest)
        except IntegrityError:  # the same part was received twice at once
            known = Case.objects.get(id=application.id)
    if (known.agency, known.digest) != (agency, digest):
        raise refusals.CASE_DIFFERS
    return known


@transaction.atomic
def continue_case(
    *, actor: Actor, agency: str, case: str, applicant: str, decided: str, outcome: str, child: str = ""
) -> Case:
    """The agency that decided `decided` says so: the part that waited begins, or closes when it was refused.

    Nothing is believed of it but that it is time: the facts are asked of the registers by this agency itself. Only the
    agency of a part that this one waits for may say so, else Http404.
    """
    index = person_index(applicant)
    held = Case.objects.select_for_update().filter(id=case, agency=agency, applicant_index=index).first()
    if held is None or not _may_continue(held, actor.system or "", decided):
        raise Http404
    if held.state != State.HELD:
        return held
    if outcome == deciding.GRANTED and not child and _assigns(held, decided):
        raise refusals.CHILD_MISSING
    if outcome != deciding.GRANTED:
        history.move(held, Step.PREDECESSOR_REFUSED, actor=actor, closed_at=clock.now())
        return held
    due = deadline(clock.now(), content.part(held.service, held.part).target_days)
    history.move(held, Step.PREDECESSOR_GRANTED, actor=actor, child=child, deadline=due, work_due_at=clock.now())
    if child:
        add_party(held, "child", child)
    return held


@transaction.atomic
def ask_supplement(*, actor: Actor, case: str, version: int, question: str, days: int = SUPPLEMENT_DAYS) -> str:
    """Ask the applicant one question, to be answered in `days` days (no day of rest the last); the supplement's id."""
    held = for_officer(actor, case, version)
    if not question.strip():
        raise refusals.QUESTION_EMPTY
    due = workdays.end_of_period(clock.today() + timedelta(days=days))
    asked = Supplement.objects.create(case=held, question=question.strip(), asked_by=actor.seat or "", due=due)
    history.move(held, Step.ASK_SUPPLEMENT, actor=actor, note=question.strip(), detail={"supplement": asked.id})
    return asked.id


@transaction.atomic
def receive_supplement(
    *,
    actor: Actor,
    agency: str,
    case: str,
    applicant: str,
    supplement: str,
    answer: str,
    answered_at: datetime | None = None,
) -> Case:
    """Take the applicant's answer; the same answer again changes nothing. Problem `supplement-closed`.

    What counts is when she gave it (`answered_at`, by the portal's word), not when it arrived: what was on its way for
    days, because a gateway was down, is taken as long as nobody has decided.
    """
    index = person_index(applicant)
    held = Case.objects.select_for_update().filter(id=case, agency=agency, applicant_index=index).first()
    asked = Supplement.objects.filter(id=supplement, case=held).first() if held else None
    if held is None or asked is None:
        raise Http404
    if asked.answered_at and asked.answer == answer:
        return held
    given = min(answered_at or clock.now(), clock.now())
    in_time = given.astimezone(clock.TAIPEI).date() <= asked.due
    if asked.answered_at or not in_time or held.state not in OPEN_STATES:
        raise refusals.SUPPLEMENT_ANSWERED
    asked.answer, asked.answered_at = answer, given
    asked.save(update_fields=("answer", "answered_at"))
    _note_answer(actor, held, asked)
    return held


@transaction.atomic
def approve(*, actor: Actor, case: str, version: int, cited: str, reason: str) -> None:
    """Approve as an officer, citing a legal basis. Writing the registers follows by itself.

    Problems: `party-decides`, `case-moved`, `rule-not-cited`, `decision-values-missing`.
    """
    held = for_officer(actor, case, version)
    _require_citation(cited, reason)
    deciding.require_values(held, content.part(held.service, held.part))
    _decided(actor, held, Step.APPROVE, cited, reason)


@transaction.atomic
def refuse(*, actor: Actor, case: str, version: int, cited: str, reason: str) -> None:
    """Refuse as an officer, citing a legal basis and giving the reason that the applicant reads."""
    held = for_officer(actor, case, version)
    _require_citation(cited, reason)
    _decided(actor, held, Step.REFUSE, cited, reason)


@transaction.atomic
def restart(*, actor: Actor, case: str, version: int) -> None:
    """Let a case ask its facts again: one that stopped, once the cause is cleared, or one in review."""
    held = for_officer(actor, case, version)
    history.move(held, Step.RESTART, actor=actor, work_due_at=clock.now(), attempts=0)


def for_officer(actor: Actor, case: str, version: int) -> Case:
    """The case, locked, for an officer of its agency who is no party and who saw its present version."""
    held = Case.objects.select_for_update().filter(id=case, agency=actor.agency or "").first()
    if held is None or actor.kind != "officer" or not actor.seat:
        raise Http404
    require_no_party(actor, held)
    if held.version != version:
        raise refusals.CASE_MOVED
    return held


def require_no_party(actor: Actor, case: Case) -> None:
    """Problem `party-decides` when the person behind the seat is a party to the case, whatever seat she sits in."""
    person = identity.person_of_seat(actor.seat or "")
    robot = Actor.for_system(case.agency, "cases")
    number = identity.subject_national_id(actor=robot, subject=person, purpose="conflict-of-interest")
    if case.parties.filter(person_index=person_index(number)).exists():
        raise refusals.PARTY


def person_index(number: str) -> str:
    """The blind index by which a person's cases are found."""
    return blind_index(number, "cases.person")


def add_party(case: Case, role: str, number: str) -> None:
    """Note that a case is about somebody. Whoever acted for the applicant may turn out to be her spouse as well."""
    given = {"role": role, "person": number}
    party, made = Party.objects.get_or_create(case=case, person_index=person_index(number), defaults=given)
    if not made and party.role == REPRESENTATIVE:
        Party.objects.filter(id=party.id).update(role=role)


def _note_answer(actor: Actor, case: Case, asked: Supplement) -> None:
    """Go on with a case whose question is answered: at once, or where it was given back to the officer meanwhile.

    While it waits for another answer or for facts it stays there; the officer reads this answer on the case's page.
    """
    detail = {"supplement": asked.id}
    if case.state == State.SUPPLEMENT and not asked.overdue:
        history.move(case, Step.SUPPLEMENT_CAME, actor=actor, detail=detail)
    elif case.state == State.IN_REVIEW:
        attention = "" if case.attention == "overdue" else case.attention
        history.move(case, Step.SUPPLEMENT_CAME, actor=actor, attention=attention)
        history.tell(case, State.IN_REVIEW, actor=actor, detail=detail)


def _decided(actor: Actor, case: Case, step: Step, cited: str, reason: str) -> None:
    refused = step == Step.REFUSE
    history.move(
        case,
        step,
        actor=actor,
        note=reason.strip(),
        detail={"cited": cited},
        decided_by=actor.seat or "",
        decided_by_person=identity.person_of_seat(actor.seat or ""),
        decided_at=clock.now(),
        cited=cited,
        reason=reason.strip(),
        work_due_at=None if refused else clock.now(),
        closed_at=clock.now() if refused else None,
    )
    if refused:
        deciding.announce_decision(case, actor)


@transaction.atomic
def _create(actor: Actor, agency: str, application: Application, part: Part, digest: str) -> Case:
    received, waits = clock.now(), application.waits and bool(part.after)
    case = Case.objects.create(
        id=application.id,
        agency=agency,
        number=_number(agency),
        client=actor.system or "",
        application=application.application,
        service=application.service,
        part=part.id,
        digest=digest,
        received_at=received,
        deadline=deadline(received, part.target_days),
        notification=application.notification,
        applicant=application.applicant,
        applicant_index=person_index(application.applicant),
        applicant_name=application.applicant_name,
        representative=application.representative and dict(application.representative),
        answers={key: value for key, value in application.answers.items() if key in part.answers},
        consents=dict(application.consents),
        followers=[dict(follower) for follower in application.followers],
        state=State.HELD if waits else State.RECEIVED,
        work_due_at=None if waits else received,
    )
    add_party(case, "applicant", application.applicant)
    if application.representative:
        add_party(case, REPRESENTATIVE, application.representative["person"])
    audit.record(actor=actor, action="case.received", object_type="case", object_id=case.id)
    history.note(case, case.state, actor=actor)
    return case


def _part_of(agency: str, service: str, part: str) -> Part:
    try:
        wanted = content.part(service, part)
    except KeyError:
        raise refusals.NOT_YOUR_PART from None
    if wanted.agency != agency:
        raise refusals.NOT_YOUR_PART
    return wanted


def _assigns(case: Case, decided: str) -> bool:
    """Whether the part before gives a number, without which this one could mean another child of the same mother."""
    return content.part(case.service, decided).assigns is not None


def _may_continue(case: Case, client: str, decided: str) -> bool:
    service = content.service(case.service)
    if decided not in service.part(case.part).after:
        return False
    return client == exchange.subsystem_of(service.part(decided).agency)


def _require_citation(cited: str, reason: str) -> None:
    if not reason.strip():
        raise refusals.RULE_NOT_CITED
    try:
        directory.legal_basis(cited)
    except Problem:
        raise refusals.RULE_NOT_CITED from None


def _agency_name(service: str) -> dict[str, str]:
    return directory.agency(agency_of(service)).name.as_dict()


def _digest(application: Application) -> str:
    """A keyed digest of what was sent, to tell a repetition from a change without keeping a guessable hash."""
    whole = [
        application.application,
        application.service,
        application.part,
        application.applicant,
        dict(application.answers),
        [dict(follower) for follower in application.followers],
        *([dict(application.representative)] if application.representative else []),
    ]
    return blind_index(canonical.dumps(whole).decode(), "cases.application")


def _number(agency: str) -> str:
    """A case number that people can say: agency, year, seven characters without look-alikes."""
    tail = "".join(secrets.choice(_ALPHABET) for _ in range(7))
    return f"{agency.upper()}-{clock.today().year - OFFSET}-{tail}"
