"""Pages of signing in: the choice, the mobile identity (works without scripts), passkeys, and signing out."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import segno
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from smartgov.blocks.identity import accounts, domain, keeping, mobile, passkeys, sessions
from smartgov.blocks.identity.gate import safe_next
from smartgov.blocks.identity.means import connected
from smartgov.blocks.identity.people import browsers, passwords
from smartgov.blocks.identity.web import openid_remote
from smartgov.blocks.ops.api import public
from smartgov.shared import clock
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem

_LOGIN = "identity_login"
_CHALLENGE = "identity_challenge"
CHALLENGE_LIFETIME = timedelta(seconds=120)


@require_GET
@public("people who are not signed in sign in here")
def choose(request: HttpRequest) -> HttpResponse:
    """The choice of ways to sign in; whoever is signed in and was sent here by nobody goes home."""
    following = safe_next(request)
    if "next" not in request.GET and sessions.current(request) is not None:
        return HttpResponseRedirect(following)
    context: dict[str, Any] = {
        "next": following,
        "next_query": urlencode({"next": following}),
        "kept": "/identity/kept/" in following,
        "means": connected.ready(),
    }
    context |= openid_remote.asking(request, following)
    context["trusting"] = browsers.trusted(request)
    context["passwords"] = passwords.are_used()
    return render(request, "identity/sign_in.html", context)


@require_POST
@public("a stranger begins to sign in here")
def mobile_begin(request: HttpRequest) -> HttpResponse:
    """Open a request at the phone: by a code to scan, or by push when a national id was given."""
    secret = uuid7()
    push = request.POST.get("way") == "push"
    national_id = request.POST.get("national_id", "").strip().upper() if push else ""
    trusting, whose = _trusting(request)
    if push and not national_id and trusting is None:
        return redirect(f"{reverse('identity:sign-in')}?{urlencode({'next': safe_next(request)})}")
    login = mobile.begin(browser=secret, national_id=national_id, trusting=trusting, whose=whose)
    request.session[_LOGIN] = {"browser": secret, "next": safe_next(request)}
    return redirect("identity:mobile", login=login.id)


def _trusting(request: HttpRequest) -> tuple[sessions.Account | None, str]:
    """Whom the person of this trusted browser has pressed, and the name under which their tries are counted."""
    wanted = request.POST.get("trusted", "")
    found = next((account for account in browsers.trusted(request) if account.subject == wanted), None)
    row = browsers.trusts(request, found)
    return (found, f"browser {row.id}") if found and row else (None, "")


@require_http_methods(["GET", "POST"])
@public("officers prove here who they are, by password and a second factor together")
def password(request: HttpRequest) -> HttpResponse:
    """Sign in with password and code, where officers have passwords."""
    if not passwords.are_used():
        raise Http404
    following = safe_next(request)
    if request.method == "GET":
        return render(request, "identity/password_sign_in.html", {"next": following})
    given = {name: request.POST.get(name, "") for name in ("national_id", "password", "code")}
    given["national_id"] = given["national_id"].strip().upper()
    try:
        return passwords.sign_in(
            request, **given, opened=lambda who: opened(request, who, method="password", following=following)
        )
    except Problem as refused:
        context = {"next": following, "national_id": given["national_id"], "refused": refused}
        return render(request, "identity/password_sign_in.html", context, status=refused.status)


@require_GET
@public("a stranger waits here for the own phone's answer; bound to the browser that asked")
def mobile_wait(request: HttpRequest, login: str) -> HttpResponse:
    """Show number and code until the phone has answered; then open the session."""
    found, following = _begun(request, login)
    if mobile.is_over(found):
        return over(request, following, status=410)
    try:
        phone = mobile.answer(found)
    except Problem as refused:
        return over(request, following, status=refused.status, refused=refused)
    if phone:
        cooling = domain.cooling_recovery(phone.recovery, phone.cools_until, clock.now())
        return opened(request, phone.account, method="mobile", following=following, recovery=cooling)
    code = segno.make(found.show, error="m") if found.show else None
    context = {
        "login": found,
        "code": code.svg_data_uri(scale=6, border=2) if code else "",
        "link": found.show if settings.DEMO else "",
        "seconds": int((found.expires_at - clock.now()).total_seconds()),
    }
    return render(request, "identity/mobile.html", context)


@require_GET
@public("the waiting page asks here whether it should look again; bound to the browser that asked")
def mobile_state(request: HttpRequest, login: str) -> HttpResponse:
    """Whether the phone has still to answer."""
    found, _ = _begun(request, login)
    return JsonResponse({"waiting": mobile.is_waiting(found)})


@require_POST
@public("asks the browser for any passkey of this site; tells nothing about accounts")
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser's passkey dialogue needs."""
    options, challenge = passkeys.sign_in_options()
    remember_challenge(request, challenge, "sign-in")
    return JsonResponse(options)


