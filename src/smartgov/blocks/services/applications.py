"""Verbs of the applicant: start, answer page by page, withdraw, hand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404

from smartgov.blocks.audit import api as audit
from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity import api as identity
from smartgov.blocks.notify import api as notify
from smartgov.blocks.ops import api as ops
from smartgov.blocks.services import catalogue, domain, paging
from smartgov.blocks.services.access import mine, my_application
from smartgov.blocks.services.models import Application, LifeEvent, Part, Step
from smartgov.blocks.services.preparing import fact_values
from smartgov.blocks.services.problems import not_a_draft
from smartgov.blocks.services.sending import dump, link_of
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.text import Text

Posted = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a posted page: saved (`goto` says where next), wrong (`errors`), or a `conflict` to settle."""

    goto: paging.Station | None = None
    errors: Mapping[str, Text] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    conflict: domain.Conflict | None = None
    out_of_order: bool = False


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What became of handing in: `done`, or where to go back to; `changed` when another window changed answers."""

    done: bool
    goto: paging.Station | None = None
    changed: bool = False
    errors: Mapping[str, Text] = field(default_factory=dict)


def start(*, actor: Actor, service: str, life_event: str) -> str:
    """Begin an application for a life event of the actor; a second start gives the first one's id."""
    subject = mine(actor)
    definition = catalogue.service(service)
    event = LifeEvent.objects.filter(subject=subject, id=life_event, kind=definition.life_event).first()
    if event is None:
        raise Http404
    present = Application.objects.filter(subject=subject, service=service, life_event=event.id).exclude(
        state=domain.WITHDRAWN
    )
    if (found := present.first()) is not None:
        return found.id
    try:
        return _create(actor, definition.id, event)
    except IntegrityError:
        # Two clicks at once: the database let one of them in.
        return present.get().id


def application(*, actor: Actor, application_id: str) -> Application:
    """The actor's own application."""
    return my_application(actor, application_id)


@transaction.atomic
def save_answer(
    *, actor: Actor, application_id: str, page: str, posted: Posted, seen: int | None, overwrite: bool = False
) -> Saved:
    """Keep one page. `seen` is the version that her window showed; a later change of this page elsewhere is a conflict
    unless she says `overwrite` after having seen both. Wrong values are not kept, and nothing else is lost."""
    row = my_application(actor, application_id, lock=True)
    if row.state != domain.DRAFT:
        raise not_a_draft()
    way = paging.stations(actor, row)
    if not paging.is_reachable(way, page):
        return Saved(goto=paging.first_open(way), out_of_order=True)
    form = catalogue.form(row.service)
    values, errors = form.validate_page(page, posted, facts=fact_values(row), answers=row.answers)
    if errors:
        return Saved(errors=errors, values=values)
    stored = {name: row.answers.get(name) for name in values}
    conflict = domain.conflict_of(
        seen=seen, page_version=row.page_versions.get(page, 0), version=row.version, stored=stored, typed=values
    )
    if conflict and not overwrite:
        return Saved(values=values, conflict=conflict)
    _keep(row, page, values)
    return Saved(goto=paging.after(paging.stations(actor, row), page), values=values)


@transaction.atomic
def withdraw(*, actor: Actor, application_id: str) -> None:
    """Throw a draft away, with everything typed in it; what was handed in stays."""
    row = my_application(actor, application_id, lock=True)
    if row.state == domain.WITHDRAWN:
        return
    if row.state != domain.DRAFT:
        raise not_a_draft()
    row.state, row.answers_text, row.prepared_text, row.touched_at = domain.WITHDRAWN, "", "", clock.now()
    row.save(update_fields=["state", "answers_text", "prepared_text", "touched_at"])
    audit.record(actor=actor, action="application.withdrawn", object_type="application", object_id=row.id)


