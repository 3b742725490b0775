"""Making tokens: random, stored as digests, bound to the client's key, and no longer alive than what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smartgov.engines.httpd import Response
from smartgov.engines.openid import jose
from smartgov.engines.openid.model import ACCESS_LIFE, MANDATE_LIFE, REFRESH_LIFE, Authorization, Client, IssuedToken
from smartgov.engines.openid.provider import Provider, new_secret

NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


@dataclass(frozen=True, slots=True)
class Asker:
    """A proven client at the token endpoint, and what its tokens are bound to."""

    client: Client
    bound: str


def issue(
    provider: Provider,
    asker: Asker,
    found: Authorization,
    scopes: tuple[str, ...] | None = None,
    *,
    renew: bool = True,
    old: IssuedToken | None = None,
) -> tuple[list[IssuedToken], dict[str, str]]:
    """An access token and, where offline access was granted, a refresh token: as stored, and as handed out."""
    granted = found.granted
    assert granted is not None
    scopes = granted.scopes if scopes is None else scopes
    names = ["access_token"]
    # The right to act for another is looked up anew each time, so such tokens are short and renewed by the person.
    if renew and "offline_access" in granted.scopes and "refresh_token" in asker.client.grants:
        names.append("refresh_token")
    secrets = {name: new_secret() for name in names}
    tokens = [_stored(provider, asker, found, scopes, name, secret, old) for name, secret in secrets.items()]
    return tokens, secrets


def _stored(
    provider: Provider,
    asker: Asker,
    found: Authorization,
    scopes: tuple[str, ...],
    name: str,
    secret: str,
    old: IssuedToken | None,
) -> IssuedToken:
    granted, now = found.granted, provider.now()
    assert granted is not None
    life = MANDATE_LIFE if granted.authentication.acting_for else ACCESS_LIFE
    refresh = name == "refresh_token"
    until = now + (REFRESH_LIFE if refresh else life)
    if refresh and old is not None:
        until, scopes = old.expires_at, old.scopes
    return IssuedToken(
        key=jose.digest(secret),
        kind="refresh" if refresh else "access",
        authorization=found.id,
        client=asker.client.id,
        scopes=scopes,
        issued_at=now,
        # Under a mandate nothing outlives what was agreed to, however often it is renewed.
        expires_at=min(until, granted.until) if refresh or granted.authentication.acting_for else until,
        bound=asker.bound,
    )


def answer(provider: Provider, found: Authorization, tokens: list[IssuedToken], secrets: Mapping[str, str]) -> Response:
    """The token answer (RFC 6749 5.1)."""
    access = tokens[0]
    body: dict[str, Any] = {
        **secrets,
        "token_type": "DPoP" if access.bound.startswith("jkt:") else "Bearer",
        "expires_in": int((access.expires_at - access.issued_at).total_seconds()),
        "scope": " ".join(access.scopes),
    }
    if found.asked.details:
        body["authorization_details"] = [_filled(provider, found, each) for each in found.asked.details]
    return Response.json(body, headers=NO_STORE)


def _filled(provider: Provider, found: Authorization, detail: Mapping[str, Any]) -> dict[str, Any]:
    kind = provider.details.get(detail["type"])
    if kind is None or kind.fill is None or found.granted is None:
        return dict(detail)
    return {**detail, **kind.fill(detail, found.granted.authentication)}
