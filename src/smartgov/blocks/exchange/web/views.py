"""Pages for officers, operators and auditors: members with their keys, rights, the published rules, live traffic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from smartgov.blocks.directory import api as directory
from smartgov.blocks.exchange import api
from smartgov.blocks.exchange.web import alarms, words
from smartgov.blocks.exchange.web.answering import answers
from smartgov.blocks.identity.api import actor, may, permit
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

LARGEST_FILE = 2**20
_NO_DAY = Text("Write the last day as YYYY-MM-DD", "請以 YYYY-MM-DD 填寫截止日")
_ENDS_SOON = Text("Ends soon", "即將屆期")
REFRESHES = (5, 10, 60)


@require_GET
@permit("exchange.view")
def members(request: HttpRequest) -> HttpResponse:
    """Members with the health of their gateways, and the services they offer."""
    problem = None
    try:
        offered = api.services()
    except Problem as unknown:  # the gateway that knows them is down, which this page is to show
        offered, problem = [], unknown
    gateways = api.health()
    rows = [
        {
            "health": row,
            "alarms": [alarms.said(code) for code in row.alarms],
            "services": [one for one in offered if one.member.endswith("/" + row.agency)],
        }
        for row in gateways
    ]
    elsewhere = any(row.elsewhere for row in gateways)
    shown = {"rows": rows, "elsewhere": elsewhere, "problem": problem if rows else None}
    return render(request, "exchange/members.html", shown)


@require_http_methods(["GET", "POST"])
@permit("exchange.view")
def member(request: HttpRequest, code: str) -> HttpResponse:
    """A member's systems, gateways, keys and the ends of its certificates; its own officers add a system."""
    who = actor(request)
    page, errors, typed = api.member_page(who, code), {}, ""
    may_add = page.own and may(request, "exchange.offer")
    if request.method == "POST":
        typed = request.POST.get("name", "").strip()
        if not may_add:
            raise Problem("not-registered", 404, what=Text("There is nothing here.", "這裡沒有資料。"))
        try:
            api.add_subsystem(actor=who, subsystem=f"{page.id}/{typed}")
            return redirect("exchange:member", code=code)
        except Problem as problem:
            errors = {"name": problem.why}
    gateways = [
        (one, [(words.KEYS.get(name, Text.of(name)), shown) for name, shown in one.keys.items()])
        for one in page.gateways
    ]
    context = {"page": page, "gateways": gateways, "may_add": may_add, "errors": errors, "typed": typed}
    return render(request, "exchange/member.html", context, status=422 if errors else 200)


@require_GET
@permit("exchange.view")
def rights(request: HttpRequest) -> HttpResponse:
    """Every right in force as the gateway has verified it, and those of the own agency in all states."""
    return _rights(request)


def _rights(request: HttpRequest, problem: Problem | None = None) -> HttpResponse:
    own = [_state(row) for row in api.right_rows(actor(request))]
    known, unknown = api.known_members()
    in_force = [] if unknown else api.rights()
    context = {
        "rights": [(row, directory.purpose(row.purpose), words.basis(row.basis, row.basis_code)) for row in in_force],
        "unknown": unknown if known else None,
        "own": own,
        "may_revoke": may(request, "exchange.review"),
        "problem": problem,
    }
    return render(request, "exchange/rights.html", context, status=problem.status if problem else 200)


@permit("exchange.review")
@answers("exchange:rights")
def revoke(request: HttpRequest, right_id: str) -> HttpResponse:
    """End a right to a service of the own agency."""
    who, reason = actor(request), request.POST.get("reason", "")
    return _changed(request, lambda: api.end_right(actor=who, right=right_id, reason=reason))


@permit("exchange.review")
@answers("exchange:rights")
def renew(request: HttpRequest, right_id: str) -> HttpResponse:
    """Let a right to a service of the own agency end later."""
    try:
        until = date.fromisoformat(request.POST.get("until", "").strip())
    except ValueError:
        return _rights(request, Problem("form-incomplete", 422, what=_NO_DAY, why=_NO_DAY))
    who = actor(request)
    return _changed(request, lambda: api.renew_right(actor=who, right=right_id, until=until))


def _changed(request: HttpRequest, act: Callable[[], None]) -> HttpResponse:
    try:
        act()
    except Problem as problem:
        if problem.status == 404:
            raise
        return _rights(request, problem)
    return redirect("exchange:rights")


@require_http_methods(["GET", "POST"])
@permit("exchange.view")
def rules(request: HttpRequest) -> HttpResponse:
    """The published rules for OpenAPI documents; a file is held to them and nothing is kept."""
    context: dict[str, Any] = {"ruleset": api.rules(), "errors": {}, "findings": None}
    upload = request.FILES.get("document") if request.method == "POST" else None
    if request.method == "POST" and (upload is None or (upload.size or 0) > LARGEST_FILE):
        context["errors"] = {"document": Text("Choose a file of at most 1 MB", "請選擇 1 MB 以內的檔案")}
    elif upload is not None:
        context["findings"] = api.lint(upload.read())
    return render(request, "exchange/rules.html", context, status=422 if context["errors"] else 200)


@require_GET
@permit("exchange.view")
def traffic(request: HttpRequest) -> HttpResponse:
    """What gateways have counted, now; the reader chooses whether the page comes again by itself."""
    who = actor(request)
    every = request.GET.get("every", "")
    seconds = int(every) if every.isdecimal() and int(every) in REFRESHES else 0
    names = {row.code: row.name for row in api.known_members()[0]}
    agencies = [who.agency or ""] if who.agency != api.PORTAL else list(names)
    figures = [_figures(agency, names) for agency in agencies]
    figures.sort(key=lambda one: not one.get("rows"))  # those with calls first; the others keep their order
    context = {"gateways": figures, "every": seconds, "refreshes": REFRESHES}
    answer = render(request, "exchange/traffic.html", context)
    if seconds:
        answer.headers["Refresh"] = str(seconds)
    return answer


def _figures(agency: str, names: Mapping[str, Text]) -> dict[str, Any]:
    named = {"agency": agency, "name": names.get(agency, Text.of(agency))}
    try:
        said = api.traffic(agency)
    except Problem as problem:
        return {**named, "problem": problem, "kind": "plain" if problem.slug == api.ELSEWHERE else "bad"}
    rows = [
        {**row, "failed": sum(row["refused"].values()), "why": words.refusals(row["refused"])} for row in said["rows"]
    ]
    answered, failed = sum(row["answered"] for row in rows), sum(row["failed"] for row in rows)
    return {
        **named,
        "since": said["since"],
        "rows": rows,
        "minutes": said["minutes"],
        "most": max(said["minutes"]) or 1,
        "figures": (answered, failed, sum(said["minutes"]), said["minutes"][-1]),
    }


def _state(row: api.RightRow) -> dict[str, Any]:
    state = "expired" if row.state == "granted" and not row.in_force else row.state
    label, kind = words.STATES[state]
    if row.ends_soon:
        label, kind = _ENDS_SOON, "waiting"
    return {
        "row": row,
        "label": label,
        "kind": kind,
        "basis": words.basis(row.citation or row.basis, row.basis_code),
        "purpose": directory.purpose(row.purpose),
        "origin": words.origin(row.origin),
        "visibility": words.visibility(row.visibility, row.visibility_terms) if row.visibility else None,
        "renewable": row.own and row.state == "granted",
    }
