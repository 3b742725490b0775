"""Pages of a person's further means: authenticator app, recovery codes, an officer's password. None needs scripts."""

from __future__ import annotations

import segno
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from smartgov.blocks.identity.people import authenticator_app, codes, passwords, policy, totp
from smartgov.blocks.identity.web import fresh
from smartgov.blocks.ops.api import actor, permit

ISSUER = "smartgov"


@require_http_methods(["GET", "POST"])
@permit("identity.account")
def app(request: HttpRequest) -> HttpResponse:
    """Set up an authenticator app: a code to scan or to type, then the first six digits as proof that it works."""
    if elsewhere := fresh.unless_settled(request, "identity:app"):
        return elsewhere
    account = fresh.session_of(request).account
    errors = {}
    if request.method == "POST":
        if authenticator_app.confirm(actor=actor(request), account=account, typed=request.POST.get("code", "")):
            return redirect("identity:codes" if not codes.left(account) else "identity:account")
        errors["code"] = _("This is not the app's present code. Wait for the next one, and type it at once.")
    waiting = authenticator_app.begin(account)
    address = totp.address(waiting.secret, issuer=ISSUER, account=account.name)
    context = {
        "errors": errors,
        "picture": segno.make(address, error="m").svg_data_uri(scale=5, border=2),
        "secret": " ".join(waiting.secret[at : at + 4] for at in range(0, len(waiting.secret), 4)),
        "present": authenticator_app.of(account),
    }
    return render(request, "identity/app.html", context)


@require_POST
@permit("identity.account")
def app_remove(request: HttpRequest) -> HttpResponse:
    """Remove the authenticator app."""
    if elsewhere := fresh.unless_settled(request):
        return elsewhere
    authenticator_app.remove(actor=actor(request), account=fresh.session_of(request).account)
    return redirect("identity:account")


@require_http_methods(["GET", "POST"])
@permit("identity.account")
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """How many codes are left; on demand, new ones, which this answer alone shows."""
    if elsewhere := fresh.unless_settled(request, "identity:codes"):
        return elsewhere
    account = fresh.session_of(request).account
    made = codes.make(actor=actor(request), account=account) if request.method == "POST" else []
    return render(request, "identity/codes.html", {"made": made, "left": codes.left(account), "count": codes.COUNT})


@require_http_methods(["GET", "POST"])
@permit("identity.account")
def password(request: HttpRequest) -> HttpResponse:
    """An officer sets or changes the password."""
    if elsewhere := fresh.unless_settled(request, "identity:password"):
        return elsewhere
    account = fresh.session_of(request).account
    if not passwords.may_have(account):
        raise Http404
    if authenticator_app.of(account) is None:
        return redirect("identity:app")
    errors = {}
    if request.method == "POST":
        given = {name: request.POST.get(name, "") for name in ("present", "password")}
        errors = passwords.set_new(actor=actor(request), account=account, **given)
        if not errors:
            return redirect("identity:account")
    context = {"errors": errors, "present": passwords.of(account), "shortest": policy.SHORTEST}
    return render(request, "identity/password.html", context)


@require_POST
@permit("identity.account")
def password_remove(request: HttpRequest) -> HttpResponse:
    """Remove the password."""
    if elsewhere := fresh.unless_settled(request):
        return elsewhere
    passwords.remove(actor=actor(request), account=fresh.session_of(request).account)
    return redirect("identity:account")
