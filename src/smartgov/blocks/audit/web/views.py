"""The auditor's page: what was done at their agency."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

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
from smartgov.theme.words import bilingual, with_code, write_time

_FIRST_DAY, _LAST_DAY = date(1912, 1, 1), date(9998, 12, 31)
"""What a filter may name: the republic's first day, and the last one whose next day is still a date."""


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
    detail = bilingual(words.detail(entry.detail))
    deed, what = known.get(entry.action), words.OBJECTS.get(entry.object_type)
    return (
        write_time(entry.at),
        _linked(words.who(entry), "seat", entry.seat) if entry.seat else with_code(words.who(entry), entry.system),
        with_code(deed or entry.action, entry.action if deed else ""),
        _linked(what or Text.of(entry.object_type), "object", entry.object_id),
        format_html('<span class="small">{}</span>', detail) if detail else "–",
    )


def _linked(text: Text, name: str, code: str) -> SafeString:
    """Words, and under them a code that leads to everything else that was noted of it."""
    query = f"?{urlencode({name: code})}"
    return format_html('{}<small><a href="{}"><code>{}</code></a></small>', bilingual(text), query, code)


def _start_of(text: str) -> datetime | None:
    """The start of a civil day in Taiwan; a date that is none, or that no entry can have, filters nothing."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime.combine(day, time(), clock.TAIPEI) if _FIRST_DAY <= day <= _LAST_DAY else None
