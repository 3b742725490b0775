"""Pages of the provider: arriving from a relying party, agreeing, signing out, and taking an agreement back."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, parse_cookie
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.identity import representing, sessions
from smartgov.blocks.identity.openid import refusals, relations
from smartgov.blocks.identity.openid.service import event_in, event_of, provider
from smartgov.blocks.ops.api import actor, permit, public
from smartgov.engines import httpd
from smartgov.engines.openid import authorizing, logout, params, pushing, remote
from smartgov.engines.openid.errors import NotAnsweredToClientError, OAuthError
from smartgov.engines.openid.levels import AAL3, PHR, PHRH
from smartgov.engines.openid.model import Authentication, Authorization, Client
from smartgov.engines.openid.provider import Provider

_PORT = urlsplit(settings.ORIGIN).port or "web"
COOKIE = f"smartgov_openid_{_PORT}"
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self' {origin}; "
    "frame-ancestors 'none'"
)


def straight_back(request: httpd.Request) -> httpd.Response | None:
    """The way back at once, for a browser in which somebody is signed in who has agreed to all of it before.

    None: a page is needed, or something is wrong; nothing has happened yet, and the view `authorize` begins anew.
    """
    cookies = parse_cookie(request.headers.get("cookie", ""))
    session = sessions.of_key(cookies.get(settings.SESSION_COOKIE_NAME, "")) if request.method == "GET" else None
    if session is None:
        return None
    given = provider()
    try:
        asked = params.form(request.query)
        if "request_uri" not in asked:
            return None
        found, client = pushing.arrive(given, asked, cookies.get(COOKIE, ""))
    except (NotAnsweredToClientError, OAuthError):
        return None
    event = event_in(session)
    step = authorizing.next_step(given, client, found, event)
    if step.kind != "finish":
        return None
    return httpd.Response(302, {"location": authorizing.finish(given, client, found, event, step, agreed=False)})


@require_GET
@transaction.atomic
@public("people arrive here from relying parties; nothing happens before they have signed in")
def authorize(request: HttpRequest) -> HttpResponse:
    """Take a request; answer at once when the person is signed in and has agreed before, else go to its page."""
    given, browser = provider(), request.COOKIES.get(COOKIE, "")
    try:
        asked = params.form(request.META.get("QUERY_STRING", ""))
        found, client = pushing.arrive(given, asked, browser)
    except NotAnsweredToClientError as error:
        raise refusals.not_believed(error) from None
    except OAuthError as error:
        raise refusals.not_believed(NotAnsweredToClientError("request", error.description)) from None
    except pushing.RedirectedError as told:
        address = authorizing.answer_address(given, told.redirect_uri, told.state, told.error.body())
        return HttpResponseRedirect(address)
    event = event_of(request)
    step = authorizing.next_step(given, client, found, event)
    if step.kind == "refuse" and step.error is not None:
        return HttpResponseRedirect(authorizing.refusal(given, found, step.error))
    if step.kind == "finish" and event is not None:
        return HttpResponseRedirect(authorizing.finish(given, client, found, event, step, agreed=False))
    browser = browser or secrets.token_urlsafe(32)
    if found.state == "pushed" and not authorizing.open_for(given, found, browser):
        raise refusals.over()
    response = redirect("openid:interaction", authorization=found.id)
    response.set_cookie(COOKIE, browser, max_age=3600, httponly=True, secure=request.is_secure(), samesite="Lax")
    return response


def opened_here(request: HttpRequest, given: Provider, authorization: str) -> tuple[Authorization, Client]:
    """The request that this browser brought; Problem when its time is over, 404 when it is another browser's."""
    browser = request.COOKIES.get(COOKIE, "")
    opened = authorizing.opened(given, authorization, browser)
    if opened is not None:
        return opened
    if authorizing.belongs(given, authorization, browser):
        raise refusals.over()
    raise Http404


@require_http_methods(["GET", "POST"])
@public("bound to the browser that brought the request; shows nothing of a person before sign-in")
def interaction(request: HttpRequest, authorization: str) -> HttpResponse:
    """What has to happen next: sign in, sign in more strongly, agree, or go back with the answer."""
    given = provider()
    found, client = opened_here(request, given, authorization)
    address = remote.arrived(given, client, found)
    if address is not None:
        return returning(request, client, address)
    event = event_of(request)
    if request.method == "POST" and request.POST.get("answer") == "refuse":
        refused = OAuthError("access_denied", "the person refused")
        return HttpResponseRedirect(authorizing.refusal(given, found, refused))
    step = authorizing.next_step(given, client, found, event)
    if step.kind == "refuse" and step.error is not None:
        return returning(request, client, authorizing.refusal(given, found, step.error))
    if step.kind == "sign-in" or event is None:
        return _sign_in(request, client, found, event, step.acr)
    if step.kind == "consent" and not _agreed(request, found, event):
        return _consent(request, client, found, event)
    address = authorizing.finish(given, client, found, event, step, agreed=step.kind == "consent")
    return HttpResponseRedirect(address) if request.method == "POST" else returning(request, client, address)


