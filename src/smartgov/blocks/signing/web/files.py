"""Files that come in by a form and go out as downloads."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import HttpResponse

from smartgov.blocks.signing import domain
from smartgov.shared.problems import Problem


def content_of(upload: Any) -> bytes:
    """The bytes of an upload, or of none; Problems `file-missing`, `file-too-large` before anything is read."""
    if upload is None:
        raise domain.FILE_MISSING
    if (upload.size or 0) > domain.LARGEST_FILE:
        raise domain.FILE_TOO_LARGE
    content: bytes = upload.read()
    return content


def beside(name: str, content: bytes) -> HttpResponse:
    """A detached signature for the browser."""
    answer = HttpResponse(content, content_type="application/pkcs7-signature")
    answer["Content-Disposition"] = f"attachment; filename=\"signature.p7s\"; filename*=UTF-8''{quote(name, safe='')}"
    answer["Cache-Control"] = "no-store"
    return answer


def pdf(name: str, content: bytes, *, download: bool = True) -> HttpResponse:
    """A PDF for the browser, which may neither run nor frame anything in it."""
    answer = HttpResponse(content, content_type="application/pdf")
    kind = "attachment" if download else "inline"
    answer["Content-Disposition"] = f"{kind}; filename=\"document.pdf\"; filename*=UTF-8''{quote(name, safe='')}"
    answer["Cache-Control"] = "no-store"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'; object-src 'self'"
    return answer


def errors_of(problem: Problem, field: str = "file") -> dict[str, object]:
    """A problem as the errors of a form."""
    return {field: problem.what}
