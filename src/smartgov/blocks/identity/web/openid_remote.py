"""Pages for approving from another device: the code on the waiting screen, and the phone that scans or is asked."""

from __future__ import annotations

import segno
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from smartgov.blocks.identity import sessions
from smartgov.blocks.identity.openid import refusals, relations
from smartgov.blocks.identity.openid.service import event_of, provider
from smartgov.blocks.identity.web import openid
from smartgov.blocks.ops.api import permit, public
from smartgov.engines.openid import authorizing, remote
from smartgov.engines.openid.model import Authentication, Authorization, Client

_RELOAD = 5


@require_GET
@public("the waiting screen; bound to the browser that brought the request")
def other_device(request: HttpRequest, authorization: str) -> HttpResponse:
    """The code to scan and the number to choose; renewed every five seconds until the other device has answered."""
    given = provider()
    found, client = openid.opened_here(request, given, authorization)
    address = remote.arrived(given, client, found)
    if address is not None:
        return openid.returning(request, client, address)
    link = settings.ORIGIN + reverse("openid:link", kwargs={"code": remote.link_code(given, found)})
    context = {
        "client": client,
        "code": segno.make(link, error="m").svg_data_uri(scale=5, border=2),
        "link": link if settings.DEMO else "",
        "number": remote.number(given, found),
        "back": reverse("openid:interaction", kwargs={"authorization": found.id}),
    }
    response = render(request, "identity/openid_other_device.html", context)
    response.headers["Refresh"] = str(_RELOAD)
    return response


@require_http_methods(["GET", "POST"])
@permit("identity.account")
def link(request: HttpRequest, code: str) -> HttpResponse:
    """What the phone shows that scanned a code: who asks, what for, and three numbers."""
    linked = remote.linked(provider(), code)
    if linked is None and request.method == "POST":
        linked = _still_shown(request, code)
    if linked is None:
        raise refusals.over()
    return _answer(request, *linked)


def _still_shown(request: HttpRequest, code: str) -> tuple[Authorization, Client] | None:
    """The request whose page this session has seen while its code was fresh; reading takes longer than a minute."""
    seen = request.session.get(_SEEN)
    found = provider().store.by_id(code.partition(".")[0]) if seen == code.partition(".")[0] else None
    if found is None or found.state != "opened" or found.expires_at <= provider().now():
        return None
    client = provider().store.client(found.client)
    return (found, client) if client is not None and client.active else None


_SEEN = "identity_openid_link"


@require_GET
@permit("identity.account")
def asked(request: HttpRequest) -> HttpResponse:
    """Requests of services that wait for this person."""
    rows = []
    for found in provider().store.waiting_for(_event(request).subject):
        client = provider().store.client(found.client)
        if client is not None and client.active:
            rows.append({"id": found.id, "client": client, "agency": relations.agency_of(client), "asked": found.asked})
    return render(request, "identity/openid_asked.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@permit("identity.account")
def asked_one(request: HttpRequest, asked: str) -> HttpResponse:
    """One such request."""
    mine = {found.id: found for found in provider().store.waiting_for(_event(request).subject)}
    client = provider().store.client(mine[asked].client) if asked in mine else None
    if client is None:
        raise Http404
    return _answer(request, mine[asked], client)


def _answer(request: HttpRequest, found: Authorization, client: Client) -> HttpResponse:
    event = _event(request)
    step = remote.step_for(provider(), client, found, event)
    if request.method == "POST":
        return _decided(request, found, client, event)
    request.session[_SEEN] = found.id
    context = {
        "client": client,
        "agency": relations.agency_of(client),
        "facts": relations.facts_asked(authorizing.wanted_claims(found)),
        "details": relations.details_asked(provider().details, found),
        "message": found.asked.binding_message,
        "choices": remote.choices(provider(), found),
        "possible": step.kind in {"consent", "finish"},
        "again": step.kind == "sign-in",
        "sign_in": f"{reverse('identity:sign-in')}?next={request.path}",
    }
    return render(request, "identity/openid_approve.html", context)


def _decided(request: HttpRequest, found: Authorization, client: Client, event: Authentication) -> HttpResponse:
    chosen = request.POST.get("number", "")
    if request.POST.get("answer") == "refuse" or not chosen:
        provider().store.refuse(found.id)
        done = False
    else:
        done = remote.approve(provider(), client, found, event, chosen)
    return render(request, "identity/openid_approved.html", {"client": client, "done": done})


def _event(request: HttpRequest) -> Authentication:
    event = event_of(request)
    assert event is not None  # the gate let nobody else through
    return event


def asking(request: HttpRequest, following: str) -> dict[str, object]:
    """For the sign-in page: which service asks, when somebody came from one."""
    prefix = reverse("openid:interaction", kwargs={"authorization": "x"})[:-1]
    if not following.startswith(prefix):
        return {}
    name = following.removeprefix(prefix)
    opened = authorizing.opened(provider(), name, request.COOKIES.get(openid.COOKIE, ""))
    if opened is None or sessions.current(request) is not None:
        return {}
    return {"asking": opened[1], "other_device": reverse("openid:other-device", kwargs={"authorization": name})}
