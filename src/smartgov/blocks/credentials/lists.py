"""Status lists of other agencies: fetched whole by their address, so that nobody learns which credential was shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from http.client import HTTPException
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings

from smartgov.engines.credential.tokens import TokenError
from smartgov.shared import clock

_LARGEST = 4 * 2**20
_SECONDS = 5
_KEPT_FOR = timedelta(minutes=5)
_MOST_KEPT = 32
_kept: dict[str, tuple[str, datetime]] = {}
_LOOPBACK = {"localhost", "127.0.0.1"}


class _NoRedirect(HTTPRedirectHandler):
    """An address that is signed leads where it says."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow none."""


def fetched(uri: str) -> str:
    """The text at a list's address, kept for five minutes; TokenError when it cannot be had.

    The address comes from a signed credential.

    Only https is asked, and http on loopback where this site itself runs so (a demo). A revocation elsewhere is thus
    known here after five minutes at most.
    """
    now = clock.now()
    if (kept := _kept.get(uri)) is not None and now < kept[1]:
        return kept[0]
    text = _fetch(uri)
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[uri] = text, now + _KEPT_FOR
    return text


def _fetch(uri: str) -> str:
    parts = urlsplit(uri)
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK and urlsplit(settings.ORIGIN).scheme == "http"
    if not (parts.scheme == "https" or local) or parts.username or parts.query or parts.fragment:
        raise TokenError("its list has no address that is asked here")
    request = Request(uri, headers={"accept": "application/statuslist+jwt"})
    try:
        with build_opener(_NoRedirect).open(request, timeout=_SECONDS) as answer:
            content = answer.read(_LARGEST + 1)
    except (URLError, OSError, HTTPException, ValueError):
        raise TokenError("its list does not answer") from None
    if len(content) > _LARGEST:
        raise TokenError("its list is too large")
    try:
        return bytes(content).decode("ascii")
    except UnicodeDecodeError:
        raise TokenError("its list cannot be read") from None