@transaction.atomic
def submit(*, actor: Actor, application_id: str, posted: Posted, seen: int | None) -> HandedIn:
    """Hand the application in, once: a second submission finds it handed in and changes nothing.

    `posted` holds the fields of the check page (the declaration), `seen` the version that page showed.
    """
    row = my_application(actor, application_id, lock=True)
    if row.state == domain.SUBMITTED:
        return HandedIn(done=True)
    if row.state != domain.DRAFT:
        raise not_a_draft()
    way = paging.stations(actor, row)
    goal = paging.first_open(way)
    if goal.kind != "check":
        return HandedIn(done=False, goto=goal)
    if seen != row.version:
        return HandedIn(done=False, goto=goal, changed=True)
    form = catalogue.form(row.service)
    values, errors = form.validate_page(goal.name, posted, facts=fact_values(row), answers=row.answers)
    if errors:
        return HandedIn(done=False, errors=errors)
    _keep(row, goal.name, values)
    if wrong := form.validate_all(row.answers, facts=fact_values(row)):
        return HandedIn(done=False, goto=_station_of(way, next(iter(wrong))))
    _hand_in(actor, row)
    return HandedIn(done=True)


@transaction.atomic
def _create(actor: Actor, service: str, event: LifeEvent) -> str:
    new = uuid7()
    Application.objects.create(
        id=new,
        reference=domain.reference_of(new, service),
        subject=mine(actor),
        service=service,
        life_event=event.id,
        happened_on=event.happened_on,
        notification=str(event.facts.get("notification", "")),
    )
    audit.record(actor=actor, action="application.started", object_type="application", object_id=new)
    return new


def _keep(row: Application, page: str, values: Mapping[str, Any]) -> None:
    row.answers = {**row.answers, **values}
    row.version += 1
    row.page_versions = {**row.page_versions, page: row.version}
    row.touched_at = clock.now()
    row.save(update_fields=["answers_text", "version", "page_versions", "touched_at"])


def _station_of(way: list[paging.Station], page: str) -> paging.Station:
    return next((station for station in way if station.name == page), paging.first_open(way))


def _hand_in(actor: Actor, row: Application) -> None:
    definition = catalogue.service(row.service)
    parts = catalogue.chosen_parts(definition, row.answers)
    now = clock.now()
    row.state, row.submitted_at, row.touched_at = domain.SUBMITTED, now, now
    title = _representing(actor, row)
    row.save(update_fields=["state", "submitted_at", "touched_at", "representative_text"])
    for position, part in enumerate(parts):
        new = Part.objects.create(application=row, part=part.id, agency=part.agency, position=position)
        ops.emit("part_submitted", aggregate=new.id, payload={"part": new.id}, actor=actor)
    Step.objects.create(
        id=uuid7(),
        application=row,
        kind="submitted",
        at=now,
        body_text=dump({"title": title.as_dict()}),
    )
    audit.record(actor=actor, action="application.submitted", object_type="application", object_id=row.id)
    names = [directory.agency(part.agency).name for part in parts]
    notify.send(
        actor=actor,
        subject=row.subject,
        template="application_submitted",
        context={
            "reference": row.reference,
            "service": definition.title,
            "agencies": Text(", ".join(name.en for name in names), "、".join(name.zh for name in names)),
        },
        link=link_of(row),
        key=f"submitted:{row.id}",
    )


def _representing(actor: Actor, row: Application) -> Text:
    """Keep who acts for the applicant, by which mandate and on which evidence; the step in words."""
    if not actor.acting_for:
        return Text("You handed in your application", "您已送出申請")
    standing = identity.standing(actor=actor)
    evidence = standing.evidence
    if evidence is None or evidence.at is None:
        raise identity.mandate_over()
    told = {"source": evidence.source, "reference": evidence.reference, "at": evidence.at.isoformat()}
    kind = standing.represented.kind
    row.representative_text = dump(
        {"subject": actor.subject, "kind": kind.as_dict(), "mandate": actor.mandate, "evidence": told}
    )
    name = identity.subject_name(actor=actor, subject=actor.subject or "", purpose="application")
    said = Text("{name} handed in the application ({kind})", "{name}（{kind}）代為送出申請")
    return said.format(name=name, kind=kind)
