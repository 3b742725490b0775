"""The first page, signed out and signed in, and the catalogue."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity.api import actor, may, public
from smartgov.blocks.notify import api as notify
from smartgov.blocks.services import api
from smartgov.blocks.services import catalogue as services

_SECTIONS = {
    "applications": "services.apply",
    "notices": "notify.wall",
    "trail": "mydata.trail",
    "consents": "mydata.consent",
}
"""What the permission of each section's own page is."""


@public("the first page says what this is and where to sign in")
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The wall of a signed-in citizen; what this is for everybody else."""
    who = actor(request)
    if who.kind != "citizen":
        return render(request, "services/home.html", {"services": api.catalogue()})
    # Whoever acts for another sees what the mandate reaches, and nothing of it once the mandate is over.
    sees = {section: may(request, permission) for section, permission in _SECTIONS.items()}
    context: dict[str, object] = {"sees": sees}
    if sees["applications"]:
        waiting = [event for event in api.life_events(actor=who) if event.application_state != "submitted"]
        context |= {"events": waiting, "applications": api.applications(actor=who)}
        context["certificates"] = api.certificates(actor=who)
    if sees["notices"]:
        context |= {"notices": notify.wall(actor=who, limit=3), "unread": notify.unread(actor=who)}
    return render(request, "services/wall.html", context)


@public("what can be applied for is public")
@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """All services."""
    return render(request, "services/catalogue.html", {"services": api.catalogue()})


@public("what a service needs and gives is public")
@require_safe
def service(request: HttpRequest, service: str) -> HttpResponse:
    """One service: its parts, agencies, laws, the statutory day, and the papers that nobody asks for any more."""
    definition = services.service(service)
    who = actor(request)
    own = who.kind == "citizen" and may(request, "services.apply")
    events = api.life_events(actor=who) if own else []
    return render(
        request,
        "services/service.html",
        {
            "service": definition,
            "parts": [
                {
                    "part": part,
                    "agency": directory.agency(part.agency).name,
                    "law": directory.legal_basis(part.legal_basis),
                }
                for part in definition.parts
            ],
            "events": [event for event in events if event.service.id == definition.id],
        },
    )
