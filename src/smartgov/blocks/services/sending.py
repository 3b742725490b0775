"""Listeners of the outbox: hand parts and answers to the agencies over T-Road until they have them.

Each agency gets only its own part, its own answers and its own consents. A part's id is the key against doubles, so a
message that is sent twice opens one case.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_date

from smartgov.blocks.directory import api as directory
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.identity import api as identity
from smartgov.blocks.mydata import api as mydata
from smartgov.blocks.notify import api as notify
from smartgov.blocks.ops import api as ops
from smartgov.blocks.services import catalogue, domain
from smartgov.blocks.services.access import part_of
from smartgov.blocks.services.models import Application, Part, Step, Supplement
from smartgov.blocks.services.preparing import cases_service
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

TOLD_AFTER_ATTEMPTS = 3
_TRY_LATER = frozenset({409, 425, 429})
_RECEIVED = Text("{agency} has your application", "{agency}已收件")
_WAITING = Text("{agency} has it and waits for the step before", "{agency}已收件，等候前一步驟")


def send_application(event: ops.EmittedEvent) -> None:
    """Listener of `part_submitted`: open the case at the part's agency. Raises until the agency has it."""
    part = part_of(event.payload["part"])
    if part.sent_at is not None:
        return
    try:
        answer = _call(event.actor, part, "/cases", _case_body(event.actor, part))
    except Problem as problem:
        _note_failure(event.actor, part, problem)
        raise
    _note_receipt(part, answer)


def send_supplement(event: ops.EmittedEvent) -> None:
    """Listener of `supplement_answered`: bring her answer to the agency that asked."""
    row = Supplement.objects.select_related("part__application").get(id=event.payload["supplement"])
    if row.sent_at is not None or row.answered_at is None:
        return
    body = {"supplement": row.id, "answers": row.answer, "answered_at": row.answered_at.isoformat()}
    answer = _call(event.actor, row.part, f"/cases/{row.part_id}/supplements", body)
    with transaction.atomic():
        Supplement.objects.filter(id=row.id).update(sent_at=clock.now())
        Part.objects.filter(id=row.part_id).update(**_next_of(answer.body))


def _call(actor: Actor, part: Part, path: str, body: dict[str, Any]) -> exchange.Answer:
    application = part.application
    return exchange.call(
        actor=actor,
        agency=exchange.PORTAL,
        service=cases_service(part.agency),
        method="POST",
        path=path,
        json=body,
        subject=identity.subject_national_id(actor=actor, subject=application.subject, purpose="application"),
        purpose=f"{application.service}.{part.part}",
        basis="subject",
        case=part.id,
    )


def _case_body(actor: Actor, part: Part) -> dict[str, Any]:
    application = part.application
    definition = catalogue.service(application.service)
    chosen = catalogue.chosen_parts(definition, application.answers)
    spec = definition.part(part.part)
    ids = {row.part: row.id for row in application.parts.all()}
    assert application.submitted_at is not None
    return {
        "application": application.id,
        "part_id": part.id,
        "service": application.service,
        "part": part.part,
        "reference": application.reference,
        "applicant_name": identity.subject_name(actor=actor, subject=application.subject, purpose="application"),
        "representative": _representative(actor, application),
        "submitted_at": application.submitted_at.isoformat(),
        "notification": application.notification or None,
        "answers": wire_answers(application, spec.answers),
        "consents": mydata.artefacts(actor=actor, application=application.id).get(part.part, {}),
        "waits_for": [name for name in spec.after if name in ids],
        "followers": [
            {"agency": item.agency, "part": item.id, "part_id": ids[item.id]}
            for item in definition.followers(part.part)
            if item in chosen and item.id in ids
        ],
    }


def _representative(actor: Actor, application: Application) -> dict[str, Any] | None:
    """Who handed it in for the applicant; the number is a person reference that the gateways encrypt."""
    if not application.representative:
        return None
    told = dict(application.representative)
    subject = told.pop("subject")
    number = identity.subject_national_id(actor=actor, subject=subject, purpose="application")
    name = identity.subject_name(actor=actor, subject=subject, purpose="application")
    return {"person": national_id.urn(number), "name": name, **told}


def wire_answers(application: Application, names: tuple[str, ...]) -> dict[str, Any]:
    """The named answers as they travel: a national id only ever as a person reference for the gateways to encrypt."""
    persons = catalogue.person_fields(application.service)
    answers = application.answers
    return {
        name: national_id.urn(answers[name]) if name in persons and answers[name] else answers[name]
        for name in names
        if name in answers
    }


@transaction.atomic
def _note_receipt(part: Part, answer: exchange.Answer) -> None:
    body = answer.body
    state = body.get("state", domain.RECEIVED)
    name = directory.agency(part.agency).name
    Step.objects.get_or_create(
        id=str(uuid.uuid5(uuid.UUID(part.id), "received")),
        defaults={
            "application": part.application,
            "part": part,
            "kind": state if state in domain.STATE_OF_KIND else domain.RECEIVED,
            "at": answer.answered_at,
            "body_text": dump(
                {"title": (_WAITING if state == domain.WAITING else _RECEIVED).format(agency=name).as_dict()}
            ),
            "body_digest": "",
        },
    )
    Part.objects.filter(id=part.id).update(
        sent_at=clock.now(), number=str(body.get("number") or "")[:40], **_next_of(body)
    )
    refresh_state(part)


def _note_failure(actor: Actor, part: Part, problem: Problem) -> None:
    """Show honestly that the part is not with its agency yet; after a few attempts tell her, once.

    When our own gateway is down the agency is not to blame: the part stays on its way.
    """
    if _is_ours(problem):
        return
    refused = 400 <= problem.status < 500 and problem.status not in _TRY_LATER
    with transaction.atomic():
        row = Part.objects.select_for_update().get(id=part.id)
        row.attempts += 1
        row.state = domain.STOPPED if refused else domain.DELAYED
        row.save(update_fields=["attempts", "state"])
        if row.attempts == TOLD_AFTER_ATTEMPTS:
            notify.send(
                actor=actor,
                subject=part.application.subject,
                template="delivery_delayed",
                context={"reference": part.application.reference, "agency": directory.agency(part.agency).name},
                link=link_of(part.application),
                key=f"delayed:{part.id}",
            )


def _is_ours(problem: Problem) -> bool:
    """Whether our own gateway is down or slow; the outage of another one comes with that gateway's name."""
    return problem.slug in {"gateway-unreachable", "gateway-silent"} and problem.extra.get("gateway", "own") == "own"


def refresh_state(part: Part) -> None:
    """Set the part's state from all its steps, whatever order they arrived in."""
    steps = [(step.at, step.kind) for step in Step.objects.filter(part=part)]
    sent = Part.objects.get(id=part.id).sent_at is not None
    start = domain.RECEIVED if sent else part.state
    Part.objects.filter(id=part.id).update(state=domain.state_after(steps, start=start))


def link_of(application: Application) -> str:
    """The path of an application's own page."""
    return f"/services/applications/{application.id}/"


def dump(body: dict[str, Any]) -> str:
    """The stored form of a step."""
    return json.dumps(body, ensure_ascii=False)


def _next_of(body: dict[str, Any]) -> dict[str, Any]:
    by = body.get("by")
    return {"next_text": body.get("next"), "next_by": parse_date(by) if isinstance(by, str) else None}
