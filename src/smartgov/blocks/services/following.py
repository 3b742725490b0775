"""What agencies say about an application, and what she does about it: steps, questions, certificates."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils.dateparse import parse_date, parse_datetime

from smartgov.blocks.audit import api as audit
from smartgov.blocks.directory import api as directory
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.identity import api as identity
from smartgov.blocks.notify import api as notify
from smartgov.blocks.ops import api as ops
from smartgov.blocks.services import domain
from smartgov.blocks.services.access import mine, my_supplement
from smartgov.blocks.services.models import Application, Certificate, Part, Step, Supplement
from smartgov.blocks.services.problems import different_body, document_unavailable, supplement_closed, supplement_over
from smartgov.blocks.services.sending import dump, link_of, refresh_state
from smartgov.shared import clock, homes
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw.roc import written

_DEFAULT_FIELDS = [{"id": "answer", "kind": "text", "label": {"en": "Your answer", "zh": "您的回答"}}]
_LONGEST_ANSWER = 2000
_NEWS = {"supplement_asked", "refused", "stopped", "certificate_issued", "paid", "payment_failed"}


@dataclass(frozen=True, slots=True)
class Document:
    """A certificate's file."""

    filename: str
    media_type: str
    content: bytes


@transaction.atomic
def record_step(*, inbound: exchange.Inbound, application: str, body: Mapping[str, Any]) -> bool:
    """Write down what an agency did with its own part; returns whether this step was known already.

    Only the part's agency, through its case system, and only for the applicant it names: anything else is not found.
    """
    part = _part(inbound, application, str(body["part_id"]))
    digest = domain.body_digest(dict(body))
    known = Step.objects.filter(id=body["id"]).first()
    if known is not None:
        if known.part_id != part.id:
            raise Http404
        if known.body_digest != digest:
            raise different_body("step-differs")
        return True
    step = Step.objects.create(
        id=body["id"],
        application=part.application,
        part=part,
        kind=body["kind"],
        at=_moment(body["at"]),
        body_text=dump({key: value for key, value in body.items() if key not in ("id", "part_id", "kind", "at")}),
        body_digest=digest,
    )
    _apply(part, step)
    actor = Actor.for_system(part.agency, "cases")
    ops.emit(
        "step_recorded",
        aggregate=part.application_id,
        payload={"application": part.application_id, "step": step.id},
        actor=actor,
    )
    audit.record(actor=actor, action="step.recorded", object_type="application", object_id=part.application_id)
    return False


def tell_applicant(event: ops.EmittedEvent) -> None:
    """Listener of `step_recorded`: a notice in the words that fit the step."""
    step = Step.objects.select_related("application", "part").filter(id=event.payload["step"]).first()
    if step is None or step.part is None or not _is_news(step):
        return
    template, context = _notice(step)
    notify.send(
        actor=event.actor,
        subject=step.application.subject,
        template=template,
        context={"reference": step.application.reference, "agency": directory.agency(step.part.agency).name, **context},
        link=link_of(step.application),
        key=f"step:{step.id}",
    )


def supplement(*, actor: Actor, supplement_id: str) -> Supplement:
    """The agency's question to the actor."""
    return my_supplement(actor, supplement_id)


@transaction.atomic
def answer_supplement(*, actor: Actor, supplement_id: str, answers: Mapping[str, str]) -> dict[str, Text]:
    """Keep her answer and queue it for the agency; returns errors by field (empty: accepted).

    The first answer counts; another one is refused (`supplement-answered`) unless it is the same, and so is one after
    its day (`supplement-over`), which the agency would not take.
    """
    row = my_supplement(actor, supplement_id, lock=True)
    values, errors = check_supplement(row.question["fields"], answers)
    if errors:
        return errors
    if row.answered_at is not None:
        if row.answer == values:
            return {}
        raise supplement_closed()
    if row.is_over(clock.today()):
        raise supplement_over()
    row.answer_text, row.answered_at = dump(values), clock.now()
    row.save(update_fields=["answer_text", "answered_at"])
    application = row.part.application_id
    ops.emit(
        "supplement_answered",
        aggregate=row.id,  # an answer that its agency does not take holds no later one back
        payload={"application": application, "supplement": row.id},
        actor=actor,
    )
    audit.record(actor=actor, action="supplement.answered", object_type="application", object_id=application)
    return {}


def check_supplement(
    fields: list[dict[str, Any]], answers: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, Text]]:
    """Her answers by field, and what is wrong with them."""
    values: dict[str, str] = {}
    errors: dict[str, Text] = {}
    for field in fields:
        value = str(answers.get(field["id"], "")).strip()
        values[field["id"]] = value
        if error := _wrong(field, value):
            errors[field["id"]] = error
    return values, errors


@dataclass(frozen=True, slots=True)
class WalletOffer:
    """What her wallet scans, and the number that she types into it."""

    uri: str
    tx_code: str


