"""Relying parties as the engine sees them."""

from __future__ import annotations

from datetime import date
from typing import Any

from smartgov.blocks.identity.models import RelyingParty
from smartgov.engines.openid.model import Client
from smartgov.shared.text import Text

ACTIVE = "approved"
_LISTS = ("redirect_uris", "jwks", "certificates", "post_logout_redirect_uris", "default_acr")
_SETS = ("scopes", "details", "grants", "exchange_to")


def client_of(row: RelyingParty) -> Client:
    """The engine's value of a registered party."""
    given: dict[str, Any] = dict(row.registration)
    shaped: dict[str, Any] = {name: tuple(given.pop(name)) for name in _LISTS if name in given}
    shaped |= {name: frozenset(given.pop(name)) for name in _SETS if name in given}
    sunset = given.pop("sunset", None)
    return Client(
        id=row.id,
        name=Text.of(row.name),
        purpose=Text.of(row.purpose),
        agency=row.agency,
        secret_hash=row.secret_hash,
        active=row.state == ACTIVE,
        sunset=date.fromisoformat(sunset) if sunset else None,
        **shaped,
        **given,
    )
