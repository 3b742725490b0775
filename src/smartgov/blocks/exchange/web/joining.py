"""Pages for the centre's officer: who asks to join, and gateways' certificates; and what everybody may fetch."""

from __future__ import annotations

from hashlib import sha256

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from smartgov.blocks.exchange import api, issuing, joining
from smartgov.blocks.exchange.web.answering import answers
from smartgov.blocks.identity.api import actor, may, permit, public
from smartgov.engines.troad.joining.request import grouped
from smartgov.shared.problems import Problem

KINDS = {
    "pending": "todo",
    "approved": "active",
    "joined": "done",
    "refused": "bad",
    "expired": "plain",
    "valid": "done",
    "ending": "waiting",
    "ended": "bad",
    "revoked": "bad",
}


@require_GET
@permit("exchange.view")
def desk(request: HttpRequest) -> HttpResponse:
    """Requests to join with their fingerprints, and the certificates of gateways."""
    return _desk(request)


@permit("exchange.admit")
@answers("exchange:joining")
def approve(request: HttpRequest) -> HttpResponse:
    """Approve by the end of the fingerprint, which only the applicant can say."""
    return _done(
        request,
        lambda: joining.approve(
            actor=actor(request), request=request.POST.get("request", ""), told=request.POST.get("told", "")
        ),
    )


@permit("exchange.admit")
@answers("exchange:joining")
def turn_down(request: HttpRequest) -> HttpResponse:
    """Refuse with a reason."""
    return _done(
        request,
        lambda: joining.turn_down(
            actor=actor(request), request=request.POST.get("request", ""), reason=request.POST.get("reason", "")
        ),
    )


@permit("exchange.admit")
@answers("exchange:joining")
def revoke(request: HttpRequest) -> HttpResponse:
    """Revoke the certificates of a gateway."""
    return _done(
        request,
        lambda: joining.revoke_certificates(
            actor=actor(request), gateway=request.POST.get("gateway", ""), reason=request.POST.get("reason", "")
        ),
    )


@require_GET
@public("the root that gateways are set up with is compared by its fingerprint")
def root(request: HttpRequest) -> HttpResponse:
    """The first root of the configuration: a gateway compares its fingerprint with the one that it was told."""
    return _published(issuing.current().root)


@require_GET
@public("the signed configuration holds public keys and what members offer")
def bundle(request: HttpRequest) -> HttpResponse:
    """The signed configuration, as every gateway reads it: public keys and what members offer."""
    return _published(issuing.current().bundle)


def _published(read: object) -> HttpResponse:
    if not api.is_centre() or not callable(read):
        raise Http404
    try:
        return HttpResponse(read(), content_type="application/json", headers={"Cache-Control": "no-store"})
    except (OSError, ValueError):
        raise Http404 from None


def _done(request: HttpRequest, act: object) -> HttpResponse:
    assert callable(act)
    try:
        act()
    except Problem as problem:
        return _desk(request, problem)
    return redirect("exchange:joining")


def _desk(request: HttpRequest, problem: Problem | None = None) -> HttpResponse:
    try:
        fingerprint = sha256(issuing.current().root()).hexdigest()
    except OSError:
        fingerprint = ""
    found = joining.joining_requests()
    context = {
        "waiting": [row for row in found if row.state == "pending"],
        "decided": [(row, KINDS[row.state]) for row in found if row.state != "pending"],
        "certificates": [(row, KINDS[row.state]) for row in joining.gateway_certificates()],
        "may_admit": may(request, "exchange.admit"),
        "root": grouped(fingerprint),
        "command": _command(fingerprint),
        "reasons": joining.REASONS,
        "problem": problem,
    }
    return render(request, "exchange/joining.html", context, status=problem.status if problem else 200)


def _command(root: str) -> str:
    return (
        f"smartgov gateway init --home gateway --member TW/GOV/xyz --centre {settings.ORIGIN} --root {root}"
        " --name-zh 機關名稱 --name-en 'Name of the agency' --office 資訊室 --email it@agency.example"
        " --host gateway.agency.example --system cases --wait"
    )