def _agreed(request: HttpRequest, found: Authorization, event: Authentication) -> bool:
    """Whether this person has just pressed the button on a page that was shown to them, not to somebody else."""
    shown = request.POST.get("shown", "")
    return request.POST.get("answer") == "agree" and secrets.compare_digest(
        shown.encode(), _shown_to(found, event).encode()
    )


def _shown_to(found: Authorization, event: Authentication) -> str:
    return provider().mac("consent", found.id, event.session, event.subject, event.acting_for)


def _sign_in(
    request: HttpRequest, client: Client, found: Authorization, event: Authentication | None, acr: str
) -> HttpResponse:
    following = urlencode({"next": reverse("openid:interaction", kwargs={"authorization": found.id})})
    address = f"{reverse('identity:sign-in')}?{following}"
    if event is None:
        return HttpResponseRedirect(address)
    context = {
        "client": client,
        "sign_in": address,
        "passkey": acr == PHR,
        "hardware": acr in (AAL3, PHRH),
        **_frame(client, found),
    }
    return _with_form_to(client, found, render(request, "identity/openid_step_up.html", context))


def _consent(request: HttpRequest, client: Client, found: Authorization, event: Authentication) -> HttpResponse:
    represented = representing.caption(actor=actor(request)) if event.acting_for else None
    context = {
        "client": client,
        "shown": _shown_to(found, event),
        "represented": represented,
        "facts": relations.facts_asked(authorizing.wanted_claims(found), represented.name if represented else ""),
        "details": relations.details_asked(provider().details, found),
        "offline": "offline_access" in found.asked.scopes,
        "session": sessions.current(request),
        **_frame(client, found),
    }
    return _with_form_to(client, found, render(request, "identity/openid_consent.html", context))


def _frame(client: Client, found: Authorization) -> dict[str, Any]:
    return {"host": urlsplit(found.asked.redirect_uri).netloc, "agency": relations.agency_of(client)}


def _with_form_to(client: Client, found: Authorization, response: HttpResponse) -> HttpResponse:
    """Browsers apply form-action to redirects as well, so the page must name where its answer will lead."""
    parts = urlsplit(found.asked.redirect_uri)
    response.headers["Content-Security-Policy"] = POLICY.format(origin=f"{parts.scheme}://{parts.netloc}")
    return response


def returning(request: HttpRequest, client: Client, address: str) -> HttpResponse:
    """Back to the relying party by a page of our own: a redirect right after a form would be stopped by its policy."""
    response = render(request, "identity/openid_returning.html", {"client": client, "address": address})
    response.headers["Refresh"] = f"0; url={address}"
    return response


@csrf_exempt
@require_http_methods(["GET", "POST"])
@public("relying parties send people here, also by form; it only asks whether to sign out")
def end_session(request: HttpRequest) -> HttpResponse:
    """Ask before signing out (OpenID Connect RP-Initiated Logout 1.0)."""
    raw = request.META.get("QUERY_STRING", "") if request.method == "GET" else request.body.decode("ascii", "replace")
    leaving = _leaving(raw)
    session = sessions.current(request)
    if session is None:
        return _left(request, leaving)
    context = {"client": leaving.client, "query": raw}
    return render(request, "identity/openid_leave.html", context)


@require_POST
@public("ending a session needs no right; without one it does nothing")
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out, and go back only to an address that the relying party registered."""
    leaving = _leaving(request.POST.get("query", ""))
    sessions.sign_out(request)
    return _left(request, leaving)


def _leaving(raw: str) -> logout.Leaving:
    try:
        return logout.read(provider(), raw)
    except NotAnsweredToClientError as error:
        raise refusals.not_believed(error) from None


def _left(request: HttpRequest, leaving: logout.Leaving) -> HttpResponse:
    if leaving.client is not None and leaving.back_to:
        return returning(request, leaving.client, leaving.back_to)
    return redirect("/")


@require_GET
@permit("identity.account")
def services(request: HttpRequest) -> HttpResponse:
    """The services that the person signs in to, and what each may have."""
    return render(request, "identity/openid_services.html", {"rows": relations.of(_subject(request))})


@require_POST
@permit("identity.account")
def withdraw(request: HttpRequest, relation: str) -> HttpResponse:
    """Take an agreement back; with `stranger` the service will not recognise the person again."""
    stranger = request.POST.get("stranger") == "yes"
    relations.withdraw(actor=actor(request), subject=_subject(request), relation=relation, stranger=stranger)
    return redirect("openid:services")


def _subject(request: HttpRequest) -> str:
    session = sessions.current(request)
    assert session is not None  # the gate let nobody else through
    return session.account.subject
