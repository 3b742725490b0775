"""The auditor's page: what was done at their agency."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from smartgov.blocks.audit import api, words
from smartgov.blocks.ops.api import actor, deeds, permit
from smartgov.shared import clock
from smartgov.shared.text import Text
from smartgov.theme.words import bilingual, write_time


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
    known = deeds()
    context = {
        "asked": asked,
        "pending": api.pending_uses(agency),
        "columns": [_("Time"), _("Who"), _("Action"), _("Object"), _("Detail")],
        "rows": [_row(entry, known) for entry in found],
        "actions": [("", _("Every action")), *sorted(known.items())],
    }
    return render(request, "audit/entries.html", context)


def _row(entry: api.Entry, known: Mapping[str, Text]) -> tuple[SafeString | str, ...]:
    detail = ", ".join(f"{name}={value}" for name, value in entry.detail.items())
    deed, what = known.get(entry.action), words.OBJECTS.get(entry.object_type)
    return (
        write_time(entry.at),
        _both(words.who(entry), entry.seat or entry.system),
        _both(deed or Text.of(entry.action), entry.action if deed else ""),
        _both(what or Text.of(entry.object_type), entry.object_id),
        format_html('<span class="small">{}</span>', detail) if detail else "–",
    )


def _both(text: Text, code: str) -> SafeString:
    """Words for reading, and under them the code to search for."""
    return (
        format_html("{}<small><code>{}</code></small>", bilingual(text), code)
        if code
        else format_html("{}", bilingual(text))
    )


def _start_of(text: str) -> datetime | None:
    """The start of a civil day in Taiwan; a date that is none filters nothing."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), clock.TAIPEI)
    except ValueError:
        return None
