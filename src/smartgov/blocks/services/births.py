"""Life events: what agencies announce about a person, and what she may start from it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction

from smartgov.blocks.identity import api as identity
from smartgov.blocks.notify import api as notify
from smartgov.blocks.ops import api as ops
from smartgov.blocks.services import catalogue, domain
from smartgov.blocks.services.access import mine
from smartgov.blocks.services.models import Application, LifeEvent
from smartgov.blocks.services.problems import different_body
from smartgov.engines.forms.services import ServiceDefinition
from smartgov.shared import clock, sealed
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text
from smartgov.shared.tw.roc import written

_EVENTS = uuid.UUID("0192f0c1-7d3a-7000-8000-6c6966652d31")
_INDEX = "services.life_event.person"


@dataclass(frozen=True, slots=True)
class LifeEventView:
    """A card on the wall: what happened, what can be done, by when, and the application if she has begun one."""

    id: str
    kind: str
    happened_on: date
    detail: Mapping[str, Any]
    service: ServiceDefinition
    deadline: domain.Deadline
    application: str
    application_state: str


@transaction.atomic
def announce_birth(
    *,
    actor: Actor,
    event_id: str,
    subject_national_id: str,
    happened_on: date,
    notification: str,
    detail: Mapping[str, str],
) -> tuple[bool, bool]:
    """Keep an announced birth; returns (whether it was known already, whether the mother has an account).

    `event_id` is the announcing agency's own. It may send it again; with other content it is refused
    (`life-event-differs`).
    """
    facts = {**detail, "notification": notification}
    digest = domain.body_digest({"on": happened_on.isoformat(), **facts})
    subject = identity.account_by_national_id(subject_national_id)
    row, created = LifeEvent.objects.get_or_create(
        id=str(uuid.uuid5(_EVENTS, f"{actor.agency}/{event_id}")),
        defaults={
            "subject": subject or "",
            "person_index": sealed.blind_index(subject_national_id, _INDEX),
            "kind": "birth",
            "happened_on": happened_on,
            "detail": json.dumps(facts, ensure_ascii=False),
            "source": actor.agency or "",
            "body_digest": digest,
        },
    )
    if row.body_digest != digest:
        raise different_body("life-event-differs")
    if created and subject:
        ops.emit("life_event_announced", aggregate=row.id, payload={"life_event": row.id}, actor=actor)
    return not created, subject is not None


def life_events(*, actor: Actor) -> list[LifeEventView]:
    """The actor's own life events, newest first, each with the service it opens."""
    subject = mine(actor)
    _adopt(actor, subject)
    views = []
    for row in LifeEvent.objects.filter(subject=subject).order_by("-happened_on"):
        views += [_view(row, service) for service in catalogue.for_life_event(row.kind)]
    return views


def tell_parent(event: ops.EmittedEvent) -> None:
    """Listener of `life_event_announced`: a notice on her wall and by mail."""
    row = LifeEvent.objects.filter(id=event.payload["life_event"]).first()
    if row is None:
        return
    for view in (_view(row, service) for service in catalogue.for_life_event(row.kind)):
        notify.send(
            actor=event.actor,
            subject=row.subject,
            template="birth_announced",
            context={
                "hospital": row.facts.get("hospital") or Text("A hospital", "醫療院所"),
                "born_on": written(row.happened_on),
                "deadline": written(view.deadline.day),
            },
            link="/",
            key=f"life-event:{row.id}",
        )


def _adopt(actor: Actor, subject: str) -> None:
    """Give her the events that were announced before she had an account."""
    waiting = LifeEvent.objects.filter(subject="")
    if waiting.exists():
        person = identity.subject_national_id(actor=actor, subject=subject, purpose="life-events")
        waiting.filter(person_index=sealed.blind_index(person, _INDEX)).update(subject=subject)


def _view(row: LifeEvent, service: ServiceDefinition) -> LifeEventView:
    source = service.deadline_source
    application = (
        Application.objects.filter(subject=row.subject, service=service.id, life_event=row.id)
        .exclude(state=domain.WITHDRAWN)
        .first()
    )
    return LifeEventView(
        id=row.id,
        kind=row.kind,
        happened_on=row.happened_on,
        detail=row.facts,
        service=service,
        deadline=domain.deadline_of(
            happened_on=row.happened_on,
            days=service.deadline_days,
            source=Text(f"{source.title.en}, {source.article.en}", f"{source.title.zh}{source.article.zh}"),
            today=clock.today(),
        ),
        application=application.id if application else "",
        application_state=application.state if application else "",
    )
