"""The pages of a draft: one question a page, what the agencies found, check and send. All work without scripts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from smartgov.blocks.identity.api import actor, permit
from smartgov.blocks.services import api, consenting, domain, paging
from smartgov.blocks.services.web import cards, present
from smartgov.shared.actor import Actor

# Why somebody stands on another page than the one they asked for; shown once, on that page.
REASONS = frozenset({"order", "changed", "saved", "unanswered"})


@permit("services.apply")
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Begin, or go on with what was begun."""
    application = api.start(
        actor=actor(request), service=request.POST.get("service", ""), life_event=request.POST.get("life_event", "")
    )
    return HttpResponseRedirect(reverse("services:application", args=[application]))


@permit("services.apply")
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, application: UUID, page: str) -> HttpResponse:
    """One question."""
    who = actor(request)
    row = api.application(actor=who, application_id=str(application))
    if elsewhere := _elsewhere(who, row, page):
        return elsewhere
    if request.method != "POST":
        return _show_page(request, who, row, page)
    result = api.save_answer(
        actor=who,
        application_id=row.id,
        page=page,
        posted=present.posted(request),
        seen=_version(request),
        overwrite="overwrite" in request.POST,
    )
    if result.out_of_order:
        assert result.goto is not None
        return _redirect(row, result.goto, "order")
    if result.errors:
        return _show_page(request, who, row, page, errors=result.errors, status=422)
    if result.conflict:
        context = {
            "conflict": present.conflict(row, page, result.conflict, present.posted(request)),
            **present.page(request, who, row, page),
        }
        return render(request, "services/conflict.html", context, status=409)
    assert result.goto is not None
    if request.GET.get("from") == "check":
        return HttpResponseRedirect(_back_to_check(who, row))
    return _redirect(row, result.goto)


@permit("services.apply")
@require_http_methods(["GET"])
def consent(request: HttpRequest, application: UUID) -> HttpResponse:
    """To the consent page, which belongs to mydata; it leads back to what the agencies found."""
    who = actor(request)
    row = api.application(actor=who, application_id=str(application))
    if elsewhere := _elsewhere(who, row, _name_of(who, row, "consent")):
        return elsewhere
    back = reverse("services:facts", args=[row.id])
    if not consenting.items(row):
        return HttpResponseRedirect(back)
    return HttpResponseRedirect(reverse("mydata:request", args=[consenting.request_for(who, row, back)]))


@permit("services.apply")
@require_http_methods(["GET", "POST"])
def facts(request: HttpRequest, application: UUID) -> HttpResponse:
    """What the agencies found, beside source and time; POST asks them (again)."""
    who = actor(request)
    row = api.application(actor=who, application_id=str(application))
    if elsewhere := _elsewhere(who, row, "facts"):
        return elsewhere
    if request.method == "POST":
        api.prepare(actor=who, application=row.id)
        return HttpResponseRedirect(reverse("services:facts", args=[row.id]))
    way = paging.stations(who, row)
    done = next(station.done for station in way if station.name == "facts")
    parts = cards.previews(row, api.previews(actor=who, application=row.id))
    context = {
        "application": row,
        "asked": done,
        "parts": parts,
        "missing": any(part["missing"] for part in parts),
        "saved_proofs": present.saved_proofs(row),
        "next": paging.after(way, "facts").url(row.id),
        **present.progress(way, "facts"),
    }
    return render(request, "services/facts.html", context)


@permit("services.apply")
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, application: UUID) -> HttpResponse:
    """All answers to look over, the declaration, and the button that hands in."""
    who = actor(request)
    row = api.application(actor=who, application_id=str(application))
    if row.state == domain.SUBMITTED:
        return HttpResponseRedirect(reverse("services:application", args=[row.id]))
    name = _name_of(who, row, "check")
    if elsewhere := _elsewhere(who, row, name):
        return elsewhere
    if request.method != "POST":
        return _show_check(request, who, row, name)
    result = api.submit(actor=who, application_id=row.id, posted=present.posted(request), seen=_version(request))
    if result.done:
        return HttpResponseRedirect(reverse("services:application", args=[row.id]))
    if result.errors:
        return _show_check(request, who, row, name, errors=result.errors, status=422)
    assert result.goto is not None
    return _redirect(row, result.goto, "changed" if result.changed else "unanswered")


@permit("services.apply")
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, application: UUID) -> HttpResponse:
    """Ask once more, then throw the draft away."""
    who = actor(request)
    row = api.application(actor=who, application_id=str(application))
    if request.method == "POST":
        api.withdraw(actor=who, application_id=row.id)
        return HttpResponseRedirect(reverse("home"))
    return render(request, "services/withdraw.html", {"application": row})


def _elsewhere(who: Actor, row: api.Application, name: str) -> HttpResponse | None:
    """Where to go when this page is not for now: the timeline once handed in, else the first open question."""
    if row.state != domain.DRAFT:
        return HttpResponseRedirect(reverse("services:application", args=[row.id]))
    way = paging.stations(who, row)
    if paging.is_reachable(way, name):
        return None
    return _redirect(row, paging.first_open(way), "order")


def _name_of(who: Actor, row: api.Application, kind: str) -> str:
    return next((station.name for station in paging.stations(who, row) if station.kind == kind), kind)


def _show_page(
    request: HttpRequest, who: Actor, row: api.Application, page: str, *, errors: Any = None, status: int = 200
) -> HttpResponse:
    context = present.page(request, who, row, page, errors=errors or {})
    return render(request, "services/page.html", context, status=status)


def _show_check(
    request: HttpRequest, who: Actor, row: api.Application, page: str, *, errors: Any = None, status: int = 200
) -> HttpResponse:
    context = {**present.page(request, who, row, page, errors=errors or {}), **present.check(who, row)}
    return render(request, "services/check.html", context, status=status)


def _back_to_check(who: Actor, row: api.Application) -> str:
    """After a change from the check page: there again, or to a question that the change opened."""
    fresh = api.application(actor=who, application_id=row.id)
    return paging.first_open(paging.stations(who, fresh)).url(row.id)


def _redirect(row: api.Application, station: paging.Station, reason: str = "") -> HttpResponseRedirect:
    url = station.url(row.id)
    return HttpResponseRedirect(f"{url}?why={reason}" if reason else url)


def _version(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None
