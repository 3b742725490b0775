"""The holder's door on T-Road: her document, asked by the portal in her name."""

from __future__ import annotations

import base64
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router, Schema

from smartgov.blocks.credentials import api
from smartgov.blocks.exchange.api import Inbound, TRoadInbound

router = Router(tags=["credentials.v1"])


class Wanted(Schema):
    """Which certificate."""

    credential: str


@router.post("/documents", auth=TRoadInbound())
def document(request: HttpRequest, wanted: Wanted) -> dict[str, Any]:
    """The sealed PDF of a certificate whose holder is the request's subject."""
    inbound: Inbound = request.auth  # type: ignore[attr-defined]
    if not inbound.subject:
        raise Http404
    content = api.document(agency=inbound.agency, credential_id=wanted.credential, national_id=inbound.subject)
    return {"media_type": "application/pdf", "name": "certificate.pdf", "content": base64.b64encode(content).decode()}


@router.post("/offers", auth=TRoadInbound())
def offer(request: HttpRequest, wanted: Wanted) -> dict[str, Any]:
    """An offer of wallet credentials for the request's subject, with the code that she types."""
    inbound: Inbound = request.auth  # type: ignore[attr-defined]
    if not inbound.subject:
        raise Http404
    made = api.offer(agency=inbound.agency, credential_id=wanted.credential, national_id=inbound.subject)
    return {"uri": made.uri, "tx_code": made.tx_code}
