"""For doors of other blocks that take the provider's access tokens: whose a token is, after proof of its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from smartgov.blocks.identity.openid.service import provider
from smartgov.engines import httpd
from smartgov.engines.openid import claims, dpop
from smartgov.engines.openid.errors import OAuthError

_HEADERS = ("authorization", "content-type", "dpop")


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Who stands behind a live token: the person, the client that has it, and what she agreed to (RFC 9396)."""

    subject: str
    client: str
    details: tuple[Mapping[str, Any], ...]


def is_served() -> bool:
    """Whether this process signs people in for others: tokens are known where the portal is (SMARTGOV_ROLES)."""
    return not settings.ROLES or "portal" in settings.ROLES


@transaction.atomic
def token_holder(request: HttpRequest, address: str) -> TokenHolder:
    """The holder of the token in `request`, whose proof has to be for `address`; OAuthError (401) otherwise.

    A token that was got while acting for another is refused: what is handed out here is for the person herself.
    """
    given = provider()
    headers = {name: value for name in _HEADERS if (value := request.headers.get(name))}
    asked = httpd.Request(request.method or "", request.path, "", headers, b"")
    issued, found = claims.presented(given, asked, address)
    event = found.granted.authentication if found.granted else None
    if event is None or issued.audience or event.acting_for or not given.people.still_holds(event):
        raise OAuthError("invalid_token", "the token is for something else, or its person is no longer there")
    return TokenHolder(event.subject, issued.client, tuple(found.asked.details))


def proof_nonce() -> str:
    """What the next proof has to hold (the header DPoP-Nonce)."""
    return dpop.nonce(provider())
