"""Pages of `credentials`: the public look-up behind the QR code, the check of a file, and the agency's desk."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.credentials import api, limiting
from smartgov.blocks.credentials.domain import REASONS, Verdict
from smartgov.blocks.identity.api import actor, permit, public
from smartgov.blocks.ops.api import neighbour_of
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

KINDS = {"valid": "done", "revoked": "bad", "preparing": "waiting"}
LARGEST_FILE = 5 * 2**20
NO_FILE = Problem(
    "file-missing",
    422,
    what=Text("Choose the PDF, at most 5 MB", "請選擇 PDF 檔案（5 MB 以內）"),
    todo=Text("Send it as `file` in a form.", "請以表單欄位 file 傳送。"),
)


@require_GET
@public("Whoever is handed a certificate must be able to check it.")
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """What the public may know about one certificate."""
    limiting.count(neighbour_of(request))
    view = api.verify(code)
    return render(request, "credentials/verify.html", {"view": view, "kind": KINDS[view.status]})


@require_http_methods(["GET", "POST"])
@public("Whoever is handed a certificate must be able to check it.")
def check(request: HttpRequest) -> HttpResponse:
    """Check a PDF: its seal, whether it is the file that was issued, and whether it is in force. It is not kept."""
    if request.method == "GET":
        return render(request, "credentials/check.html", {})
    verdict = _checked(request)
    if verdict is None:
        errors = {"file": NO_FILE.what}
        return render(request, "credentials/check.html", {"errors": errors}, status=422)
    if request.POST.get("part") == "issued" and verdict.issued:
        return _download(verdict.issued)
    return render(request, "credentials/check.html", {"verdict": verdict})


@csrf_exempt
@require_POST
@public("Programs check files as people do; nothing is kept or changed.")
def check_program(request: HttpRequest) -> HttpResponse:
    """The same as JSON: a form with `file`."""
    try:
        if (verdict := _checked(request)) is None:
            raise NO_FILE
        return JsonResponse(verdict.as_json())
    except Problem as problem:
        answer = JsonResponse(problem.as_dict("en"), status=problem.status, content_type="application/problem+json")
        answer["Content-Language"] = "en"
        return answer


def _checked(request: HttpRequest) -> Verdict | None:
    """What is found about the upload; None without one that may be read. Problem `too-many-lookups`."""
    limiting.count(neighbour_of(request))
    upload = request.FILES.get("file")
    if upload is None or (upload.size or 0) > LARGEST_FILE:
        return None
    return api.verify_upload(upload.read())


def _download(content: bytes) -> HttpResponse:
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = 'attachment; filename="issued.pdf"'
    answer["Cache-Control"] = "no-store"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'; object-src 'self'"
    return answer


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