@require_POST
@public("a stranger proves here who they are")
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """Open a session for the owner of the passkey that signed the challenge."""
    credential, challenge = read_json(request), take_challenge(request, "sign-in")
    passkey = passkeys.sign_in(credential=credential, challenge=challenge)
    cooling = domain.cooling_recovery(passkey.recovery, passkey.cools_until, clock.now())
    way = passkeys.method_of(passkey)
    answer = opened(request, passkey.account, method=way, following=safe_next(request), recovery=cooling)
    response = JsonResponse({"next": answer.url})
    response.cookies = answer.cookies
    return response


@require_POST
@public("ending a session needs no right; without one it does nothing")
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    sessions.sign_out(request)
    response = HttpResponseRedirect("/")
    keeping.unmark_browser(response)
    return response


def remember_challenge(request: HttpRequest, challenge: bytes, purpose: str) -> None:
    """Keep a challenge in the session for one use."""
    until = (clock.now() + CHALLENGE_LIFETIME).timestamp()
    request.session[_CHALLENGE] = {"value": bytes_to_base64url(challenge), "for": purpose, "until": until}


def take_challenge(request: HttpRequest, purpose: str) -> bytes:
    """The challenge of this session, gone once taken; Problem `sign-in-refused` without a fresh one."""
    kept = request.session.pop(_CHALLENGE, None)
    if not kept or kept["for"] != purpose or kept["until"] < clock.now().timestamp():
        raise domain.sign_in_refused()
    return base64url_to_bytes(kept["value"])


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a request; anything else is refused like a wrong proof."""
    try:
        body = json.loads(request.body)
    except ValueError:
        raise domain.sign_in_refused() from None
    if not isinstance(body, dict):
        raise domain.sign_in_refused()
    return body


def _begun(request: HttpRequest, login: str) -> tuple[mobile.LoginRequest, str]:
    """The request that this browser has begun, and where it leads; 404 for everybody else."""
    begun = request.session.get(_LOGIN)
    found = mobile.find(login=login, browser=begun["browser"]) if begun else None
    if found is None or begun is None:
        raise Http404
    return found, str(begun["next"])


def over(request: HttpRequest, following: str, *, status: int, refused: Problem | None = None) -> HttpResponse:
    """The end of a request that signs nobody in: why, and where to start again."""
    context = {"next_query": urlencode({"next": following}), "refused": refused}
    return render(request, "identity/mobile_over.html", context, status=status)


_ASSURANCE = {
    "mobile": domain.MOBILE_ASSURANCE,
    "passkey": domain.PASSKEY_ASSURANCE,
    "fidokey": domain.FIDOKEY_ASSURANCE,
    "password": domain.PASSWORD_ASSURANCE,
}


def opened(
    request: HttpRequest,
    account: sessions.Account,
    *,
    method: str,
    following: str,
    recovery: str = "",
    assurance: int | None = None,
) -> HttpResponseRedirect:
    """Open the session that a means has earned; `recovery` names the one in which that means still cools."""
    earned = domain.COOLING_ASSURANCE if recovery else assurance or _ASSURANCE[method]
    sessions.sign_in(request, account, method=method, assurance=earned, recovery=recovery)
    if not recovery and accounts.seats_of(account.subject):
        following = f"{reverse('identity:seat')}?{urlencode({'next': following})}"
    response = HttpResponseRedirect(following)
    keeping.mark_browser(request, response, account.subject)
    browsers.remember(request, response)
    return response
