"""Keys that a relying party keeps at an address of its own (`jwks_uri`): looked at when it is saved, then every while.

A look that fails leaves the known keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import structlog

from smartgov.blocks.identity.models import RelyingParty
from smartgov.blocks.identity.openid import outward, parties
from smartgov.engines.openid import jose
from smartgov.engines.openid.checking import Fetched
from smartgov.shared import clock

LARGEST, MOST_KEYS = 64 * 1024, 20
log = structlog.get_logger()


def look(address: str) -> Fetched:
    """What stands there now."""
    try:
        status, body = outward.ask("GET", address, {"accept": "application/jwk-set+json, application/json"})
    except OSError:
        return Fetched(error="unreachable")
    return _read(body) if status == 200 else Fetched(error="unreachable")


def _read(body: bytes) -> Fetched:
    try:
        found = json.loads(body) if len(body) <= LARGEST else None
    except (ValueError, RecursionError):
        found = None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or len(keys) > MOST_KEYS or not all(isinstance(key, dict) for key in keys):
        return Fetched(error="not-jwks")
    return Fetched(keys)


def look_for(registration: Mapping[str, Any]) -> Fetched | None:
    """What stands at the registration's address; None without one. Takes seconds: call it outside a transaction."""
    address = registration.get("jwks_uri", "")
    return look(address) if address else None


def remember(row: RelyingParty, found: Fetched | None) -> None:
    """Keep what was found on the row, which the caller saves. A private key that stands there is named and not kept."""
    if found is None:
        row.fetched = None
        return
    address = row.registration["jwks_uri"]
    before = row.fetched if row.fetched and row.fetched.get("uri") == address else None
    keys = before["keys"] if found.error and before else [without_secrets(key) for key in found.keys]
    row.fetched = {"uri": address, "keys": keys, "error": found.error, "at": clock.now().isoformat()}


def without_secrets(key: Mapping[str, Any]) -> dict[str, Any]:
    """The key as it is kept; of a private one only that somebody showed it, for the checker to say so."""
    private = jose.is_private(key)
    return {"kid": str(key.get("kid", ""))[:80], "kty": "private", "d": ""} if private else dict(key)


def known(row: RelyingParty) -> Fetched | None:
    """What the last look gave."""
    if not row.fetched:
        return None
    return Fetched(row.fetched["keys"], row.fetched["error"] if not row.fetched["keys"] else "")


def look_again() -> int:
    """Ask every approved party's address anew; how many changed."""
    changed = 0
    for row in RelyingParty.objects.filter(state=parties.ACTIVE, registration__has_key="jwks_uri"):
        before = (row.fetched or {}).get("keys")
        remember(row, look_for(row.registration))
        RelyingParty.objects.filter(id=row.id).update(fetched=row.fetched)
        if row.fetched and row.fetched["error"]:
            log.warning("party_keys_unreachable", party=row.id, reason=row.fetched["error"])
        elif row.fetched and row.fetched["keys"] != before:
            parties.forget(row.id)
            changed += 1
    return changed
