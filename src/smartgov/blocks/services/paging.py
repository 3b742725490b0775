"""The way through an application: questions, consent, what the agencies found, check and send.

A station is open when everything before it is done. Whoever comes to a later one is led to the first open one, with
the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.urls import reverse

from smartgov.blocks.services import catalogue, consenting
from smartgov.blocks.services.models import Application
from smartgov.engines import forms
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

Kind = Literal["page", "consent", "facts", "check"]
_FACTS = Text("What the agencies found", "機關查得的資料")


@dataclass(frozen=True, slots=True)
class Station:
    """One stop on the way; `name` is the form's page id, or `facts`."""

    kind: Kind
    name: str
    title: Text
    done: bool

    def url(self, application: str) -> str:
        """The address of this station."""
        if self.kind in ("consent", "facts", "check"):
            return reverse(f"services:{self.kind}", args=[application])
        return reverse("services:page", args=[application, self.name])


def stations(actor: Actor, application: Application) -> list[Station]:
    """All stops, given the answers so far."""
    form = catalogue.form(application.service)
    found: list[Station] = []
    for page in form.visible_pages(application.answers):
        kind = kind_of(page)
        found.append(Station(kind, page.id, page.title, _done(actor, application, page, kind)))
        if kind == "consent":
            found.append(Station("facts", "facts", _FACTS, _has_facts(application)))
    return found


def first_open(way: list[Station]) -> Station:
    """The first station that is not done; the last one (check and send) is never done before it is sent."""
    return next((station for station in way if not station.done), way[-1])


def after(way: list[Station], name: str) -> Station:
    """The station to go to after `name` was saved: the next open one, else the check page."""
    names = [station.name for station in way]
    later = way[names.index(name) + 1 :] if name in names else way
    return next((station for station in later if not station.done), first_open(way))


def is_reachable(way: list[Station], name: str) -> bool:
    """Whether everything before `name` is done."""
    for station in way:
        if station.name == name:
            return True
        if not station.done:
            return False
    return False


def kind_of(page: forms.Page) -> Kind:
    """What sort of station a page of the form is."""
    if page.summary:
        return "check"
    if any(field.elsewhere for field in page.fields):
        return "consent"
    return "page"


def _done(actor: Actor, application: Application, page: forms.Page, kind: Kind) -> bool:
    if kind == "check":
        return False
    if kind == "consent":
        return consenting.is_decided(actor, application)
    return page.id in application.page_versions


def _has_facts(application: Application) -> bool:
    """Whether every chosen part was asked since the parts were chosen."""
    definition = catalogue.service(application.service)
    wanted = {part.id for part in catalogue.chosen_parts(definition, application.answers)}
    return application.prepared_at is not None and wanted <= set(application.prepared)


__all__ = ["Station", "after", "first_open", "is_reachable", "kind_of", "stations"]
