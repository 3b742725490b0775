"""The registration office's pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from smartgov.blocks.identity.api import actor, permit
from smartgov.blocks.signing import api
from smartgov.blocks.signing.web import files
from smartgov.engines.pki.authority.authority import activation_text
from smartgov.engines.pki.authority.life import REASONS, STATES
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_PROFILES = {
    "person": Text("Person", "自然人"),
    "seal": Text("Seal of an agency", "機關印章"),
    "gateway": Text("Gateway", "資料交換閘道"),
}
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


@require_http_methods(["GET", "POST"])
@permit("signing.certify")
def certificates(request: HttpRequest) -> HttpResponse:
    """Certificates, newest first; `state` narrows them. A posted form is a request at the counter."""
    errors: dict[str, object] = {}
    if request.method == "POST":
        names = ("profile", "common_name", "organisation", "reference")
        given = {name: request.POST.get(name, "") for name in names}
        try:
            made = api.take_request(actor=actor(request), csr=files.content_of(request.FILES.get("csr")), **given)
            return redirect("signing:certificate", record=made)
        except Problem as problem:
            if problem.status >= 500:
                raise
            errors = files.errors_of(problem, "csr")
    state, of = request.GET.get("state", ""), request.GET.get("of", "people")
    found = api.certificates(actor=actor(request), state=state, of=of)
    rows = [(one, STATES[one.state], _KINDS[one.state]) for one in found]
    context = {
        "rows": rows,
        "state": state,
        "of": of,
        "kinds": [("people", Text("People", "自然人")), ("seals", Text("Seals of agencies", "機關印章"))],
        "states": [("", None), *STATES.items()],
        "errors": errors,
        "profiles": list(_PROFILES.items()),
        "posted": request.POST,
    }
    return render(request, "signing/certificates.html", context, status=422 if errors else 200)


@require_http_methods(["GET", "POST"])
@permit("signing.certify")
def certificate(request: HttpRequest, record: str) -> HttpResponse:
    """One certificate: its life so far, and the step that comes next."""
    who = actor(request)
    found, steps = api.certificate(actor=who, record=record)
    problem = None
    if request.method == "POST":
        try:
            if request.POST.get("step") == "activate":
                api.activate(actor=who, record=record, signature=request.POST.get("signature", ""))
            else:
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
        "may_suspend": "suspend" in steps,
        "may_revoke": "revoke" in steps,
        "reasons": list(REASONS.items()),
        "activation": activation_text(found).decode() if found.state == "issued" else "",
        "trail": api.trail(actor=who, record=record),
        "problem": problem,
    }
    return render(request, "signing/certificate.html", context, status=problem.status if problem else 200)


@require_http_methods(["GET", "POST"])
@permit("signing.certify")
def lists(request: HttpRequest) -> HttpResponse:
    """Our lists and trails, and the lists of others; a posted file is taken in."""
    who = actor(request)
    errors: dict[str, object] = {}
    taken = None
    if request.method == "POST":
        try:
            crl = files.content_of(request.FILES.get("list"))
            taken = api.take_in_at_desk(actor=who, crl=crl, digest=request.POST.get("digest", ""))
        except Problem as problem:
            if problem.status >= 500:
                raise
            errors = {"list": problem.why if problem.slug == "crl-refused" else problem.what}
    context = {"overview": api.overview(actor=who), "errors": errors, "taken": taken, "posted": request.POST}
    return render(request, "signing/lists.html", context, status=422 if errors else 200)
