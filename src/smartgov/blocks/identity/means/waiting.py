"""The page on which a person acts with a card or an app: for signing in, and for signing.

It works without scripts. The card's page posts to a helper on the person's machine, and the helper's page posts back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from smartgov.blocks.identity.ports import Opened
from smartgov.shared import clock

_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self' {helper}; "
    "frame-ancestors 'none'"
)


def page(request: HttpRequest, template: str, *, opened: Opened, until: datetime, **more: Any) -> HttpResponse:
    """The page `template`, which includes `identity/steps_card.html` or `identity/steps_twfido.html`; both need what is
    put into the context here, and a `number` to compare. `until` is when the request ends."""
    code = segno.make(opened.code, error="l").svg_data_uri(scale=4, border=2) if opened.code else ""
    context = {
        "shown": opened,
        "code": code,
        "played_at": opened.played_at if settings.DEMO else "",
        "seconds": int((until - clock.now()).total_seconds()),
        "origin": settings.ORIGIN,
        **more,
    }
    response = render(request, template, context)
    if opened.form_to:
        parts = urlsplit(opened.form_to)
        response.headers["Content-Security-Policy"] = _POLICY.format(helper=f"{parts.scheme}://{parts.netloc}")
        # The helper has to learn from the browser who asks; with other policies an https page would be nobody to it.
        response.headers["Referrer-Policy"] = "origin"
    return response
