"""What the applicant reads: her wall, one application's timeline, her certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from smartgov.blocks.services import catalogue, domain
from smartgov.blocks.services.access import mine, my_application
from smartgov.blocks.services.models import Application, Certificate, Part, Step, Supplement
from smartgov.engines.forms.services import Part as PartSpec
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

_HANDING = Text("We hand it to {agency}.", "正在送交{agency}。")
_DELAYED = Text(
    "{agency} does not answer; we keep trying and nothing is lost.", "{agency}暫無回應，系統會持續傳送，資料不會遺失。"
)
_DECIDES = Text("{agency} decides.", "由{agency}審核。")
_WAITS = Text("{agency} begins when “{before}” is done.", "待「{before}」完成後，由{agency}審核。")
_HAS_ANSWERED = Text("Answered", "已回答")
_ANSWERED = Text("You have answered; {agency} goes on with it.", "您已回答，{agency}將繼續辦理。")
_ANSWER = Text("{agency} waits for your answer.", "{agency}等候您的回答。")
_STOPPED = Text(
    "It was not accepted as sent. {agency} and we have been told; you need not do anything.",
    "資料未被接受，{agency}與系統人員已收到通知，您不需要做任何事。",
)
_ENDED = Text("Nothing more to do here.", "此項目已辦理完成。")


_TAGS: Mapping[str, str] = {
    domain.QUEUED: "waiting",
    domain.DELAYED: "waiting",
    domain.WAITING: "waiting",
    domain.SUPPLEMENT: "waiting",
    domain.APPROVED: "done",
    domain.CLOSED: "done",
    domain.REFUSED: "bad",
    domain.STOPPED: "bad",
    "payment_failed": "bad",
}


@dataclass(frozen=True, slots=True)
class ApplicationCard:
    """An application on the wall."""

    id: str
    reference: str
    title: Text
    state: str
    touched_at: datetime
    parts: tuple[PartLine, ...]
    open_questions: int


@dataclass(frozen=True, slots=True)
class PartLine:
    """One part: where it stands, what happens next and by when."""

    id: str
    part: str
    title: Text
    agency: Text
    state: str
    state_title: Text
    number: str
    next: Text
    by: date | None
    ended: bool

    @property
    def tag(self) -> str:
        """The shape of its mark on pages."""
        return _TAGS.get(self.state, "active")


@dataclass(frozen=True, slots=True)
class StepLine:
    """One line of the timeline."""

    id: str
    kind: str
    at: datetime
    agency: Text | None
    part: Text | None
    title: Text
    text: Text
    amount: int | None
    decision: Mapping[str, Any] | None

    @property
    def tag(self) -> str:
        """The shape of its mark on pages."""
        return _TAGS.get(domain.STATE_OF_KIND.get(self.kind, self.kind), "done")

    @property
    def icon(self) -> str:
        """The icon in the mark."""
        return {"done": "check", "waiting": "clock", "bad": "cross", "active": "dot"}[self.tag]


@dataclass(frozen=True, slots=True)
class SupplementLine:
    """A question of an agency; `sent` says whether the answer has reached it."""

    id: str
    agency: Text
    ask: Text
    fields: tuple[Mapping[str, Any], ...]
    due: date | None
    answered_at: datetime | None
    sent: bool
    over: bool
    """Whether its time is over and it was not answered."""


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """A certificate that can be downloaded."""

    id: str
    title: Text
    agency: Text
    issued_at: datetime
    code: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything about one application that was handed in."""

    id: str
    reference: str
    title: Text
    submitted_at: datetime | None
    parts: tuple[PartLine, ...]
    steps: tuple[StepLine, ...]
    questions: tuple[SupplementLine, ...]
    certificates: tuple[CertificateLine, ...]

    @property
    def ended(self) -> int:
        """How many parts have come to their end."""
        return sum(part.ended for part in self.parts)

    @property
    def all_ended(self) -> bool:
        """Whether every part has come to its end."""
        return all(part.ended for part in self.parts)


def applications(*, actor: Actor) -> list[ApplicationCard]:
    """The actor's applications that are not withdrawn, the last touched first."""
    rows = Application.objects.filter(subject=mine(actor)).exclude(state=domain.WITHDRAWN)
    return [_card(row) for row in rows.order_by("-touched_at").prefetch_related("parts")]


def timeline(*, actor: Actor, application_id: str) -> Timeline:
    """One application, step by step."""
    row = my_application(actor, application_id)
    steps = row.steps.select_related("part").order_by("at", "recorded_at")
    return Timeline(
        id=row.id,
        reference=row.reference,
        title=catalogue.service(row.service).title,
        submitted_at=row.submitted_at,
        parts=_parts(row),
        steps=tuple(_step(row, step) for step in _without_repeats(list(steps))),
        questions=tuple(
            question_line(item)
            for item in Supplement.objects.filter(part__application=row).select_related("part").order_by("asked_at")
        ),
        certificates=_certificates(Certificate.objects.filter(part__application=row)),
    )


