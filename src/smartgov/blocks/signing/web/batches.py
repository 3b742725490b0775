"""Seals in batches: hand in, watch, stop, go on, download."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from smartgov.blocks.identity.api import actor, permit
from smartgov.blocks.signing import api
from smartgov.blocks.signing.web import files
from smartgov.shared.problems import Problem

_KINDS = {"running": "active", "stopped": "waiting", "done": "done"}


@require_http_methods(["GET", "POST"])
@permit("signing.seal")
def batches(request: HttpRequest) -> HttpResponse:
    """The agency's batches; posted files become a new one."""
    who = actor(request)
    errors: dict[str, object] = {}
    if request.method == "POST":
        try:
            found = [(one.name or "", files.content_of(one)) for one in request.FILES.getlist("files")]
            made = api.begin_batch(
                actor=who, name=request.POST.get("name", ""), reason=request.POST.get("reason", ""), files=found
            )
            return redirect("signing:batch", batch_id=made)
        except Problem as problem:
            errors = files.errors_of(problem, "files")
    rows = [(one, _KINDS[one.state]) for one in api.batches(actor=who)]
    context = {"rows": rows, "errors": errors}
    return render(request, "signing/batches.html", context, status=422 if errors else 200)


@require_http_methods(["GET", "POST"])
@permit("signing.seal")
def batch(request: HttpRequest, batch_id: str) -> HttpResponse:
    """How far a batch is; a running one's page looks again by itself."""
    who = actor(request)
    if request.method == "POST":
        if request.POST.get("do") == "stop":
            api.stop_batch(actor=who, batch_id=batch_id)
        else:
            api.resume_batch(actor=who, batch_id=batch_id)
        return redirect("signing:batch", batch_id=batch_id)
    found, items = api.batch(actor=who, batch_id=batch_id)
    still = "still" in request.GET
    context = {
        "batch": found,
        "kind": _KINDS[found.state],
        "items": items,
        "left": found.total - found.done - found.failed,
        "reload": found.state == "running" and not still,
    }
    return render(request, "signing/batch.html", context)


@require_GET
@permit("signing.seal")
def sealed(request: HttpRequest, batch_id: str, number: str) -> HttpResponse:
    """One sealed document."""
    place = int(number) if number.isascii() and number.isdigit() and len(number) < 5 else 0
    name, content = api.sealed_document(actor=actor(request), batch_id=batch_id, number=place)
    return files.beside(name, content) if name.endswith(".p7s") else files.pdf(name, content)
