"""Token exchange (RFC 8693): a client passes on what a person allowed it, to a named other, and it shows who acts."""

from __future__ import annotations

from typing import Any

from smartgov.engines.httpd import Response
from smartgov.engines.openid import jose, params
from smartgov.engines.openid.errors import OAuthError, invalid
from smartgov.engines.openid.issuing import NO_STORE, Asker
from smartgov.engines.openid.model import MANDATE_LIFE, Authentication, Authorization, Client, IssuedToken
from smartgov.engines.openid.provider import Provider, new_secret

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
MAX_CHAIN = 3


def exchange(provider: Provider, asker: Asker, given: dict[str, str]) -> Response:
    """A five-minute token for one other client's audience, without refresh; `act` names the chain of actors."""
    if params.only_one(given, "subject_token_type") != ACCESS_TOKEN:
        raise invalid("only access tokens are exchanged")
    if "actor_token" in given or given.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise invalid("the actor is the client itself, and the answer an access token")
    issued, found = _subject_token(provider, asker, params.only_one(given, "subject_token"))
    audience = _audience(provider, asker.client, params.only_one(given, "audience"))
    scopes = _scopes(given, issued, audience)
    secret, now = new_secret(), provider.now()
    granted = found.granted
    assert granted is not None
    made = IssuedToken(
        key=jose.digest(secret),
        kind="access",
        authorization=found.id,
        client=asker.client.id,
        scopes=scopes,
        issued_at=now,
        expires_at=min(now + MANDATE_LIFE, issued.expires_at),
        bound=asker.bound,
        audience=audience.id,
        sub=_sub_for(provider, audience, granted.authentication),
        actor=_chain(asker.client, issued, found),
    )
    provider.store.add_tokens([made])
    return Response.json(_answer(made, secret), headers=NO_STORE)


def _subject_token(provider: Provider, asker: Asker, secret: str) -> tuple[IssuedToken, Authorization]:
    stored = provider.store.token(jose.digest(secret))
    if stored is None or stored[0].kind != "access" or stored[1].state != "redeemed" or stored[1].granted is None:
        raise invalid("subject_token is not a live access token")
    issued, found = stored
    if issued.expires_at <= provider.now():
        raise invalid("subject_token is not a live access token")
    # Only who may hold the token may exchange it: the client it was given to, or the one it is meant for.
    if asker.client.id == issued.client and not issued.audience:
        if not jose.same(issued.bound, asker.bound):
            raise invalid("subject_token is bound to another key")
    elif asker.client.id != issued.audience:
        raise invalid("subject_token was issued to another client")
    if not provider.people.still_holds(found.granted.authentication):  # type: ignore[union-attr]
        raise invalid("the person, or the right to act for another, is no longer there")
    return issued, found


def _audience(provider: Provider, client: Client, name: str) -> Client:
    found = provider.store.client(name) if name in client.exchange_to else None
    if found is None or not found.active:
        raise OAuthError("invalid_target", "the client may not exchange tokens for this audience")
    return found


def _scopes(given: dict[str, str], issued: IssuedToken, audience: Client) -> tuple[str, ...]:
    wanted = params.scope(given["scope"]) if "scope" in given else issued.scopes
    allowed = tuple(name for name in wanted if name in audience.scopes and name != "offline_access")
    if not set(wanted) <= set(issued.scopes) or not allowed:
        raise OAuthError("invalid_scope", "an exchange cannot widen the scope")
    return allowed


def _sub_for(provider: Provider, audience: Client, event: Authentication) -> str:
    subject = event.acting_for or event.subject
    generation = provider.store.relation(subject, audience.id).generation
    return provider.people.pseudonym(subject, audience.pairwise_sector, generation)


def _chain(client: Client, issued: IssuedToken, found: Authorization) -> dict[str, Any]:
    assert found.granted is not None
    before: dict[str, Any] | None = dict(issued.actor) if issued.actor else None
    if before is None:
        before = mandate_members(found.granted.authentication, found).get("act")
    depth, each = 1, before
    while each is not None:
        depth, each = depth + 1, each.get("act")
    if depth > MAX_CHAIN:
        raise invalid("the token has been passed on too often")
    return {"sub": client.id, **({"act": before} if before else {})}


def mandate_members(event: Authentication, found: Authorization) -> dict[str, Any]:
    """`act` and `mandate` of a sign-in in which a person acts for another; empty when they act for themselves.

    The representative is named by the authorization, which is unique to it: the client has no need to recognise the
    same representative of two people.
    """
    if not event.acting_for:
        return {}
    return {"act": {"sub": found.id}, "mandate": event.mandate}


def _answer(made: IssuedToken, secret: str) -> dict[str, Any]:
    return {
        "access_token": secret,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "DPoP" if made.bound.startswith("jkt:") else "Bearer",
        "expires_in": int((made.expires_at - made.issued_at).total_seconds()),
        "scope": " ".join(made.scopes),
    }
