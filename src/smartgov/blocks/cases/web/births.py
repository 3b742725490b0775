"""The hospital's pages: births notified here, and a new one."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from smartgov.blocks.cases import api
from smartgov.blocks.cases.births import MESSAGES, SEXES
from smartgov.blocks.cases.web.rows import SEX, hidden
from smartgov.blocks.identity.api import actor, permit
from smartgov.shared import clock
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.tw.roc import from_written

NAMES = ("mother_id", "mother_name", "child_sex", "weight_g", "gestation_weeks", "birth_order", "hospital", "key")


@require_GET
@permit("cases.notify_birth")
def births(request: HttpRequest) -> HttpResponse:
    """Births notified at this agency, newest first."""
    found = [
        {
            "mother": hidden(birth.mother),
            "born_on": (birth.row or {}).get("born_on"),
            "hospital": (birth.row or {}).get("hospital"),
            "notified_at": birth.notified_at,
            "kind": "done" if birth.announced else "active" if birth.recorded_at else "waiting",
        }
        for birth in api.announced_births(actor=actor(request))
    ]
    return render(request, "cases/births.html", {"births": found, "sent": request.GET.get("sent")})


@require_http_methods(["GET", "POST"])
@permit("cases.notify_birth")
def new_birth(request: HttpRequest) -> HttpResponse:
    """Notify one birth; sending the form twice notifies it once."""
    if request.method == "GET":
        return _form(request, {"key": uuid7()}, {})
    typed = {name: request.POST.get(name, "").strip() for name in NAMES}
    notification, errors = _read(request, typed)
    if notification is not None:
        try:
            api.record_birth_notification(actor=actor(request), notification=notification, key=typed["key"])
        except Problem as problem:
            if problem.slug != "birth-invalid":
                raise
            errors = {name: MESSAGES[name] for name in problem.extra.get("fields", ())}
        else:
            return redirect("/cases/births/?sent=1")
    return _form(request, typed, errors)


def _form(request: HttpRequest, typed: dict[str, str], errors: dict[str, Any]) -> HttpResponse:
    context = {
        "typed": typed,
        "errors": errors,
        "born_on": {part: request.POST.get(f"born_on_{part}", "") for part in ("y", "m", "d")},
        "sexes": [(sex, SEX[sex]) for sex in SEXES],
        "today": clock.today(),
    }
    return render(request, "cases/birth_new.html", context, status=422 if errors else 200)


def _read(request: HttpRequest, typed: dict[str, str]) -> tuple[api.Notification | None, dict[str, Any]]:
    numbers = {name: _number(typed[name]) for name in ("weight_g", "gestation_weeks", "birth_order")}
    born_on = _day(request)
    wrong = [name for name, value in {**numbers, "born_on": born_on}.items() if value is None]
    notification = api.Notification(
        mother_id=typed["mother_id"].upper(),
        mother_name=typed["mother_name"],
        child_sex=typed["child_sex"],
        born_on=born_on or date.min,
        weight_g=numbers["weight_g"] or 0,
        gestation_weeks=numbers["gestation_weeks"] or 0,
        birth_order=numbers["birth_order"] or 0,
        hospital=typed["hospital"],
    )
    errors = {**{name: MESSAGES[name] for name in wrong}, **notification.errors(clock.today())}
    return (None, errors) if errors else (notification, {})


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None


def _day(request: HttpRequest) -> date | None:
    parts = [_number(request.POST.get(f"born_on_{part}", "").strip()) for part in ("y", "m", "d")]
    if any(part is None for part in parts):
        return None
    try:
        return from_written(*(part or 0 for part in parts))
    except ValueError:
        return None
