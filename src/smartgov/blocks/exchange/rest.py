"""Doors at the centre: the register's API for signed-in officers, and letters of gateways that are known by them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.responses import Status

from smartgov.blocks.exchange import by_letter, joining, operations
from smartgov.blocks.exchange.letters import LetterBody, Written, letter_of
from smartgov.blocks.identity.api import SessionAuth
from smartgov.engines.troad.joining import keeper, looking_after, offering, rights
from smartgov.engines.troad.joining import request as joins

router = operations.router(SessionAuth)


@router.post(
    "/joining/requests",
    auth=Written(joins.KIND),
    response={201: dict[str, Any]},
    description="閘道申請加入，由中心審核",
)
def ask_to_join(request: HttpRequest, body: LetterBody) -> Status[dict[str, Any]]:
    """A gateway asks to join; an officer of the centre decides."""
    return Status(201, {"fingerprint": joining.receive(letter_of(request)), "state": "pending"})


@router.post(
    "/joining/state",
    auth=Written(keeper.ASK),
    response=dict[str, Any],
    description="申請結果，核發後附憑證",
)
def joining_state(request: HttpRequest, body: LetterBody) -> dict[str, str]:
    """What became of a request, with the certificate once it is made."""
    return joining.state_of(letter_of(request))


@router.post(
    "/certificates/orders",
    auth=Written(keeper.ORDER),
    response={202: dict[str, Any]},
    description="閘道申請下一張 TLS 憑證",
)
def order_certificate(request: HttpRequest, body: LetterBody) -> Status[dict[str, Any]]:
    """A gateway orders the next certificate of its TLS key."""
    return Status(202, {"order": joining.order(letter_of(request))})


@router.post(
    "/certificates/state",
    auth=Written(keeper.ASK),
    response=dict[str, Any],
    description="憑證申請之結果",
)
def certificate_state(request: HttpRequest, body: LetterBody) -> dict[str, str]:
    """What became of an order."""
    return joining.order_state(letter_of(request))


@router.post(
    "/offers/draft",
    auth=Written(looking_after.DRAFT),
    response=dict[str, Any],
    description="登記簿所載該成員之服務",
)
def offer_draft(request: HttpRequest, body: LetterBody) -> dict[str, Any]:
    """What the register says that a member offers."""
    return joining.draft(letter_of(request))


@router.post(
    "/offers",
    auth=Written(keeper.HAND_IN),
    response={201: dict[str, Any]},
    description="成員送交其簽署之服務清單",
)
def hand_in_offer(request: HttpRequest, body: LetterBody) -> Status[dict[str, Any]]:
    """A member hands in its signed offer."""
    return Status(201, {"version": joining.hand_in(letter_of(request))})


@router.post(
    "/services/letters",
    auth=Written(offering.PUBLISH, most=2 * offering.MOST_BYTES),
    response=dict[str, Any],
    description="成員發布、變更或撤下自己的服務",
)
def publish_service(request: HttpRequest, body: LetterBody) -> dict[str, Any]:
    """A member publishes, changes or withdraws a service of its own."""
    return by_letter.publish(letter_of(request))


@router.post(
    "/contracts/letters",
    auth=Written(offering.CONTRACT),
    response=dict[str, Any],
    description="成員服務之 OpenAPI 文件",
)
def contract(request: HttpRequest, body: LetterBody) -> dict[str, str]:
    """The OpenAPI document that a service of the member names."""
    return by_letter.document(letter_of(request))


@router.post(
    "/rights/letters",
    auth=Written(rights.RIGHT),
    response=dict[str, Any],
    description="成員申請權限，並審核對其服務之申請",
)
def right(request: HttpRequest, body: LetterBody) -> dict[str, Any]:
    """A member asks for rights, and reviews those asked of its services."""
    return by_letter.right(letter_of(request))
