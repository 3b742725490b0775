"""The signing desk: one's certificate, one's documents, and waiting for the phone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.identity.api import actor, permit, standing
from smartgov.blocks.signing import api
from smartgov.blocks.signing.domain import PHONE, WAY_TITLES, WAYS
from smartgov.blocks.signing.web import files
from smartgov.engines.pki.authority.life import STATES
from smartgov.shared import clock
from smartgov.shared.problems import Problem

_KINDS = {"active": "done", "issued": "waiting", "suspended": "bad"}


@require_http_methods(["GET", "POST"])
@permit("signing.sign")
def desk(request: HttpRequest) -> HttpResponse:
    """The certificate and the documents; a posted file is laid on the desk."""
    who = actor(request)
    errors: dict[str, object] = {}
    if request.method == "POST":
        upload = request.FILES.get("file")
        try:
            made = api.upload(actor=who, name=upload.name or "" if upload else "", content=files.content_of(upload))
            return redirect("signing:document", document_id=made)
        except Problem as problem:
            errors = files.errors_of(problem)
    record = api.own_certificate(actor=who)
    context = {
        "record": record,
        "state": STATES[record.state] if record else None,
        "kind": _KINDS.get(record.state, "plain") if record else "",
        "waiting": api.to_activate(actor=who),
        "may_extend": bool(record and api.may_extend(record)),
        "documents": api.documents(actor=who),
        "choices": (offered := api.choices(actor=who)),
        "able": any(one.lack is None for one in offered),
        "errors": errors,
    }
    return render(request, "signing/desk.html", context, status=422 if errors else 200)


@require_POST
@permit("signing.sign")
def certificate_begin(request: HttpRequest) -> HttpResponse:
    """Ask the phone for a key."""
    return redirect("signing:approval", approval_id=api.begin_certificate(actor=actor(request)))


@require_POST
@permit("signing.sign")
def extension(request: HttpRequest) -> HttpResponse:
    """Extend the certificate's life."""
    api.extend(actor=actor(request))
    return redirect("signing:desk")


@require_POST
@permit("signing.sign")
def suspension(request: HttpRequest) -> HttpResponse:
    """Stop one's own certificate."""
    api.suspend_own(actor=actor(request))
    return redirect("signing:desk")


@require_POST
@permit("signing.sign")
def activation_begin(request: HttpRequest) -> HttpResponse:
    """Ask the phone to activate the certificate."""
    return redirect("signing:approval", approval_id=api.begin_activation(actor=actor(request)))


@require_http_methods(["GET", "POST"])
@permit("signing.sign")
def document(request: HttpRequest, document_id: str) -> HttpResponse:
    """One document: open it, then sign it."""
    who = actor(request)
    found = api.document(actor=who, document_id=document_id)
    error = None
    if request.method == "POST" and found.state != "signed":
        try:
            return _begun(request, document_id)
        except Problem as problem:
            error = problem
    offered = api.choices(actor=who)
    ways = _ways(offered)
    context = {
        "document": found,
        "problem": error,
        "ways": ways,
        "chosen": request.POST.get("with") or (ways[0]["value"] if ways else ""),
        "lacking": [one for one in offered if one.lack],
        "behalf": standing(actor=who).represented.name if who.acting_for else "",
    }
    return render(request, "signing/document.html", context, status=error.status if error else 200)


def _begun(request: HttpRequest, document_id: str) -> HttpResponse:
    """Ask the means that was chosen; without a choice, the phone."""
    who, reason = actor(request), request.POST.get("reason", "").strip()
    choice = request.POST.get("with", PHONE)
    if choice == PHONE:
        made = api.begin_signature(actor=who, document_id=document_id, reason=reason)
        return redirect("signing:approval", approval_id=made)
    made = api.begin_paper(actor=who, document_id=document_id, choice=choice, reason=reason)
    return redirect("signing:paper", paper_id=made)


def _ways(offered: list[api.Choice]) -> list[dict[str, object]]:
    """What the person can choose, each with its authority and until when."""
    able = {one.means: one for one in offered if one.lack is None}
    return [
        {"value": choice, "label": WAY_TITLES[choice], "hint": able[means].issuer}
        for choice, (means, _) in WAYS.items()
        if means in able
    ]


@require_GET
@permit("signing.sign")
def file(request: HttpRequest, document_id: str) -> HttpResponse:
    """The document as it came; whoever opened it may sign it."""
    name, content = api.open_document(actor=actor(request), document_id=document_id)
    return files.pdf(name, content, download=False)


@require_GET
@permit("signing.sign")
def signed(request: HttpRequest, document_id: str) -> HttpResponse:
    """The signed document."""
    name, content = api.signed_document(actor=actor(request), document_id=document_id)
    return files.pdf(name, content)


@require_GET
@permit("signing.sign")
def approval(request: HttpRequest, approval_id: str) -> HttpResponse:
    """Number and fingerprint until the phone has answered; then what was approved is done."""
    who = actor(request)
    found = api.approval(actor=who, approval_id=approval_id)
    try:
        if api.settle(actor=who, approval_id=approval_id):
            return (
                redirect("signing:document", document_id=found.document) if found.document else redirect("signing:desk")
            )
    except Problem as problem:
        if problem.slug == "already-signed":  # the back button, or another tab was sooner
            return redirect("signing:document", document_id=found.document)
        context = {"approval": found, "problem": problem}
        return render(request, "signing/approval_over.html", context, status=problem.status)
    seconds = int((found.expires_at - clock.now()).total_seconds())
    behalf = standing(actor=who).represented.name if who.acting_for else ""
    return render(request, "signing/approval.html", {"approval": found, "seconds": seconds, "behalf": behalf})


@require_GET
@permit("signing.sign")
def approval_state(request: HttpRequest, approval_id: str) -> HttpResponse:
    """Whether the phone has still to answer."""
    return JsonResponse({"waiting": api.is_waiting(actor=actor(request), approval_id=approval_id)})
