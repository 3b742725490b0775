"""The auditor's page: what was done at their agency."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from smartgov.blocks.audit import api
from smartgov.blocks.ops.api import actor, permit
from smartgov.shared import clock


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
    context = {"entries": found, "asked": asked, "agency": agency, "pending": api.pending_uses(agency)}
    return render(request, "audit/entries.html", context)


def _start_of(text: str) -> datetime | None:
    """The start of a civil day in Taiwan; a date that is none filters nothing."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), clock.TAIPEI)
    except ValueError:
        return None
