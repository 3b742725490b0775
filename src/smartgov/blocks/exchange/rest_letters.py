"""Doors at the centre for members elsewhere: services, their documents and rights, by signed letter."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from smartgov.blocks.exchange import by_letter
from smartgov.blocks.exchange.letters import LetterBody, Written, letter_of
from smartgov.engines.troad.joining import offering, rights

router = Router(tags=["exchange"])


@router.post("/services/letters", auth=Written(offering.PUBLISH, most=2 * offering.MOST_BYTES), response=dict[str, Any])
def publish_service(request: HttpRequest, body: LetterBody) -> dict[str, Any]:
    """A member publishes, changes or withdraws a service of its own."""
    return by_letter.publish(letter_of(request))


@router.post("/contracts/letters", auth=Written(offering.CONTRACT), response=dict[str, Any])
def contract(request: HttpRequest, body: LetterBody) -> dict[str, str]:
    """The OpenAPI document that a service of the member names."""
    return by_letter.document(letter_of(request))


@router.post("/rights/letters", auth=Written(rights.RIGHT), response=dict[str, Any])
def right(request: HttpRequest, body: LetterBody) -> dict[str, Any]:
    """A member asks for rights, and reviews those asked of its services."""
    return by_letter.right(letter_of(request))
