"""Pages of services: the list, one with its contract and rights, publishing from a file or from tables."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange import api
from smartgov.blocks.exchange.web import words
from smartgov.blocks.exchange.web.answering import answers
from smartgov.blocks.exchange.web.views import LARGEST_FILE
from smartgov.blocks.identity.api import actor, may, permit
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

KEPT = "document_kept"
"""The document that the page shows the changes of, carried in base64 from there to its answer."""
_NUMBERS = ("body_bytes", "seconds", "per_minute", "per_day", "retain_days")
_A_DAY = Text("Write the day as YYYY-MM-DD", "請以 YYYY-MM-DD 填寫日期")
_WHOLE = Text("Write a whole number", "請填寫整數")


@require_GET
@permit("exchange.view")
def services(request: HttpRequest) -> HttpResponse:
    """Every service, the own agency's first."""
    rows = [(row, words.slug(row.id)) for row in api.service_rows(actor(request))]
    return render(request, "exchange/services.html", {"rows": rows, "may_offer": may(request, "exchange.offer")})


@require_GET
@permit("exchange.view")
def service(request: HttpRequest, service: str) -> HttpResponse:
    """One service with everything that is known of it."""
    return _page(request, words.name_of(service))


@require_GET
@permit("exchange.view")
def document(request: HttpRequest, service: str) -> HttpResponse:
    """Its OpenAPI document in force."""
    content = api.document_of(words.name_of(service))
    kind = "application/json" if content.lstrip()[:1] == "{" else "application/yaml"
    return HttpResponse(content, content_type=f"{kind}; charset=utf-8")


@permit("exchange.offer")
@answers("exchange:service", "service")
def change(request: HttpRequest, service: str) -> HttpResponse:
    """Other settings, another document, or both; another document after a page that shows what changes."""
    name, who = words.name_of(service), actor(request)
    if not api.service_page(who, name).row.own:
        raise Http404
    try:
        settings, document = _settings(request.POST), _document(request)
        return _offered(request, name, settings, document)
    except Problem as problem:
        return _page(request, name, problem)


@require_http_methods(["GET", "POST"])
@permit("exchange.offer")
def withdraw(request: HttpRequest, service: str) -> HttpResponse:
    """Offer a service no more, after a page that says what then happens and to whom."""
    name, who = words.name_of(service), actor(request)
    page = api.service_page(who, name)
    if not page.row.own:
        raise Http404
    if page.row.withdrawn:
        return redirect("exchange:service", service=service)
    if request.method == "POST":
        api.withdraw_offer(actor=who, service=name)
        return redirect("exchange:service", service=service)
    context = {"page": page, "slug": service, **_affected(api.holders(name))}
    return render(request, "exchange/service_withdraw.html", context)


@require_http_methods(["GET", "POST"])
@permit("exchange.offer")
def new(request: HttpRequest) -> HttpResponse:
    """Publish a service of the own agency."""
    who = actor(request)
    subsystems, tables = api.subsystems_of(who), api.tables_of(who.agency or "")
    context: dict[str, Any] = {"subsystems": [(one, one) for one in subsystems], "tables": tables, **_choices()}
    if request.method == "GET":
        return render(request, "exchange/service_new.html", {**context, "typed": _untyped(), "source": "file"})
    typed = request.POST
    name = f"{typed.get('subsystem', '')}/{typed.get('code', '').strip()}"
    chosen = typed.getlist("tables")
    try:
        settings, given = _settings(typed), _document(request)
        if typed.get("source") == "tables":
            settings, given = api.of_tables(actor=who, service=name, tables=chosen, settings=settings)
        elif given is None:
            raise _wrong("document", Text("Choose an OpenAPI file", "請選擇 OpenAPI 檔案"))
        return _offered(request, name, settings, given)
    except Problem as problem:
        shown = {**context, "typed": typed, "chosen": chosen, "source": typed.get("source"), **_told(problem)}
        return render(request, "exchange/service_new.html", shown, status=problem.status)


def _offered(request: HttpRequest, name: str, settings: api.Settings, document: bytes | None) -> HttpResponse:
    """Offer it; where that changes what is offered under this name, show what first, and again if that has changed."""
    who = actor(request)
    found = api.replacement(actor=who, service=name, settings=settings, document=document)
    if found is None or request.POST.get("seen") == found.seen.isoformat():
        api.offer_service(actor=who, service=name, settings=settings, document=document, replace=found is not None)
        return redirect("exchange:service", service=words.slug(name))
    context = {
        "found": found,
        "slug": words.slug(name),
        "operations": _operations(found),
        "settings": words.differences(found.settings),
        "kept": _kept(request, document),
        **_affected(found.holders),
    }
    return render(request, "exchange/service_replace.html", context)


def _operations(found: api.Replacement) -> list[tuple[str, str, tuple[str, ...]]]:
    """What callers feel most comes first."""
    parts = found.operations
    return [
        (kind, mark, listed)
        for kind, mark, listed in (
            ("removed", "bad", parts.removed),
            ("changed", "waiting", parts.changed),
            ("added", "done", parts.added),
        )
        if listed
    ]


def _affected(found: list[api.Holder]) -> dict[str, Any]:
    return {"holders": found, "rights": sum(one.rights for one in found)}