def certificates(*, actor: Actor) -> tuple[CertificateLine, ...]:
    """All certificates of the actor, newest first."""
    return _certificates(Certificate.objects.filter(part__application__subject=mine(actor)))


def question_line(row: Supplement) -> SupplementLine:
    """A question in words."""
    return SupplementLine(
        id=row.id,
        agency=catalogue.agency_name(row.part.agency),
        ask=Text.of(row.question["ask"]) if row.question else Text("", ""),
        fields=tuple(row.question.get("fields", ())),
        due=row.due,
        answered_at=row.answered_at,
        sent=row.sent_at is not None,
        over=row.is_over(clock.today()),
    )


def _card(row: Application) -> ApplicationCard:
    asked = Supplement.objects.filter(part__application=row, answered_at=None)
    waiting = sum(not question.is_over(clock.today()) for question in asked)
    title = catalogue.service(row.service).title
    return ApplicationCard(row.id, row.reference, title, row.state, row.touched_at, _parts(row), waiting)


def _parts(row: Application) -> tuple[PartLine, ...]:
    definition = catalogue.service(row.service)
    return tuple(_part(part, definition.part(part.part), definition.parts) for part in row.parts.all())


def _part(row: Part, spec: PartSpec, parts: tuple[PartSpec, ...]) -> PartLine:
    agency = catalogue.agency_name(row.agency)
    before = next((part.title for part in parts if part.id in spec.after), spec.title)
    asked = list(row.supplements.all()) if row.state == domain.SUPPLEMENT else []
    said = Text.of(row.next_text) if row.next_text else _default_next(row.state).format(agency=agency, before=before)
    answered = bool(asked) and all(question.answered_at for question in asked)
    if answered:
        said = _ANSWERED.format(agency=agency)  # the agency's own next step has not come yet
    return PartLine(
        id=row.id,
        part=row.part,
        title=spec.title,
        agency=agency,
        state=row.state,
        state_title=_HAS_ANSWERED if answered else domain.STATE_TITLES[row.state],
        number=row.number,
        next=said,
        by=None if answered else row.next_by or _expected(row, spec),
        ended=row.state in domain.ENDED,
    )


def _default_next(state: str) -> Text:
    texts = {
        domain.QUEUED: _HANDING,
        domain.DELAYED: _DELAYED,
        domain.WAITING: _WAITS,
        domain.SUPPLEMENT: _ANSWER,
        domain.STOPPED: _STOPPED,
    }
    return texts.get(state, _ENDED if state in domain.ENDED else _DECIDES)


def _expected(row: Part, spec: PartSpec) -> date | None:
    """The day by which the agency has promised to decide, counted from the day it has the case."""
    if row.sent_at is None or row.state not in (domain.RECEIVED, domain.WORKING):
        return None
    return row.sent_at.astimezone(clock.TAIPEI).date() + timedelta(days=spec.target_days)


def _step(row: Application, step: Step) -> StepLine:
    body = step.body
    part = catalogue.service(row.service).part(step.part.part).title if step.part else None
    title = Text.of(body.get("title") or domain.STATE_TITLES.get(step.kind, Text.of(step.kind)))
    # Many titles name the agency; then its name does not follow once more.
    named = step.part is not None and catalogue.agency_name(step.part.agency).zh in title.zh
    return StepLine(
        id=step.id,
        kind=step.kind,
        at=step.at,
        agency=catalogue.agency_short(step.part.agency) if step.part and not named else None,
        part=part,
        title=title,
        text=Text.of(body.get("text") or ""),
        amount=(body.get("payment") or body).get("amount"),
        decision=body.get("decision"),
    )


def _without_repeats(steps: list[Step]) -> list[Step]:
    """Leave out a step that says of its part what the one before it said (our receipt and the agency's own)."""
    kept: list[Step] = []
    last: dict[str | None, str] = {}
    for step in steps:
        if step.part_id is not None and last.get(step.part_id) == step.kind and step.kind in ("received", "waiting"):
            continue
        last[step.part_id] = step.kind
        kept.append(step)
    return kept


def _certificates(rows: Any) -> tuple[CertificateLine, ...]:
    return tuple(
        CertificateLine(row.id, Text.of(row.title), catalogue.agency_name(row.part.agency), row.issued_at, row.code)
        for row in rows.select_related("part").order_by("-issued_at")
    )
