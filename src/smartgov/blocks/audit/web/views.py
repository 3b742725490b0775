"""The auditor's page: what was done at their agency."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from smartgov.blocks.audit import api
from smartgov.blocks.ops.api import actor, permit
from smartgov.shared import clock
from smartgov.theme.words import write_time


@require_GET
@permit("audit.view")
def entries(request: HttpRequest) -> HttpResponse:
    """The newest entries of the auditor's own agency, with filters in the address."""
    agency = actor(request).agency or ""
    asked = {name: request.GET.get(name, "").strip() for name in ("action", "object", "seat", "since", "until")}
    since, until = _start_of(asked["since"]), _start_of(asked["until"])
    found = api.entries(
        agency,
        action=asked["action"],
        object_id=asked["object"],
        seat=asked["seat"],
        since=since,
        until=until + timedelta(days=1) if until else None,
    )
    context = {
        "asked": asked,
        "pending": api.pending_uses(agency),
        "columns": [_("Time"), _("Who"), _("Action"), _("Object"), _("Detail")],
        "rows": [_row(entry) for entry in found],
    }
    return render(request, "audit/entries.html", context)


def _row(entry: api.Entry) -> tuple[str, str, str, str, str]:
    detail = ", ".join(f"{name}={value}" for name, value in entry.detail.items())
    what = f"{entry.object_type} {entry.object_id}"
    return write_time(entry.at), entry.seat or entry.system or entry.kind, entry.action, what, detail or "–"


def _start_of(text: str) -> datetime | None:
    """The start of a civil day in Taiwan; a date that is none filters nothing."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), clock.TAIPEI)
    except ValueError:
        return None
