"""Ask every agency of an application what it can already find out, before she hands anything in.

Each agency reads as itself; the portal sees what the agency shows the applicant. One that does not answer in time
takes nothing from the others: its facts are listed as missing, with what will happen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import structlog
from django.db import transaction

from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.identity import api as identity
from smartgov.blocks.mydata import api as mydata
from smartgov.blocks.services import catalogue, domain
from smartgov.blocks.services.access import my_application
from smartgov.blocks.services.domain import FactView, MissingView, PartPreview
from smartgov.blocks.services.models import Application
from smartgov.blocks.services.problems import not_a_draft
from smartgov.engines.forms.services import CONSENT, PREPARE, Part
from smartgov.engines.troad.problems import UNBELIEVABLE
from smartgov.shared import clock, homes
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.together import together

logger = structlog.get_logger()
LIMIT_S = 25.0
NOT_ANSWERED = Text(
    "The agency does not answer at the moment. You can go on: it looks this up itself later.",
    "機關目前沒有回應。您可以繼續申請，機關審核時會自行查詢這筆資料。",
)
STOPPED = Text(
    "The answer could not be verified, so we do not show it. You can go on: the agency looks this up again.",
    "查得的資料未通過驗證，因此不顯示。您可以繼續申請，機關會重新查詢。",
)


def cases_service(agency: str) -> str:
    """The T-Road id of an agency's case service."""
    return f"{homes.member_id(agency)}/cases/cases.v1"


def prepare(*, actor: Actor, application: str) -> list[PartPreview]:
    """Ask all agencies at once, keep what they found with the draft, and return it part by part."""
    row = my_application(actor, application)
    if row.state != domain.DRAFT:
        raise not_a_draft()
    parts = catalogue.chosen_parts(catalogue.service(row.service), row.answers)
    answers = together(_questions(actor, row, parts), limit_s=LIMIT_S)
    found = {part.id: _outcome(part, answers[part.id]) for part in parts}
    with transaction.atomic():
        kept = my_application(actor, application, lock=True)
        if kept.state != domain.DRAFT:  # withdrawn meanwhile: nothing about her is kept with it
            raise not_a_draft()
        kept.prepared = found
        kept.prepared_at = clock.now()
        kept.save(update_fields=["prepared_text", "prepared_at"])
    return [preview(part, found[part.id]) for part in parts]


def previews(*, actor: Actor, application: str) -> list[PartPreview]:
    """What the last preparation found; a part that was never asked is left out."""
    row = my_application(actor, application)
    found = row.prepared
    parts = catalogue.chosen_parts(catalogue.service(row.service), row.answers)
    return [preview(part, found[part.id]) for part in parts if part.id in found]


def fact_values(row: Application) -> dict[str, Any]:
    """Every fetched value as `part.fact`, for the form's pages."""
    return {
        f"{part}.{fact['id']}": fact["value"]
        for part, body in row.prepared.items()
        for fact in body.get("facts", ())
        if fact.get("value") is not None
    }


def preview(part: Part, body: Mapping[str, Any]) -> PartPreview:
    """The typed form of what was kept for one part."""
    return PartPreview(
        part=part.id,
        agency=part.agency,
        answered=bool(body["answered"]),
        facts=tuple(_fact(part, row) for row in body["facts"]),
        missing=tuple(_missing(part, row) for row in body["missing"]),
        decision=body.get("decision"),
    )


def _questions(actor: Actor, row: Application, parts: list[Part]) -> dict[str, Callable[[], exchange.Answer]]:
    person = identity.subject_national_id(actor=actor, subject=row.subject, purpose="prepare")
    signed = mydata.artefacts(actor=actor, application=row.id)
    answers = row.answers
    return {
        part.id: partial(
            exchange.call,
            actor=actor,
            agency=exchange.PORTAL,
            service=cases_service(part.agency),
            method="POST",
            path="/preparations",
            json={
                "application": row.id,
                "service": row.service,
                "part": part.id,
                "answers": {name: answers[name] for name in part.answers if name in answers},
                "notification": row.notification or None,
                "on": clock.today().isoformat(),
                "consents": signed.get(part.id, {}),
            },
            subject=person,
            purpose=f"{row.service}.{part.id}",
            basis="subject",
            case=row.id,
        )
        for part in parts
    }


def _outcome(part: Part, answer: exchange.Answer | Exception) -> dict[str, Any]:
    if isinstance(answer, exchange.Answer):
        body = answer.body
        return {
            "answered": True,
            "facts": body.get("facts", []),
            "missing": body.get("missing", []),
            "decision": body.get("decision"),
        }
    reason = answer.slug if isinstance(answer, Problem) else "no-answer"
    if not isinstance(answer, Problem):
        logger.warning("preparation_unanswered", part=part.id, agency=part.agency, error=type(answer).__name__)
    text = STOPPED if reason in UNBELIEVABLE else NOT_ANSWERED
    wanted = [fact for fact in part.facts_at(PREPARE) if fact.shown]
    return {
        "answered": False,
        "facts": [],
        "missing": [
            {
                "id": fact.id,
                "title": fact.title.as_dict(),
                "source": fact.agency,
                "reason": reason,
                "text": text.as_dict(),
            }
            for fact in wanted
        ],
        "decision": None,
    }


def _fact(part: Part, row: Mapping[str, Any]) -> FactView:
    known = next((fact for fact in part.facts_at(PREPARE) if fact.id == row["id"]), None)
    shown = row.get("shown")
    return FactView(
        id=row["id"],
        part=part.id,
        title=Text.of(row.get("title") or (known.title if known else row["id"])),
        value=Text.of(shown) if isinstance(shown, dict) else row.get("value"),
        source=row.get("source") or (known.agency if known else part.agency),
        service=row.get("service") or (known.service if known else ""),
        basis=row.get("basis") or (known.basis if known else CONSENT),
        answered_at=row.get("answered_at", ""),
        exchange=row.get("exchange", ""),
    )


def _missing(part: Part, row: Mapping[str, Any]) -> MissingView:
    known = next((fact for fact in part.facts if fact.id == row["id"]), None)
    return MissingView(
        id=row["id"],
        part=part.id,
        title=Text.of(row.get("title") or (known.title if known else row["id"])),
        source=row.get("source") or (known.agency if known else part.agency),
        reason=row.get("reason", "no-answer"),
        text=Text.of(row.get("text") or NOT_ANSWERED),
    )
