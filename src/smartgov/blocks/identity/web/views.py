"""Pages of a signed-in person: choice of seat, devices and sign-ins, passkeys, kept answers; and the demo's people."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity import accounts, demo, devices, domain, keeping, passkeys, sessions
from smartgov.blocks.identity.domain import SeatView
from smartgov.blocks.identity.gate import safe_next
from smartgov.blocks.identity.web import sign_in
from smartgov.blocks.ops.api import actor, permit, public
from smartgov.shared import clock
from smartgov.theme.words import bilingual, write_time

FRESH = timedelta(minutes=15)


@require_http_methods(["GET", "POST"])
@permit("identity.account")
def seat(request: HttpRequest) -> HttpResponse:
    """Choose in which seat to act, or as oneself."""
    session = _session(request)
    seats = {view.id: view for view in accounts.seats_of(session.account.subject)}
    if request.method == "POST":
        chosen = request.POST.get("seat", "")
        if chosen and chosen not in seats:
            raise Http404
        sessions.take_seat(request, seats.get(chosen))
        return HttpResponseRedirect(safe_next(request))
    choices = [("", _("As myself, a citizen")), *((view.id, _seat_words(view)) for view in seats.values())]
    context = {
        "choices": choices,
        "chosen": session.seat.id if session.seat else "",
        "next": safe_next(request),
    }
    return render(request, "identity/seat.html", context)


@require_http_methods(["GET", "POST"])
@permit("identity.account")
def kept(request: HttpRequest, kept: str) -> HttpResponse:
    """What the person had written when the session ended, ready to be sent; or thrown away by a press of a button."""
    subject = _session(request).account.subject
    if request.method == "POST":
        if not keeping.discard(kept, subject):
            raise Http404
        return redirect("/")
    found = keeping.kept_post(request, kept, subject)
    if found is None:
        raise Http404
    path, answers = found
    return render(request, "identity/kept.html", {"path": path, "answers": answers, "kept": kept})


@require_GET
@permit("identity.account")
def account(request: HttpRequest) -> HttpResponse:
    """The person's devices and sign-ins."""
    session = _session(request)
    found = devices.of(session.account)
    context = {
        "session": session,
        "sign_in_columns": [_("When"), _("How"), _("Device")],
        "sign_in_rows": [(write_time(row.at), _way(row.method), row.device) for row in found["sign_ins"]],
    }
    return render(request, "identity/account.html", {**found, **context})


@require_POST
@permit("identity.account")
def passkey_remove(request: HttpRequest, passkey: str) -> HttpResponse:
    """Remove one of the person's own passkeys."""
    devices.remove_passkey(actor=actor(request), account=_session(request).account, passkey=passkey)
    return redirect("identity:account")


@require_POST
@permit("identity.account")
def mobile_remove(request: HttpRequest, key: str) -> HttpResponse:
    """Remove one of the person's own phones."""
    devices.remove_mobile_key(actor=actor(request), account=_session(request).account, key=key)
    return redirect("identity:account")


@require_POST
@permit("identity.account")
def certificate_remove(request: HttpRequest, certificate: str) -> HttpResponse:
    """Forget one of the person's own certificates."""
    devices.remove_certificate(actor=actor(request), account=_session(request).account, certificate=certificate)
    return redirect("identity:account")


@require_POST
@permit("identity.account")
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """End every session of the person, this one too."""
    devices.end_sessions(actor=actor(request), account=_session(request).account)
    return sign_in.sign_out(request)  # type: ignore[return-value]


@require_GET
@permit("identity.account")
def passkey_new(request: HttpRequest) -> HttpResponse:
    """The page on which a passkey is made; asks for a new sign-in when the last is older than fifteen minutes."""
    if elsewhere := _unless_fresh(request):
        return elsewhere
    return render(request, "identity/passkey_new.html", {})


@require_POST
@permit("identity.account")
def passkey_new_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to make a passkey."""
    if elsewhere := _unless_fresh(request):
        return elsewhere
    options, challenge = passkeys.registration_options(_session(request).account)
    sign_in.remember_challenge(request, challenge, "register")
    return JsonResponse(options)


@require_POST
@permit("identity.account")
def passkey_register(request: HttpRequest) -> HttpResponse:
    """Store the passkey that the browser made."""
    credential, challenge = sign_in.read_json(request), sign_in.take_challenge(request, "register")
    name = sessions.device(request)
    passkeys.register(_session(request).account, credential=credential, challenge=challenge, name=name)
    return JsonResponse({"next": reverse("identity:account")})


@require_GET
@public("the demo's people are made up, and this page signs nobody in")
def personas(request: HttpRequest) -> HttpResponse:
    """The people of the demo with links to their phones; exists in the demo only."""
    if not settings.DEMO:
        raise Http404
    return render(request, "identity/personas.html", {"personas": demo.personas()})


def _session(request: HttpRequest) -> sessions.Session:
    session = sessions.current(request)
    if session is None:
        raise domain.permission_missing()
    return session


def _unless_fresh(request: HttpRequest) -> HttpResponse | None:
    if clock.now() - _session(request).signed_in_at <= FRESH:
        return None
    following = urlencode({"next": reverse("identity:passkey-new")})
    return HttpResponseRedirect(f"{reverse('identity:sign-in')}?{following}")


def _seat_words(view: SeatView) -> str:
    return f"{bilingual(directory.agency(view.agency).name)} – {bilingual(view.role_title)}"


def _way(method: str) -> str:
    known = {
        "passkey": _("Passkey"),
        "mobile": _("Mobile identity"),
        "card": _("Citizen certificate card"),
        "twfido": _("Mobile citizen certificate"),
    }
    return known.get(method, method)
