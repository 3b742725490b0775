"""Signing with a card or with TW FidO: the page that waits, what the card's helper brings, and the way out.

They work without scripts. The card's page posts to a helper on the person's machine, and the helper's page posts back.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from smartgov.blocks.identity.api import actor, permit, public, standing, waiting_page
from smartgov.blocks.signing import api
from smartgov.shared.problems import Problem


@require_GET
@permit("signing.sign")
def paper(request: HttpRequest, paper_id: str) -> HttpResponse:
    """What to do now, until the card or the app has signed; then the document."""
    who = actor(request)
    found = api.paper(actor=who, paper_id=paper_id)
    try:
        if api.settle_paper(actor=who, paper_id=paper_id):
            return redirect("signing:document", document_id=found.document)
    except Problem as problem:
        if problem.slug == "already-signed":  # the back button, or another tab was sooner
            return redirect("signing:document", document_id=found.document)
        context = {"approval": found, "problem": problem, "again": problem.status >= 500}
        return render(request, "signing/approval_over.html", context, status=problem.status)
    behalf = standing(actor=who).represented.name if who.acting_for else ""
    template = f"signing/paper_{found.means}.html"
    return waiting_page(request, template, opened=found.opened, until=found.expires_at, paper=found, behalf=behalf)


@require_GET
@permit("signing.sign")
def state(request: HttpRequest, paper_id: str) -> HttpResponse:
    """Whether the person has still to act."""
    return JsonResponse({"waiting": api.is_paper_waiting(actor=actor(request), paper_id=paper_id)})


@csrf_exempt
@require_POST
@public("the helper's page brings the card's answer here; only the page of its owner acts on it")
def answer(request: HttpRequest, paper_id: str) -> HttpResponse:
    """Keep the answer, and go back to the page that waits for it."""
    api.deliver_paper(paper_id=paper_id, answer=request.POST.get("answer", ""))
    response = redirect("signing:paper", paper_id)
    response.status_code = 303
    return response


@require_POST
@permit("signing.sign")
def cancel(request: HttpRequest, paper_id: str) -> HttpResponse:
    """End it, and choose anew."""
    return redirect("signing:document", document_id=api.cancel_paper(actor=actor(request), paper_id=paper_id))
