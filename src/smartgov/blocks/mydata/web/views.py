"""Pages about one's own data: consent, consents given, who looked."""

from __future__ import annotations

import json
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from smartgov.blocks.identity.api import actor, permit
from smartgov.blocks.mydata import api
from smartgov.blocks.mydata.web import present

PAGE_SIZE = 40


@permit("mydata.consent")
@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The consent page: each agency with its fields, purpose and duration, to allow or refuse one by one."""
    who = actor(request)
    view = api.request(actor=who, request_id=str(request_id))
    if request.method == "POST":
        api.decide(actor=who, request_id=str(request_id), accepted=request.POST.getlist("accept"))
        return HttpResponseRedirect(view.return_path)
    return render(request, "mydata/request.html", {"view": view, "groups": present.groups(view)})


@permit("mydata.consent")
@require_safe
def consents(request: HttpRequest) -> HttpResponse:
    """Everything the person has allowed."""
    return render(request, "mydata/consents.html", {"consents": present.consents(api.consents(actor=actor(request)))})


@permit("mydata.consent")
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, consent: UUID) -> HttpResponse:
    """Ask once more, then take a consent back."""
    who = actor(request)
    if request.method == "POST":
        api.revoke(actor=who, consent_id=str(consent))
        return HttpResponseRedirect(reverse("mydata:consents"))
    found = present.one_consent(api.consents(actor=who), str(consent))
    return render(request, "mydata/revoke.html", {"consent": found})


@permit("mydata.consent")
@require_GET
def receipt(request: HttpRequest, consent: UUID) -> HttpResponse:
    """A receipt to keep, as a JSON file."""
    body = json.dumps(api.receipt(actor=actor(request), consent_id=str(consent)), ensure_ascii=False, indent=2)
    response = HttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="consent-{consent}.json"'
    return response


@permit("mydata.trail")
@require_safe
def trail(request: HttpRequest) -> HttpResponse:
    """Who looked at my data."""
    view = api.trail(actor=actor(request))
    who = request.GET.get("who", "")
    page = Paginator(present.chosen(view, who), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "view": view,
        "page": page,
        "days": present.by_day(present.rows(view, page.object_list)),
        "otherwise": present.shown_otherwise(view.otherwise),
        "filters": present.filters(view, who),
        **present.headline(view),
    }
    return render(request, "mydata/trail.html", context)
