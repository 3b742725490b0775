"""What surrounds every request: security headers, a correlation id, and one error shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils.translation import get_language

from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.site import refusals
from smartgov.site.unstorable import is_asked_with_nul

Next = Callable[[HttpRequest], HttpResponse]
logger = structlog.get_logger()

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
KEPT_TO_ITSELF = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Headers that keep an answer from what other sites could do with it."""
_MACHINE_PATHS = ("/api/", "/troad/")
_PROBLEM = "application/problem+json"


class Guard:
    """Adds the correlation id to logs, and the headers that keep a page to itself."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        correlation = request.headers.get("X-Correlation-Id") or uuid7()
        structlog.contextvars.bind_contextvars(correlation=correlation[:64])
        response = self.get_response(request)
        for name, value in KEPT_TO_ITSELF.items():
            response.headers.setdefault(name, value)
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
        """Give our shape to errors that Django or a library answered by itself, keeping their headers."""
        response = self.get_response(request)
        if not _has_another_shape(request, response):
            return response
        shaped = respond(request, refusals.of_status(response.status_code))
        for name, value in response.headers.items():
            shaped.headers.setdefault(name, value)
        return shaped

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """Refuse what no database of ours takes, before a view looks something up by it."""
        if not is_asked_with_nul(request):
            return None
        return respond(request, refusals.MALFORMED if _is_of_machines(request) else refusals.with_nul(request.method))

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a Problem as itself and anything unforeseen as `unexpected`, logged with its traceback."""
        if isinstance(error, Problem):
            logger.info("problem_answered", problem=error.slug, status=error.status)
            return respond(request, error)
        if isinstance(error, Http404):
            return respond(request, refusals.NOT_FOUND)
        if isinstance(error, DataError):
            logger.warning("value_refused_by_database", kind=type(error.__cause__).__name__)
            return respond(request, refusals.MALFORMED)
        if isinstance(error, BadRequest | MultiPartParserError | SuspiciousOperation):  # whoever sent it is at fault
            logger.info("request_unreadable", kind=type(error).__name__)
            return respond(request, refusals.of_exception(error))
        logger.error("request_failed", exc_info=error)
        return None


def _has_another_shape(request: HttpRequest, response: HttpResponse) -> bool:
    if _is_of_machines(request):
        return response.status_code >= 400 and response.headers.get("Content-Type") != _PROBLEM
    return isinstance(response, HttpResponseNotAllowed)  # Django's has no page


def _is_of_machines(request: HttpRequest) -> bool:
    """Whether programs ask here: below an API, or at a door that is named after what it answers (`check.json`)."""
    return request.path.startswith(_MACHINE_PATHS) or request.path.endswith(".json")


def respond(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The response for `problem` in the form that this door's readers take."""
    language = get_language() or "zh-hant"
    own: Callable[[Problem], HttpResponse] | None = None
    if request.resolver_match is not None:
        own = getattr(request.resolver_match.func, "smartgov_refuses", None)
    if own is not None:
        return own(problem)
    if _is_of_machines(request):
        return _as_json(problem, language, every=request.headers.get("Accept-Language") == "*")
    problem = refusals.FOR_PEOPLE.get(problem, problem)
    context = {"problem": {**problem.as_dict(language), "why": problem.why.in_language(language)}}
    return render(request, "theme/problem.html", context, status=problem.status)


def _as_json(problem: Problem, language: str, *, every: bool = False) -> HttpResponse:
    """`every` language: for who shows it to people, as a gateway's commands do."""
    told = problem.as_dict(language)
    if every:
        parts = {"what": problem.what, "why": problem.why, "todo": problem.todo}
        told["texts"] = {name: part.as_dict() for name, part in parts.items()}
    return JsonResponse(told, status=problem.status, content_type=_PROBLEM)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return respond(request, refusals.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    return respond(request, refusals.UNEXPECTED)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return respond(request, refusals.of_exception(exception))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return respond(request, refusals.FORBIDDEN)


def not_from_our_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's view for a form without our token (setting CSRF_FAILURE_VIEW)."""
    logger.info("form_refused", reason=reason)
    return respond(request, refusals.NOT_FROM_OUR_PAGE)