def document(*, actor: Actor, certificate: str) -> Document:
    """Fetch her certificate from the agency that issued it; the portal keeps no copy."""
    application, answer = _asked_of_issuer(actor, certificate, "/documents")
    try:
        content = base64.b64decode(answer["content"], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise document_unavailable() from None
    return Document(f"{application.reference}.pdf", "application/pdf", content)


def wallet_offer(*, actor: Actor, certificate: str) -> WalletOffer:
    """Have the issuing agency offer wallet credentials of her certificate; Http404 when it is not in force."""
    _, answer = _asked_of_issuer(actor, certificate, "/offers")
    try:
        return WalletOffer(str(answer["uri"]), str(answer["tx_code"]))
    except (KeyError, TypeError):
        raise document_unavailable() from None


def _asked_of_issuer(actor: Actor, certificate: str, path: str) -> tuple[Application, Any]:
    row = (
        Certificate.objects.select_related("part__application")
        .filter(id=certificate, part__application__subject=mine(actor))
        .first()
    )
    if row is None:
        raise Http404
    application = row.part.application
    answer = exchange.call(
        actor=actor,
        agency=exchange.PORTAL,
        service=f"{homes.member_id(row.part.agency)}/cases/credentials.v1",
        method="POST",
        path=path,
        json={"credential": row.id},
        subject=identity.subject_national_id(actor=actor, subject=application.subject, purpose="certificate"),
        purpose=f"{application.service}.{row.part.part}",
        basis="subject",
        case=row.part.id,
    )
    return application, answer.body


def _part(inbound: exchange.Inbound, application: str, part_id: str) -> Part:
    agency = inbound.client_member.rsplit("/", 1)[-1]
    subject = identity.account_by_national_id(inbound.subject) if inbound.subject else None
    row = (
        Part.objects.select_for_update()
        .select_related("application")
        .filter(id=part_id, agency=agency, application_id=application, application__subject=subject or "-")
        .first()
    )
    if row is None or inbound.client_subsystem != exchange.subsystem_of(agency):
        raise Http404
    return row


def _apply(part: Part, step: Step) -> None:
    """What a step changes besides the timeline."""
    body = step.body
    newest = not Step.objects.filter(part=part, at__gt=step.at).exists()
    if newest:
        by = body.get("by")
        part.next_text, part.next_by = body.get("next"), parse_date(by) if by else None
    part.number = str(body.get("number") or part.number)[:40]
    part.save(update_fields=["next_text", "next_by", "number"])
    if step.kind == "supplement_asked":
        _ask(part, step)
    if step.kind == "certificate_issued":
        _certify(part, step)
    refresh_state(part)


def _ask(part: Part, step: Step) -> None:
    asked = step.body["supplement"]
    due = asked.get("due") or step.body.get("by")
    Supplement.objects.get_or_create(
        id=asked["id"],
        defaults={
            "part": part,
            "asked_at": step.at,
            "due": parse_date(due) if due else None,
            "question_text": dump(
                {"ask": Text.of(asked["ask"]).as_dict(), "fields": asked.get("fields") or _DEFAULT_FIELDS}
            ),
        },
    )


def _certify(part: Part, step: Step) -> None:
    told = step.body["certificate"]
    Certificate.objects.get_or_create(
        id=told["id"],
        defaults={
            "part": part,
            "title": Text.of(told["title"]).as_dict(),
            "code": str(told.get("code") or "")[:80],
            "issued_at": step.at,
        },
    )


def _is_news(step: Step) -> bool:
    """Whether a person wants to be told, not only to find it on the timeline; an approval is told once."""
    if step.kind == "approved":
        return not Step.objects.filter(part=step.part, kind="approved", at__lt=step.at).exists()
    return step.kind in _NEWS


def _notice(step: Step) -> tuple[str, dict[str, Any]]:
    body = step.body
    if step.kind == "supplement_asked":
        asked = body["supplement"]
        due = parse_date(asked.get("due") or body.get("by") or "")
        return "supplement_asked", {"ask": Text.of(asked["ask"]), "due": _day(due)}
    if step.kind == "certificate_issued":
        return "certificate_issued", {"certificate": Text.of(body["certificate"]["title"])}
    return "step_recorded", {"title": Text.of(body["title"]), "text": Text.of(body.get("text") or "")}


def _day(day: date | None) -> Text:
    if day is None:
        return Text("the day on its page", "頁面所列日期")
    return written(day)


def _wrong(field: Mapping[str, Any], value: str) -> Text | None:
    if not value:
        return None if field.get("required") is False else Text("Enter an answer", "請填寫回答")
    if len(value) > _LONGEST_ANSWER:
        return Text(f"Use at most {_LONGEST_ANSWER} characters", f"請勿超過{_LONGEST_ANSWER}字")
    kind = field.get("kind", "text")
    if kind == "date" and _date_of(value) is None:
        return Text("Enter a date such as 2026-11-22", "請填寫日期，例如 2026-11-22")
    choices = {"yesno": {"yes", "no"}, "choice": {str(item["value"]) for item in field.get("choices", ())}}
    if kind in choices and value not in choices[kind]:
        return Text("Choose one of the answers", "請選擇一個答案")
    return None


def _date_of(value: str) -> date | None:
    try:
        return parse_date(value)
    except ValueError:
        return None


def _moment(value: str) -> datetime:
    moment = parse_datetime(value)
    if moment is None or moment.tzinfo is None:
        raise Problem(
            "step-time-invalid",
            422,
            what=Text("The step's time is not an ISO 8601 time with offset.", "步驟的時間不是含時區的 ISO 8601 格式。"),
            todo=Text("Send `at` such as 2026-11-22T06:00:00+00:00.", "請以 2026-11-22T06:00:00+00:00 之格式填寫 at。"),
        )
    return moment


__all__ = [
    "Application",
    "Document",
    "answer_supplement",
    "check_supplement",
    "document",
    "record_step",
    "supplement",
    "tell_applicant",
]
