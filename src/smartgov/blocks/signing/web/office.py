"""The registration office's pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from smartgov.blocks.identity.api import actor, permit
from smartgov.blocks.signing import api
from smartgov.engines.pki.authority.life import REASONS, STATES
from smartgov.shared.problems import Problem

_KINDS = {
    "requested": "todo",
    "proved": "waiting",
    "issued": "waiting",
    "active": "done",
    "suspended": "waiting",
    "revoked": "bad",
    "rejected": "plain",
    "expired": "plain",
}


@require_GET
@permit("signing.certify")
def certificates(request: HttpRequest) -> HttpResponse:
    """Certificates, newest first; `state` narrows them."""
    state = request.GET.get("state", "")
    found = api.certificates(actor=actor(request), state=state)
    rows = [(one, STATES[one.state], _KINDS[one.state]) for one in found]
    context = {"rows": rows, "state": state, "states": [("", None), *STATES.items()]}
    return render(request, "signing/certificates.html", context)


@require_http_methods(["GET", "POST"])
@permit("signing.certify")
def certificate(request: HttpRequest, record: str) -> HttpResponse:
    """One certificate: its life so far, and the step that comes next."""
    who = actor(request)
    found, steps = api.certificate(actor=who, record=record)
    problem = None
    if request.method == "POST":
        try:
            api.act_on(
                actor=who,
                record=record,
                step=request.POST.get("step", ""),
                reason=request.POST.get("reason", ""),
            )
            return redirect("signing:certificate", record=record)
        except Problem as refused:
            problem = refused
    context = {
        "record": found,
        "state": STATES[found.state],
        "kind": _KINDS[found.state],
        "reason": REASONS.get(found.reason),
        "steps": [(step, api.STEPS[step]) for step in steps if step != "revoke"],
        "may_revoke": "revoke" in steps,
        "reasons": list(REASONS.items()),
        "trail": api.trail(actor=who, record=record),
        "problem": problem,
    }
    return render(request, "signing/certificate.html", context, status=problem.status if problem else 200)
