"""Pages of `credentials`: the public look-up behind the QR code, the check of a file, and the agency's desk."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from smartgov.blocks.credentials import api, limiting
from smartgov.blocks.credentials.domain import REASONS
from smartgov.blocks.identity.api import actor, permit, public
from smartgov.shared.text import Text

KINDS = {"valid": "done", "revoked": "bad", "preparing": "waiting"}
LARGEST_FILE = 5 * 2**20


@require_GET
@public("Whoever is handed a certificate must be able to check it.")
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """What the public may know about one certificate."""
    limiting.count(_address(request))
    view = api.verify(code)
    return render(request, "credentials/verify.html", {"view": view, "kind": KINDS[view.status]})


@require_http_methods(["GET", "POST"])
@public("Whoever is handed a certificate must be able to check it.")
def check(request: HttpRequest) -> HttpResponse:
    """Check a PDF: its seal, whether it is the file that was issued, and whether it is in force. It is not kept."""
    if request.method == "GET":
        return render(request, "credentials/check.html", {})
    limiting.count(_address(request))
    upload = request.FILES.get("file")
    if upload is None or (upload.size or 0) > LARGEST_FILE:
        errors = {"file": Text("Choose the PDF, at most 5 MB", "請選擇 PDF 檔案（5 MB 以內）")}
        return render(request, "credentials/check.html", {"errors": errors}, status=422)
    return render(request, "credentials/check.html", {"verdict": api.verify_upload(upload.read())})


@require_GET
@permit("credentials.revoke")
def desk(request: HttpRequest) -> HttpResponse:
    """The agency's certificates."""
    found = api.certificates(agency=actor(request).agency or "")
    return render(request, "credentials/desk.html", {"certificates": [(row, KINDS[row.status]) for row in found]})


@require_http_methods(["GET", "POST"])
@permit("credentials.revoke")
def manage(request: HttpRequest, code: str) -> HttpResponse:
    """One certificate of the agency, and its revocation."""
    who = actor(request)
    credential, view = api.certificate(actor=who, code=code)
    errors: dict[str, Text] = {}
    if request.method == "POST":
        if request.POST.get("reason") in set(api.Reason):
            api.revoke(actor=who, credential_id=credential, reason=request.POST["reason"])
            return redirect("credentials:manage", code=code)
        errors = {"reason": Text("Choose a reason", "請選擇原因")}
    context = {"view": view, "kind": KINDS[view.status], "reasons": list(REASONS.items()), "errors": errors}
    return render(request, "credentials/manage.html", context, status=422 if errors else 200)


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
