"""Doors for programs, before everything that only pages need: session, language, form token, page, and Django itself.

A sign-in elsewhere asks three such doors, and what surrounds a page would cost more than the answers. A block names its
doors by address (`MACHINE_DOORS` in its `web/root_urls.py`); each turns an `httpd.Request` into an `httpd.Response`,
or into None, when it has done nothing and a page is needed after all. What is refused before a door is asked is told
in the door's own form as well: a client of OAuth knows no other, and where people stand it is a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DataError, connections
from django.http.request import split_domain_port, validate_host

from smartgov.blocks.ops.api import MachineDoor
from smartgov.engines.httpd import Request, Response
from smartgov.shared.ids import uuid7
from smartgov.shared.settings import get
from smartgov.site import refusals
from smartgov.site.middleware import KEPT_TO_ITSELF

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
MAX_BODY = 2**20
logger = structlog.get_logger()


def doors() -> dict[str, MachineDoor]:
    """The doors of all blocks of this site, by path."""
    found: dict[str, MachineDoor] = {}
    for block in settings.BLOCKS:
        if find_spec(f"smartgov.blocks.{block}.web.root_urls"):
            module = import_module(f"smartgov.blocks.{block}.web.root_urls")
            found.update(getattr(module, "MACHINE_DOORS", {}))
    return found


class MachineDoors:
    """A WSGI application that answers at the doors itself, and hands everything else on to `pages`."""

    def __init__(self, pages: Wsgi) -> None:
        self._pages, self._doors = pages, doors()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request."""
        door = self._doors.get(environ["PATH_INFO"])
        if door is None:
            return self._pages(environ, start_response)
        correlation = (environ.get("HTTP_X_CORRELATION_ID") or uuid7())[:64]
        structlog.contextvars.bind_contextvars(correlation=correlation)
        answer = _answered(door, environ)
        structlog.contextvars.unbind_contextvars("correlation")
        if answer is None:
            return self._pages(environ, start_response)
        headers = {**_HEADERS, **answer.headers, "x-correlation-id": correlation}
        headers["content-length"] = str(len(answer.body))
        start_response(_STATUS[answer.status], list(headers.items()))
        return [answer.body]


def _answered(door: MachineDoor, environ: Mapping[str, Any]) -> Response | None:
    try:
        if not _is_ours(environ.get("HTTP_HOST", "")):
            return door.refuse(refusals.MALFORMED)
        body = environ["wsgi.input"].read(MAX_BODY + 1) if _has_body(environ) else b""
        if len(body) > MAX_BODY:
            return door.refuse(refusals.TOO_LARGE)
        if "\0" in environ["PATH_INFO"] or "%00" in environ.get("QUERY_STRING", "") or b"%00" in body:
            return door.refuse(refusals.MALFORMED)
        connections[DEFAULT_DB_ALIAS].close_if_unusable_or_obsolete()
        return door.answer(_request(environ, body))
    except DataError as error:
        logger.warning("value_refused_by_database", kind=type(error.__cause__).__name__)
        return door.refuse(refusals.MALFORMED)
    except Exception:
        logger.exception("request_failed")
        return door.refuse(refusals.UNEXPECTED)


@lru_cache(maxsize=1)
def _read() -> tuple[tuple[str, str], ...]:
    """The headers that doors read, with their names in WSGI: an environment holds a hundred things that none does."""
    names = ["authorization", "cookie", "dpop", *filter(None, [get("SMARTGOV_CLIENT_CERT_HEADER").lower()])]
    return (("content-type", "CONTENT_TYPE"), *((name, f"HTTP_{name.upper().replace('-', '_')}") for name in names))


def _has_body(environ: Mapping[str, Any]) -> bool:
    return environ.get("CONTENT_LENGTH", "0") not in {"", "0"} or "HTTP_TRANSFER_ENCODING" in environ


def _request(environ: Mapping[str, Any], body: bytes) -> Request:
    headers = {name: environ[key] for name, key in _read() if key in environ}
    path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    return Request(environ["REQUEST_METHOD"], path, query, headers, body)


@lru_cache(maxsize=64)
def _is_ours(host: str) -> bool:
    """Whether a Host header names this site, as Django decides it."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_HEADERS = {
    **{name.lower(): value for name, value in KEPT_TO_ITSELF.items()},
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": settings.SECURE_REFERRER_POLICY,
}
