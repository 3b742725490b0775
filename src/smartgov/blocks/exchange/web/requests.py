"""Pages of requests for rights: ask, the list, and the review with the legal basis beside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from smartgov.blocks.audit import api as audit
from smartgov.blocks.directory import api as directory
from smartgov.blocks.exchange import api
from smartgov.blocks.exchange.web import words
from smartgov.blocks.exchange.web.offers import read_visibility
from smartgov.blocks.identity.api import actor, may, permit
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

USUAL_DAYS = 365
_NO_DAY = Text("Write the last day as YYYY-MM-DD", "請以 YYYY-MM-DD 填寫截止日")


@require_GET
@permit("exchange.view")
def requests(request: HttpRequest) -> HttpResponse:
    """What the own agency has asked for, and what it is to review."""
    rows = [(row, directory.purpose(row.purpose), *words.STATES[row.state]) for row in api.request_rows(actor(request))]
    return render(request, "exchange/requests.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@permit("exchange.ask")
def ask(request: HttpRequest, service: str) -> HttpResponse:
    """Ask for a right to a service, in the name of one of the own agency's systems."""
    who, name = actor(request), words.name_of(service)
    page = api.service_page(who, name)
    context: dict[str, Any] = {
        "page": page,
        "slug": service,
        "systems": [(one, one) for one in api.subsystems_of(who)],
        "endpoints": [(one, one) for one in page.row.endpoints],
        "fields": words.fields(page.fields, page.fields),
        "grounds": _grounds(personal=page.row.personal),
    }
    if request.method == "GET":
        until = clock.today() + timedelta(days=USUAL_DAYS)
        return render(request, "exchange/ask.html", {**context, "typed": {"until": until.isoformat()}})
    typed = request.POST
    try:
        made = api.ask_right(actor=who, wish=_wish(name, typed))
    except Problem as problem:
        shown = {
            **context,
            "typed": typed,
            "chosen_endpoints": typed.getlist("endpoints"),
            "chosen_fields": typed.getlist("fields"),
            "errors": {problem.extra.get("field", "form"): problem.why if problem.why.en else problem.what},
        }
        return render(request, "exchange/ask.html", shown, status=problem.status)
    return redirect("exchange:request", request_id=made)


@require_http_methods(["GET", "POST"])
@permit("exchange.view")
def review(request: HttpRequest, request_id: str) -> HttpResponse:
    """One request: what is asked on which ground, and the decision of the service's own agency."""
    if request.method == "GET":
        return _page(request, request_id)
    api.request_row(actor(request), request_id)
    try:
        _DEEDS.get(request.POST.get("do", ""), _refuse)(request, request_id)
    except Problem as problem:
        return _page(request, request_id, problem)
    return redirect("exchange:request", request_id=request_id)


def _page(request: HttpRequest, request_id: str, problem: Problem | None = None) -> HttpResponse:
    who = actor(request)
    row = api.request_row(who, request_id)
    label, kind = words.STATES[row.state]
    wanted = row.wanted_until or clock.today() + timedelta(days=USUAL_DAYS)
    context: dict[str, Any] = {
        "row": row,
        "slug": words.slug(row.service),
        "label": label,
        "kind": kind,
        "basis": words.BASES[row.basis],
        "visibilities": list(words.VISIBILITY_OF_A_RIGHT.items()),
        "purpose": directory.purpose(row.purpose),
        "may_review": row.may_review and may(request, "exchange.review"),
        "may_withdraw": row.may_withdraw and may(request, "exchange.ask"),
        "endpoints": [(one, one) for one in row.endpoints],
        "fields": words.fields(row.fields or (), api.service_page(who, row.service).fields),
        "typed": request.POST if problem else {"until": wanted.isoformat()},
        "chosen_endpoints": request.POST.getlist("endpoints") if problem else list(row.endpoints),
        "chosen_fields": request.POST.getlist("fields") if problem else list(row.fields or ()),
        "acts": words.acts(audit.entries(who.agency or "", object_id=row.id, limit=20)),
    }
    if problem is not None:
        context["errors"] = {problem.extra.get("field", "form"): problem.why if problem.why.en else problem.what}
    return render(request, "exchange/request.html", context, status=problem.status if problem else 200)


def _grant(request: HttpRequest, request_id: str) -> None:
    typed = request.POST
    may_or_raise(request, "exchange.review")
    fields = typed.getlist("fields") if "has_fields" in typed else None
    kind, terms = read_visibility({"visibility": "", **typed.dict()})
    api.grant_request(
        actor=actor(request),
        request=request_id,
        until=_day(typed.get("until", "")),
        fields=fields,
        endpoints=typed.getlist("endpoints"),
        reason=typed.get("reason", ""),
        visibility=kind,
        visibility_terms=terms,
    )


def _refuse(request: HttpRequest, request_id: str) -> None:
    may_or_raise(request, "exchange.review")
    api.refuse_request(actor=actor(request), request=request_id, reason=request.POST.get("reason", ""))


def _withdraw(request: HttpRequest, request_id: str) -> None:
    may_or_raise(request, "exchange.ask")
    api.withdraw_request(actor=actor(request), request=request_id)


_DEEDS: dict[str, Callable[[HttpRequest, str], None]] = {"grant": _grant, "refuse": _refuse, "withdraw": _withdraw}


def may_or_raise(request: HttpRequest, permission: str) -> None:
    """Problem `permission-missing` when this seat may look but not act."""
    if not may(request, permission):
        raise Problem(
            "permission-missing",
            403,
            what=Text("Your seat does not allow this.", "您目前的職務無此權限。"),
            todo=Text("Change the seat, or ask a colleague.", "請切換職務，或洽同仁辦理。"),
        )


def _wish(service: str, typed: QueryDict) -> api.Wish:
    kind, _, code = typed.get("basis", "").partition(":")
    if kind not in [*api.Basis]:
        raise Problem("form-incomplete", 422, what=Text("Choose a ground", "請選擇依據"), field="basis")
    fields = tuple(typed.getlist("fields"))
    return api.Wish(
        client=typed.get("client", ""),
        service=service,
        endpoints=tuple(typed.getlist("endpoints")),
        basis=api.Basis(kind),
        basis_code=code,
        purpose=typed.get("purpose", "").strip()[:200],
        fields=fields or None,
        explanation=typed.get("explanation", "").strip()[:500],
        until=_day(typed.get("until", "")),
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Problem("form-incomplete", 422, what=_NO_DAY, why=_NO_DAY, field="until") from None


def _grounds(*, personal: bool) -> list[tuple[str, Text]]:
    laws = [
        (f"statute:{row.code}", Text(f"{row.title.en} {row.article.en}", f"{row.title.zh} {row.article.zh}"))
        for row in directory.legal_bases()
    ]
    kinds = ("consent", "subject") if personal else ("none", "consent", "subject")
    return [*((f"{kind}:", words.BASES[kind]) for kind in kinds), *laws]
