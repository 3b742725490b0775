"""Pages of getting back in, bound to the browser that began, and of stopping it. Only passkeys need scripts."""

from __future__ import annotations

import secrets

import segno
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.identity import passkeys, sessions
from smartgov.blocks.identity.people import browsers, phones, recovery
from smartgov.blocks.identity.web import fresh, sign_in
from smartgov.blocks.ops.api import actor, permit, public
from smartgov.shared.actor import ANYONE

COOKIE = f"{settings.SESSION_COOKIE_NAME}_recovery"
_RELOAD = "3"


@require_http_methods(["GET", "POST"])
@public("who lost every means begins here; it tells nothing about accounts")
def begin(request: HttpRequest) -> HttpResponse:
    """Say who one is; leads to the page that this browser alone can open."""
    if request.method == "GET":
        return render(request, "identity/recover.html", {"open": recovery.find(request.COOKIES.get(COOKIE, ""))})
    national_id = request.POST.get("national_id", "").strip().upper()
    if not national_id:
        return redirect("identity:recover")
    secret = secrets.token_urlsafe(32)
    recovery.begin(browser=secret, national_id=national_id, code=request.POST.get("code", ""))
    response = HttpResponseRedirect(reverse("identity:recover-mine"))
    response.set_cookie(
        COOKIE,
        secret,
        max_age=recovery.OPEN_FOR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@require_GET
@public("bound to the browser that began the recovery; names nobody")
def mine(request: HttpRequest) -> HttpResponse:
    """How the recovery stands: the number for the counter, then the ways to make new means."""
    row = _mine(request)
    context = {"row": row, "hours": recovery.cooling_time(with_code=row.with_code).total_seconds() / 3600}
    context["made"] = recovery.made_in(row)
    return render(request, "identity/recover_mine.html", context)


@require_POST
@public("bound to the browser that began the recovery, and useless before an officer has seen the person")
def phone_invite(request: HttpRequest) -> HttpResponse:
    """Open the invitation for a new phone."""
    phones.invite(_mine(request))
    return redirect("identity:recover-phone")


@require_GET
@public("bound to the browser that began the recovery, and useless before an officer has seen the person")
def phone(request: HttpRequest) -> HttpResponse:
    """The code that the new phone scans; loads itself again until the phone has answered."""
    row = _mine(request)
    if phones.arrived(row) or not row.invited:
        return redirect("identity:recover-mine")
    context = {
        "code": segno.make(row.invited["show"], error="m").svg_data_uri(scale=6, border=2),
        "number": row.invited["number"],
        "link": row.invited["show"] if settings.DEMO else "",
    }
    response = render(request, "identity/recover_phone.html", context)
    response.headers["Refresh"] = _RELOAD
    return response


@require_POST
@public("bound to the browser that began the recovery, and useless before an officer has seen the person")
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to make a passkey in a recovery."""
    options, challenge = passkeys.registration_options(recovery.require_proven(_mine(request)))
    sign_in.remember_challenge(request, challenge, "recover")
    return JsonResponse(options)


@require_POST
@public("bound to the browser that began the recovery, and useless before an officer has seen the person")
def passkey_register(request: HttpRequest) -> HttpResponse:
    """Store the passkey; it cools."""
    row = _mine(request)
    account = recovery.require_proven(row)
    credential, challenge = sign_in.read_json(request), sign_in.take_challenge(request, "recover")
    name = browsers.label(request)
    passkeys.register(account, credential=credential, challenge=challenge, name=name, recovery=row)
    return JsonResponse({"next": reverse("identity:recover-mine")})


@require_http_methods(["GET", "POST"])
@public("whoever got the mail may stop a recovery without signing in; the word in the address does nothing else")
def stop(request: HttpRequest, word: str) -> HttpResponse:
    """Ask, then stop."""
    row = recovery.by_stop_word(word)
    if row is None:
        raise Http404
    if request.method == "POST":
        recovery.stop(actor=ANYONE, row=row)
        return render(request, "identity/recover_stopped.html", {})
    return render(request, "identity/recover_stop.html", {"row": row})


@require_POST
@permit("identity.account")
def stop_mine(request: HttpRequest, recovery_id: str) -> HttpResponse:
    """Stop a recovery of the own account, with a means that it did not make."""
    if elsewhere := fresh.unless_settled(request):
        return elsewhere
    account = fresh.session_of(request).account
    row = next((one for one in recovery.open_of(account) if one.id == recovery_id), None)
    if row is None:
        raise Http404
    recovery.stop(actor=actor(request), row=row)
    sessions.forget(request)
    return redirect("identity:account")


def _mine(request: HttpRequest) -> recovery.Recovery:
    row = recovery.find(request.COOKIES.get(COOKIE, ""))
    if row is None:
        raise Http404
    return row
