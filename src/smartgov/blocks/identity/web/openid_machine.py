"""The provider's doors for programs: past Django where the site can (`MACHINE_DOORS`), else as a view of it."""

from __future__ import annotations

import base64
import binascii
from contextlib import nullcontext
from functools import lru_cache

from cryptography import x509
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from smartgov.blocks.identity.openid.service import provider
from smartgov.blocks.ops.api import public, refusing
from smartgov.engines.httpd import Request, Response
from smartgov.engines.openid import machine
from smartgov.shared.settings import get

ADDRESSES = sorted(path.removeprefix("/") for path in machine.PATHS_SERVED)


def answer(request: Request) -> Response:
    """What the door says; no cookie counts here.

    One transaction a request: what it used up and what it gave are written together, or not at all.
    """
    request.peer_cert = _certificate(request)
    with transaction.atomic() if request.path in machine.WRITES else nullcontext():
        return machine.answer(provider(), request)


@refusing(lambda problem: _within_django(machine.refused(problem)))
@public("relying parties prove themselves by their keys; what is said of the provider itself is for everybody")
def door(request: HttpRequest) -> HttpResponse:
    """Every door for programs, for whoever comes by Django's addresses."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = request.META.get("QUERY_STRING", "")
    return _within_django(answer(Request(request.method or "", request.path, query, headers, request.body)))


def _within_django(said: Response) -> HttpResponse:
    response = HttpResponse(said.body, status=said.status)
    for name, value in said.headers.items():
        response.headers[name] = value
    return response


def _certificate(request: Request) -> bytes | None:
    """The client's certificate, from the header of the proxy that ended TLS (RFC 9440); none unless one is set."""
    name = _certificate_header()
    value = request.headers.get(name, "").strip(":") if name else ""
    if not value:
        return None
    try:
        der = base64.b64decode(value, validate=True)
        x509.load_der_x509_certificate(der)
    except (binascii.Error, ValueError):
        return None
    return der


@lru_cache(maxsize=1)
def _certificate_header() -> str:
    return get("SMARTGOV_CLIENT_CERT_HEADER").lower()
