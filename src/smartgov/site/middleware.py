"""What surrounds every request: security headers, a correlation id, and one error shape."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language

from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

Next = Callable[[HttpRequest], HttpResponse]
logger = structlog.get_logger()

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_MACHINE_PATHS = ("/api/", "/troad/")

NOT_FOUND = Problem(
    "not-found",
    404,
    what=Text("This page or record was not found.", "找不到這個頁面或資料。"),
    why=Text("The address is wrong, or it belongs to somebody else.", "網址有誤，或這筆資料屬於他人。"),
    todo=Text("Check the address, or start from the home page.", "請檢查網址，或從首頁重新開始。"),
)
UNEXPECTED = Problem(
    "unexpected",
    500,
    what=Text("Something went wrong on our side.", "系統發生錯誤。"),
    why=Text("Nothing that you had saved is lost.", "您已儲存的內容不會遺失。"),
    todo=Text("Try again in a few minutes.", "請過幾分鐘再試一次。"),
)


class Guard:
    """Adds the correlation id to logs, and the headers that keep a page to itself."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        correlation = request.headers.get("X-Correlation-Id") or uuid7()
        structlog.contextvars.bind_contextvars(correlation=correlation[:64])
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Correlation-Id"] = correlation[:64]
        structlog.contextvars.unbind_contextvars("correlation")
        return response


class Problems:
    """Turns every error into a problem: a page for people, problem+json for programs."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a Problem as itself and anything unforeseen as `unexpected`, logged with its traceback."""
        if isinstance(error, Problem):
            logger.info("problem_answered", problem=error.slug, status=error.status)
            return respond(request, error)
        if isinstance(error, Http404):
            return respond(request, NOT_FOUND)
        logger.error("request_failed", exc_info=error)
        return None


def respond(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The response for `problem` in the form that this path's readers take."""
    language = get_language() or "zh-hant"
    if request.path.startswith(_MACHINE_PATHS):
        return JsonResponse(problem.as_dict(language), status=problem.status, content_type="application/problem+json")
    context = {"problem": {**problem.as_dict(language), "why": problem.why.in_language(language)}}
    return render(request, "theme/problem.html", context, status=problem.status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return respond(request, NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    return respond(request, UNEXPECTED)
