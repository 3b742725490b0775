"""The holder's door on T-Road: her document, asked by the portal in her name."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from django.http import Http404, HttpRequest
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from smartgov.blocks.credentials import api
from smartgov.blocks.exchange.api import Inbound, Offered, TRoadInbound
from smartgov.shared.text import Text

OFFERED = Offered(title=Text("Certificates of an agency", "機關電子證明"))
router = Router(tags=["credentials.v1"])


class Wanted(Schema):
    """Which certificate."""

    model_config = ConfigDict(extra="forbid")

    credential: Annotated[str, Field(max_length=64)]


class Document(Schema):
    """A sealed document; `content` is base64."""

    model_config = ConfigDict(extra="forbid")

    media_type: Literal["application/pdf"]
    name: str
    content: Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]


class WalletOffer(Schema):
    """What a wallet scans, and the number that its holder types."""

    model_config = ConfigDict(extra="forbid")

    uri: str
    tx_code: str


@router.post("/documents", auth=TRoadInbound(), response=Document, description="當事人所持證明之用印 PDF 文件")
def document(request: HttpRequest, wanted: Wanted) -> dict[str, str]:
    """The sealed PDF of a certificate whose holder is the request's subject."""
    inbound: Inbound = request.auth  # type: ignore[attr-defined]
    if not inbound.subject:
        raise Http404
    content = api.document(agency=inbound.agency, credential_id=wanted.credential, national_id=inbound.subject)
    return {"media_type": "application/pdf", "name": "certificate.pdf", "content": base64.b64encode(content).decode()}


@router.post("/offers", auth=TRoadInbound(), response=WalletOffer, description="提供當事人之數位皮夾憑證，附領取碼")
def offer(request: HttpRequest, wanted: Wanted) -> dict[str, str]:
    """An offer of wallet credentials for the request's subject, with the code that she types."""
    inbound: Inbound = request.auth  # type: ignore[attr-defined]
    if not inbound.subject:
        raise Http404
    made = api.offer(agency=inbound.agency, credential_id=wanted.credential, national_id=inbound.subject)
    return {"uri": made.uri, "tx_code": made.tx_code}
