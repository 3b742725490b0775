"""Doors for a person's sessions and browsers: end one, end all others, trust or forget a browser."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from smartgov.blocks.identity.people import browsers, live
from smartgov.blocks.identity.web import fresh, sign_in
from smartgov.blocks.ops.api import actor, permit


@require_POST
@permit("identity.account")
def session_end(request: HttpRequest, sid: str) -> HttpResponse:
    """End one session; of the present one, sign out."""
    if elsewhere := fresh.unless_settled(request):
        return elsewhere
    session = fresh.session_of(request)
    if sid == session.sid:
        return sign_in.sign_out(request)  # type: ignore[return-value]
    live.kill(actor=actor(request), account=session.account, sid=sid)
    return redirect("identity:account")


@require_POST
@permit("identity.account")
def sessions_end_others(request: HttpRequest) -> HttpResponse:
    """End every session but the present one."""
    if elsewhere := fresh.unless_settled(request):
        return elsewhere
    session = fresh.session_of(request)
    live.kill_others(actor=actor(request), account=session.account, sid=session.sid)
    return redirect("identity:account")


@require_POST
@permit("identity.account")
def browser_trust(request: HttpRequest) -> HttpResponse:
    """Trust this browser for thirty days."""
    if elsewhere := fresh.unless_settled(request):
        return elsewhere
    browsers.trust(request, actor=actor(request), account=fresh.session_of(request).account)
    return redirect("identity:account")


@require_POST
@permit("identity.account")
def browser_forget(request: HttpRequest, browser: str) -> HttpResponse:
    """Forget a browser."""
    if elsewhere := fresh.unless_settled(request):
        return elsewhere
    browsers.forget(actor=actor(request), account=fresh.session_of(request).account, browser=browser)
    return redirect("identity:account")
