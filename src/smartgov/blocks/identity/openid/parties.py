"""Relying parties as the engine sees them."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from smartgov.blocks.identity.models import RelyingParty
from smartgov.engines.openid.checking import SAID_ONLY
from smartgov.engines.openid.model import Client
from smartgov.shared.text import Text

ACTIVE = "approved"
_LISTS = ("redirect_uris", "jwks", "certificates", "post_logout_redirect_uris", "default_acr")
_SETS = ("scopes", "details", "grants", "exchange_to")


def found(client_id: str) -> Client | None:
    """A registered party as it was at most `FRESH` seconds ago; a suspension takes that long to reach all processes."""
    kept = _kept.get(client_id)
    if kept is not None and time.monotonic() < kept[0]:
        return kept[1]
    row = RelyingParty.objects.filter(id=client_id).first() if client_id else None
    if row is None:
        return None
    if len(_kept) > 10_000:
        _kept.clear()
    _kept[client_id] = (time.monotonic() + FRESH, client_of(row))
    return _kept[client_id][1]


def forget(client_id: str) -> None:
    """Look a party up anew: it has changed."""
    _kept.pop(client_id, None)


FRESH = 5.0
_kept: dict[str, tuple[float, Client]] = {}


def client_of(row: RelyingParty) -> Client:
    """The engine's value of a registered party."""
    given: dict[str, Any] = {name: value for name, value in row.registration.items() if name not in SAID_ONLY}
    if row.fetched:
        given["jwks"] = [*given.get("jwks", []), *row.fetched["keys"]]
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
