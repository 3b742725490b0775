"""Pages of `identity`: sign in and out, choice of seat, the person's own account, kept answers."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.identity import accounts, keeping, sessions
from smartgov.blocks.identity.gate import safe_next
from smartgov.blocks.ops.api import permit, public


@require_GET
@public("people who are not signed in sign in here")
def sign_in(request: HttpRequest) -> HttpResponse:
    """The choice of ways to sign in."""
    return render(request, "identity/sign_in.html", {"next": safe_next(request)})


@require_POST
@public("ending a session needs no right; without one it does nothing")
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    sessions.sign_out(request)
    response = HttpResponseRedirect("/")
    keeping.unmark_browser(response)
    return response


@require_http_methods(["GET", "POST"])
@permit("identity.account")
def seat(request: HttpRequest) -> HttpResponse:
    """Choose in which seat to act, or as oneself."""
    session = sessions.current(request)
    assert session is not None
    seats = {view.id: view for view in accounts.seats_of(session.account.subject)}
    if request.method == "POST":
        chosen = request.POST.get("seat", "")
        if chosen and chosen not in seats:
            raise Http404
        sessions.take_seat(request, seats.get(chosen))
        return HttpResponseRedirect(safe_next(request))
    language = get_language() or "zh-hant"
    rows = [{"seat": view, "title": view.role_title.in_language(language)} for view in seats.values()]
    return render(request, "identity/seat.html", {"rows": rows, "present": session.seat, "next": safe_next(request)})


@require_GET
@permit("identity.account")
def kept(request: HttpRequest, kept: str) -> HttpResponse:
    """What the person had written when the session ended, ready to be sent."""
    raise Http404


@require_GET
@permit("identity.account")
def account(request: HttpRequest) -> HttpResponse:
    """The person's devices and sign-ins."""
    raise Http404
