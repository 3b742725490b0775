"""What the pages say in words: agencies' names, titles of laws, fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404

from smartgov.blocks.directory import api as directory
from smartgov.blocks.mydata.api import ConsentItem, ConsentView, RequestView, TrailEntry, TrailView
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


@dataclass(frozen=True, slots=True)
class Group:
    """What one agency asks for on the consent page."""

    agency: Text
    items: list[dict[str, Any]] = field(default_factory=list)


def groups(view: RequestView) -> list[Group]:
    """The items of a consent page by asking agency; everything is ticked only if she ticked it."""
    found: dict[str, Group] = {}
    for item in view.items:
        group = found.setdefault(item.agency, Group(agency_name(item.agency)))
        ticked = view.allowed is not None and item.id in view.allowed
        group.items.append({"item": item, "source": agency_name(item.source), "ticked": ticked})
    return list(found.values())


def consents(views: Iterable[ConsentView]) -> list[dict[str, Any]]:
    """Consents with names."""
    return [_consent(view) for view in views]


def one_consent(views: Iterable[ConsentView], consent: str) -> dict[str, Any]:
    """One of them, or Http404."""
    for view in views:
        if view.id == consent:
            return _consent(view)
    raise Http404


def rows(view: TrailView) -> list[dict[str, Any]]:
    """The lines of the trail with names of agencies and laws."""
    names = {member.member: member.name for member in view.members}
    return [
        {
            "entry": entry,
            "agency": agency_name(entry.agency),
            "source": agency_name(entry.source) if entry.source else None,
            "law": law(entry),
            "recorded_by": [names.get(member, Text.of(member)) for member in entry.recorded_by],
        }
        for entry in view.entries
    ]


def agency_name(code: str) -> Text:
    """The agency's name, or its code when the directory does not know it."""
    try:
        return directory.agency(code).name
    except Problem:
        return Text.of(code)


def law(entry: TrailEntry) -> Text:
    """The law or consent on which data was used, in words."""
    if entry.consent:
        return Text("Your consent", "您的同意")
    if entry.basis == "subject":
        return Text("You asked for it yourself", "您本人申請")
    try:
        found = directory.legal_basis(entry.basis)
    except Problem:
        return Text.of(entry.basis or "—")
    return Text(f"{found.title.en}, {found.article.en}", f"{found.title.zh} {found.article.zh}")


def _consent(view: ConsentView) -> dict[str, Any]:
    item: ConsentItem = view.item
    return {"view": view, "item": item, "agency": agency_name(item.agency), "source": agency_name(item.source)}
