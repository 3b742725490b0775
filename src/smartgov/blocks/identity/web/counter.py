"""The counter: an officer who has seen a person and their document lets a recovery go on, or ends their sessions."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from smartgov.blocks.identity import accounts, devices, domain, throttle
from smartgov.blocks.identity.people import recovery
from smartgov.blocks.ops.api import actor, permit
from smartgov.shared.problems import Problem


@require_http_methods(["GET", "POST"])
@permit("identity.counter")
def counter(request: HttpRequest) -> HttpResponse:
    """Two forms: prove a person for a recovery, and end all sessions of a person who asks for it."""
    context: dict[str, Any] = {"given": request.POST}
    status = 200
    if request.method == "POST":
        try:
            context |= _end_sessions(request) if request.POST.get("do") == "sessions" else _prove(request)
        except Problem as refused:
            context["refused"], status = refused, refused.status
        status = 422 if context.get("errors") else status
    return render(request, "identity/counter.html", context, status=status)


def _prove(request: HttpRequest) -> dict[str, Any]:
    if request.POST.get("seen") != "yes":
        return {"errors": {"seen": _("Tick this only after you have compared the person with the document.")}}
    row = recovery.prove(
        actor=actor(request),
        reference=request.POST.get("reference", ""),
        national_id=request.POST.get("national_id", "").strip().upper(),
        suspend=request.POST.get("suspend") == "yes",
    )
    return {"proven": row}


def _end_sessions(request: HttpRequest) -> dict[str, Any]:
    who = actor(request)
    throttle.count("counter", who.seat or "", limit=30)
    subject = accounts.account_by_national_id(request.POST.get("whose", "").strip().upper())
    if subject is None:
        raise domain.person_unknown()
    devices.end_sessions_of(actor=who, subject=subject)
    return {"ended": True}
