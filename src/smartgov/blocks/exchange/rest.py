"""Doors for gateways at the centre: letters in, answers out. Who writes is shown by the letter's signatures."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.responses import Status
from ninja.security.base import AuthBase

from smartgov.blocks.exchange import joining
from smartgov.engines.troad.joining import keeper, letters, looking_after
from smartgov.engines.troad.joining import request as joins
from smartgov.engines.troad.joining.letters import Letter
from smartgov.shared import clock

router = Router(tags=["exchange"])


class Written(AuthBase):
    """Ninja authentication: the body is a fresh letter of this kind to this centre; it becomes `request.auth`."""

    openapi_type = "http"
    openapi_scheme = "signed-letter"

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def __call__(self, request: HttpRequest) -> Letter:
        """The letter; a Problem of 401 says what is wrong with it."""
        try:
            data = json.loads(request.body) if len(request.body) <= 4 * letters.MAX_BYTES else None
        except (ValueError, RecursionError):
            data = None
        return letters.read(data, kind=self.kind, to=settings.ORIGIN, now=clock.now())


class LetterBody(Schema):
    """A letter of `engines/troad/joining/letters.py`."""

    text: str
    signatures: dict[str, str]


@router.post(
    "/joining/requests",
    auth=Written(joins.KIND),
    response={201: dict[str, Any]},
    description="閘道申請加入，由中心承辦人員審核",
)
def ask_to_join(request: HttpRequest, body: LetterBody) -> Status[dict[str, Any]]:
    """A gateway asks to join; an officer of the centre decides."""
    return Status(201, {"fingerprint": joining.receive(_letter(request)), "state": "pending"})


@router.post(
    "/joining/state", auth=Written(keeper.ASK), response=dict[str, Any], description="申請之處理結果，核發後附憑證"
)
def joining_state(request: HttpRequest, body: LetterBody) -> dict[str, str]:
    """What became of a request, with the certificate once it is made."""
    return joining.state_of(_letter(request))


@router.post(
    "/certificates/orders",
    auth=Written(keeper.ORDER),
    response={202: dict[str, Any]},
    description="閘道為其 TLS 金鑰申請下一張憑證",
)
def order_certificate(request: HttpRequest, body: LetterBody) -> Status[dict[str, Any]]:
    """A gateway orders the next certificate of its TLS key."""
    return Status(202, {"order": joining.order(_letter(request))})


@router.post("/certificates/state", auth=Written(keeper.ASK), response=dict[str, Any], description="憑證申請之處理結果")
def certificate_state(request: HttpRequest, body: LetterBody) -> dict[str, str]:
    """What became of an order."""
    return joining.order_state(_letter(request))


@router.post(
    "/offers/draft",
    auth=Written(looking_after.DRAFT),
    response=dict[str, Any],
    description="登記簿所載該成員提供之服務",
)
def offer_draft(request: HttpRequest, body: LetterBody) -> dict[str, Any]:
    """What the register says that a member offers."""
    return joining.draft(_letter(request))


@router.post(
    "/offers", auth=Written(keeper.HAND_IN), response={201: dict[str, Any]}, description="成員送交其簽署之服務清單"
)
def hand_in_offer(request: HttpRequest, body: LetterBody) -> Status[dict[str, Any]]:
    """A member hands in its signed offer."""
    return Status(201, {"version": joining.hand_in(_letter(request))})


def _letter(request: HttpRequest) -> Letter:
    letter: Letter = request.auth  # type: ignore[attr-defined]
    return letter
