"""Pages of `payments`: the desk, a batch with every line, a correction, a result file by hand."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.identity.api import actor, may, permit
from smartgov.blocks.payments import api
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

KINDS: Mapping[str, str] = {
    "ready": "todo",
    "batched": "waiting",
    "sent": "active",
    "settled": "done",
    "failed": "bad",
    "replaced": "plain",
    "cancelled": "plain",
    "prepared": "waiting",
    "released": "active",
    "void": "bad",
}
LARGEST_FILE = 5 * 2**20


@require_GET
@permit("payments.view")
def desk(request: HttpRequest) -> HttpResponse:
    """The agency's payments by what is to be done with them, and its batches."""
    agency = actor(request).agency or ""
    found = api.instructions(agency=agency)
    context = {
        "failed": [row for row in found if row.state == "failed"],
        "ready": [row for row in found if row.state == "ready"],
        "ready_total": sum(row.amount for row in found if row.state == "ready"),
        "rest": [(row, KINDS[row.state]) for row in found if row.state not in ("failed", "ready")],
        "batches": [(row, KINDS[row.state]) for row in api.batches(agency=agency)],
        "may_prepare": may(request, "payments.prepare"),
    }
    return render(request, "payments/desk.html", context)


@require_POST
@permit("payments.prepare")
def new_batch(request: HttpRequest) -> HttpResponse:
    """Put every ready payment into one batch."""
    who = actor(request)
    return redirect("payments:batch", batch_id=api.prepare_batch(actor=who, agency=who.agency or ""))


@require_GET
@permit("payments.view")
def batch(request: HttpRequest, batch_id: str) -> HttpResponse:
    """One batch, whole: every line and account number under the digest that is released."""
    return _batch(request, batch_id)


@require_POST
@permit("payments.release")
def release(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Release by the digest that the page showed."""
    try:
        api.release_batch(actor=actor(request), batch=batch_id, seen_hash=request.POST.get("seen_hash", ""))
    except Problem as problem:
        return _batch(request, batch_id, problem)
    return redirect("payments:batch", batch_id=batch_id)


@require_POST
@permit("payments.prepare")
def void(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Dissolve a batch that is not released."""
    reason = request.POST.get("reason", "").strip() or "dissolved by its agency"
    api.void_batch(actor=actor(request), batch=batch_id, reason=reason)
    return redirect("payments:batch", batch_id=batch_id)


@require_http_methods(["GET", "POST"])
@permit("payments.prepare")
def results(request: HttpRequest) -> HttpResponse:
    """Apply a result file that came by another way than the bank's line."""
    if request.method == "GET":
        return render(request, "payments/results.html", {})
    who, upload = actor(request), request.FILES.get("file")
    if upload is None or (upload.size or 0) > LARGEST_FILE:
        errors = {"file": Text("Choose the bank's result file, at most 5 MB", "請選擇銀行結果檔（5 MB 以內）")}
        return render(request, "payments/results.html", {"errors": errors}, status=422)
    try:
        applied = api.apply_result(actor=who, agency=who.agency or "", content=upload.read())
    except Problem as problem:
        context = {"problem": problem.as_dict(_language(request)), "errors": {"file": problem.why}}
        return render(request, "payments/results.html", context, status=problem.status)
    return redirect("payments:batch", batch_id=applied)


@require_http_methods(["GET", "POST"])
@permit("payments.prepare")
def instruction(request: HttpRequest, instruction_id: str) -> HttpResponse:
    """Correct where a payment goes, or give it up."""
    who = actor(request)
    view = api.instruction(actor=who, instruction=instruction_id)
    if request.method == "GET":
        typed = {"payee_name": view.payee_name, "bank_code": view.bank_code, "account": view.account}
        return render(request, "payments/instruction.html", {"view": view, "typed": typed, "kind": KINDS[view.state]})
    if request.POST.get("do") == "cancel":
        api.cancel(actor=who, instruction=instruction_id)
        return redirect("payments:desk")
    typed = {
        "payee_name": request.POST.get("payee_name", "").strip(),
        "bank_code": request.POST.get("to_bank", "").strip(),
        "account": request.POST.get("to_account", "").strip(),
    }
    try:
        new = api.correct(actor=who, instruction=instruction_id, **typed)
    except Problem as problem:
        if problem.slug != "account-invalid":
            raise
        context = {"view": view, "typed": typed, "kind": KINDS[view.state], "errors": {"to": problem.why}}
        return render(request, "payments/instruction.html", context, status=problem.status)
    return redirect("payments:instruction", instruction_id=new)


def _batch(request: HttpRequest, batch_id: str, problem: Problem | None = None) -> HttpResponse:
    view = api.batch(actor=actor(request), batch=batch_id)
    prepared = view.state == api.BatchState.PREPARED
    context = {
        "view": view,
        "kind": KINDS[view.state],
        "lines": [(line, KINDS[line.state]) for line in view.lines],
        "may_release": prepared and may(request, "payments.release"),
        "may_void": prepared and may(request, "payments.prepare"),
        "problem": problem.as_dict(_language(request)) if problem else None,
    }
    return render(request, "payments/batch.html", context, status=problem.status if problem else 200)


def _language(request: HttpRequest) -> str:
    return getattr(request, "LANGUAGE_CODE", "zh-hant")