def _kept(request: HttpRequest, document: bytes | None) -> list[tuple[str, str]]:
    """What was typed, and the file as it was: a form changes the ends of lines, and so the digest."""
    left_out = {"csrfmiddlewaretoken", "seen", KEPT}
    kept = [(name, one) for name, listed in request.POST.lists() if name not in left_out for one in listed]
    from_file = document is not None and request.POST.get("source") != "tables"
    return [*kept, (KEPT, b64encode(document or b"").decode())] if from_file else kept


def _page(request: HttpRequest, name: str, problem: Problem | None = None) -> HttpResponse:
    who = actor(request)
    page = api.service_page(who, name)
    acts = audit.entries(who.agency or "", object_id=name, limit=20) if page.row.own else []
    addresses = api.addresses(who.agency or "") if page.row.own else None
    context = {
        "page": page,
        "slug": words.slug(name),
        "visibility": words.visibility(page.row.visibility, page.row.visibility_terms),
        "address": addresses.get(name) if addresses is not None else None,
        "knows_addresses": addresses is not None,
        "home": f"gateways/{who.agency}" if addresses is not None else "DIR",
        "local_name": "/".join(name.split("/")[3:]),
        "durability": words.DURABILITIES[page.durability],
        "rights": [
            (row, words.basis(row.citation or row.basis, row.basis_code)) for row in page.rights if row.in_force
        ],
        "may_change": page.row.own and may(request, "exchange.offer"),
        "may_ask": not page.row.own and not page.row.withdrawn and may(request, "exchange.ask"),
        "typed": _typed(page),
        "acts": words.acts(acts),
        **_choices(),
    }
    if problem is None:
        return render(request, "exchange/service.html", context)
    shown = {**context, "typed": request.POST, **_told(problem)}
    return render(request, "exchange/service.html", shown, status=problem.status)


def _choices() -> dict[str, Any]:
    return {"visibilities": list(words.VISIBILITIES.items()), "durabilities": list(words.DURABILITIES.items())}


def _untyped() -> dict[str, Any]:
    return {"personal": "yes", "visibility": "own", "durability": "strict", **_limits(api.Limits())}


def _typed(page: api.ServicePage) -> dict[str, Any]:
    return {
        "personal": "yes" if page.row.personal else "",
        "related": ", ".join(page.related),
        "visibility": page.row.visibility,
        "delay_days": page.row.visibility_terms.get("days", ""),
        "shown_from": page.row.visibility_terms.get("until", ""),
        "order": page.row.visibility_terms.get("order", ""),
        "durability": page.durability,
        "retain_days": page.retain_days or "",
        **_limits(page.limits),
    }


def _limits(limits: api.Limits) -> dict[str, int]:
    return {name: getattr(limits, name) for name in _NUMBERS if hasattr(limits, name)}


def _settings(typed: Mapping[str, Any]) -> api.Settings:
    numbers = {name: str(typed.get(name, "")).strip() for name in _NUMBERS}
    for name, value in numbers.items():
        if value and not (value.isascii() and value.isdecimal() and len(value) < 10):
            raise _wrong(name, _WHOLE)
    own = api.Limits()
    limits = {name: int(numbers[name] or getattr(own, name)) for name in _NUMBERS if hasattr(own, name)}
    related = tuple(part.strip() for part in str(typed.get("related", "")).split(",") if part.strip())
    kind, terms = read_visibility(typed)
    return api.Settings(
        personal=typed.get("personal") == "yes",
        related=related,
        visibility=kind,
        visibility_terms=terms,
        limits=api.Limits(**limits),
        durability=str(typed.get("durability", "strict")),
        retain_days=int(numbers["retain_days"]) if numbers["retain_days"] else None,
    )


def read_visibility(typed: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The chosen class, and of what was typed beside it the terms that it has."""
    kind, days = str(typed.get("visibility", "own")), str(typed.get("delay_days", "")).strip()
    if days and not (days.isascii() and days.isdecimal() and len(days) < 6):
        raise _wrong("delay_days", _WHOLE)
    day = str(typed.get("shown_from", "")).strip()
    try:
        until = date.fromisoformat(day) if day else None
    except ValueError:
        raise _wrong("shown_from", _A_DAY) from None
    return kind, api.terms_of(kind, days=int(days) if days else None, until=until, order=str(typed.get("order", "")))


def _document(request: HttpRequest) -> bytes | None:
    upload, kept = request.FILES.get("document"), request.POST.get(KEPT, "")
    if upload is not None:
        if (upload.size or 0) > LARGEST_FILE:
            raise _TOO_LARGE
        content: bytes = upload.read()
        return content
    try:
        known = b64decode(kept, validate=True)
    except ValueError:
        raise _wrong("document", Text("Choose the file once more", "請重新選擇檔案")) from None
    if len(known) > LARGEST_FILE:
        raise _TOO_LARGE
    return known or None


def _wrong(field: str, why: Text) -> Problem:
    return Problem("form-incomplete", 422, what=why, why=why, field=field)


_TOO_LARGE = _wrong("document", Text("The file has more than 1 MB", "檔案超過 1 MB"))


def _told(problem: Problem) -> dict[str, Any]:
    """What a refused form shows: the problem at its field, and the findings on the document."""
    field = problem.extra.get("field", "document" if "findings" in problem.extra else "form")
    return {
        "errors": {field: problem.why if problem.why.en else problem.what},
        "findings": problem.extra.get("findings"),
    }
