"""After handing in: the timeline, an agency's question, the certificate."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

import segno
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from smartgov.blocks.identity.api import actor, permit
from smartgov.blocks.services import api, domain, paging
from smartgov.blocks.services.selectors import question_line
from smartgov.shared.settings import get

# Which control of the theme shows a question's field; a date is written in one line, as the hint says.
_WIDGETS = {"text": "textarea", "date": "day", "yesno": "yesno", "choice": "choice"}


@permit("services.apply")
@require_safe
def timeline(request: HttpRequest, application: UUID) -> HttpResponse:
    """Each step, what happens next and by when; a draft goes on where it was left."""
    who = actor(request)
    row = api.application(actor=who, application_id=str(application))
    if row.state == domain.DRAFT:
        return HttpResponseRedirect(paging.first_open(paging.stations(who, row)).url(row.id))
    if row.state == domain.WITHDRAWN:
        return render(request, "services/withdrawn.html", {"application": row})
    return render(request, "services/timeline.html", {"view": api.timeline(actor=who, application_id=row.id)})


@permit("services.apply")
@require_http_methods(["GET", "POST"])
def question(request: HttpRequest, supplement: UUID) -> HttpResponse:
    """An agency's question, and the answer."""
    who = actor(request)
    row = api.supplement(actor=who, supplement_id=str(supplement))
    back = reverse("services:application", args=[row.part.application_id])
    typed = {field["id"]: request.POST.get(field["id"], "") for field in row.question.get("fields", ())}
    errors = {}
    if request.method == "POST":
        errors = api.answer_supplement(actor=who, supplement_id=row.id, answers=typed)
        if not errors:
            return HttpResponseRedirect(back)
    fields = [
        {
            "id": field["id"],
            "widget": _WIDGETS.get(field.get("kind", "text"), "textarea"),
            "label": field["label"],
            "choices": field.get("choices", ()),
            "value": typed[field["id"]] or row.answer.get(field["id"], ""),
            "error": errors.get(field["id"]),
        }
        for field in row.question.get("fields", ())
    ]
    context = {"question": question_line(row), "fields": fields, "errors": errors, "back": back}
    return render(request, "services/question.html", context, status=422 if errors else 200)


@permit("services.apply")
@require_safe
def certificate(request: HttpRequest, certificate: str) -> HttpResponse:
    """The sealed document, fetched from the issuing agency now."""
    found = api.document(actor=actor(request), certificate=certificate)
    response = HttpResponse(found.content, content_type=found.media_type)
    response["Content-Disposition"] = f'attachment; filename="{found.filename}"'
    return response


@permit("services.apply")
@require_POST
def wallet(request: HttpRequest, certificate: str) -> HttpResponse:
    """An offer for her wallet, made now; scanned from this page, with a number that is only here."""
    offer = api.wallet_offer(actor=actor(request), certificate=certificate)
    code = segno.make(offer.uri, error="l").svg_data_uri(scale=4, border=2)
    base = get("SMARTGOV_WALLET_URL")
    demo_wallet = f"{base}/scan?{urlencode({'uri': offer.uri})}" if base else ""
    context = {"offer": offer, "code": code, "demo_wallet": demo_wallet}
    response = render(request, "services/wallet.html", context)
    response["Cache-Control"] = "no-store"
    return response
