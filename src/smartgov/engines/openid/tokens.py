"""The token endpoint: codes, refresh tokens, back-channel requests and exchanges, each for a proven client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smartgov.engines.httpd import Request, Response
from smartgov.engines.openid import ciba, client_auth, dpop, exchanging, jose, params
from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.claims import id_token
from smartgov.engines.openid.errors import OAuthError, invalid
from smartgov.engines.openid.issuing import Asker, answer, issue
from smartgov.engines.openid.model import Authorization, Client, IssuedToken, Mark
from smartgov.engines.openid.provider import Provider

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


def token(provider: Provider, request: Request) -> Response:
    """Answer one request to the token endpoint."""
    given = params.form(request.body)
    kind = params.only_one(given, "grant_type")
    redeem = _GRANTS.get(kind)
    if redeem is None:
        raise OAuthError("unsupported_grant_type", "this grant_type is not offered")
    client, marks = client_auth.authenticate(provider, request, given)
    if kind not in client.grants:
        raise OAuthError("unauthorized_client", "the client is not registered for this grant_type")
    bound, more = _binding(provider, client, request)
    client_auth.use_up(provider, marks, more)
    return redeem(provider, Asker(client, bound), given)


def _binding(provider: Provider, client: Client, request: Request) -> tuple[str, tuple[Mark, ...]]:
    """What the tokens will be bound to: the DPoP key, the certificate, or (plain profile only) nothing."""
    if "dpop" in request.headers and client.sender != "mtls":
        jkt, mark = dpop.proof(provider, request, "token_endpoint")
        return f"jkt:{jkt}", (mark,)
    if client.sender == "mtls":
        shown = dpop.certificate_thumbprint(request)
        if not shown:
            raise invalid("tokens of this client are bound to its certificate, and none was shown")
        return f"x5t:{shown}", ()
    if client.sender == "dpop":
        raise OAuthError("invalid_dpop_proof", "tokens of this client are bound to a key; a DPoP proof is missing")
    return "", ()


def _code(provider: Provider, asker: Asker, given: dict[str, str]) -> Response:
    found = provider.store.by_code(jose.digest(params.only_one(given, "code")))
    if found is None or found.client != asker.client.id or found.granted is None:
        raise _spent("the code is not known for this client")
    if found.state in {"redeemed", "revoked"}:
        # RFC 6749 4.1.2: who shows a code twice may have stolen it, so everything that came of it ends.
        provider.store.revoke(found.id, "code-reuse")
        raise _spent("the code was used before; what it gave is revoked")
    _check_code(provider, asker, found, given)
    tokens, secrets = issue(provider, asker, found)
    if not provider.store.redeem(found.id, tokens):
        provider.store.revoke(found.id, "code-reuse")
        raise _spent("the code was used before; what it gave is revoked")
    signed = id_token(provider, asker.client, found, access_token=secrets["access_token"])
    return answer(provider, found, tokens, {**secrets, "id_token": signed})


def _check_code(provider: Provider, asker: Asker, found: Authorization, given: dict[str, str]) -> None:
    asked, now = found.asked, provider.now()
    if found.code_expires_at is None or found.code_expires_at <= now:
        raise _spent("the code has expired")
    if given.get("redirect_uri") != asked.redirect_uri:
        raise _spent("redirect_uri is not the one of the authorization request")
    verifier = given.get("code_verifier", "")
    if not params.is_verifier(verifier) or not jose.same(jose.digest(verifier), asked.challenge):
        raise _spent("code_verifier does not fit the code_challenge")
    if asked.jkt and not jose.same(asker.bound, f"jkt:{asked.jkt}"):
        raise _spent("the code is bound to another DPoP key")


def _refresh(provider: Provider, asker: Asker, given: dict[str, str]) -> Response:
    key = jose.digest(params.only_one(given, "refresh_token"))
    stored = provider.store.token(key)
    if stored is None or stored[0].kind != "refresh" or stored[0].client != asker.client.id:
        raise _spent("the refresh token is not known for this client")
    old, found = stored
    if old.used_at is not None:
        provider.store.revoke(found.id, "refresh-reuse")
        raise _spent("the refresh token was used before; what it gave is revoked")
    scopes = _narrowed(old, given)
    _check_refresh(provider, asker, old, found)
    if asker.client.profile == "plain":
        tokens, secrets = issue(provider, asker, found, scopes, old=old)
        if not provider.store.rotate(key, tokens):
            provider.store.revoke(found.id, "refresh-reuse")
            raise _spent("the refresh token was used before; what it gave is revoked")
    else:
        # FAPI 2.0 5.3.2.1: no rotation, since the token is worthless without the key; a lost answer then locks
        # nobody out.
        tokens, secrets = issue(provider, asker, found, scopes, renew=False)
        provider.store.add_tokens(tokens)
    signed = id_token(provider, asker.client, found, access_token=secrets["access_token"], refreshed=True)
    return answer(provider, found, tokens, {**secrets, "id_token": signed})


def _narrowed(old: IssuedToken, given: dict[str, str]) -> tuple[str, ...]:
    if "scope" not in given:
        return old.scopes
    wanted = params.scope(given["scope"])
    if not set(wanted) <= set(old.scopes):
        raise OAuthError("invalid_scope", "a refresh cannot widen the scope")
    return wanted


def _check_refresh(provider: Provider, asker: Asker, old: IssuedToken, found: Authorization) -> None:
    if old.expires_at <= provider.now() or found.state != "redeemed" or found.granted is None:
        raise _spent("the refresh token has expired or was revoked")
    # RFC 9449 section 5: the refresh token of a client that proves itself by a key of its own rests on that proof, so
    # it may change its DPoP key; a public client has nothing but the DPoP key.
    if asker.client.auth_method == "none" and not jose.same(old.bound, asker.bound):
        raise _spent("the refresh token is bound to another key")
    if not provider.people.still_holds(found.granted.authentication):
        provider.store.revoke(found.id, "no-longer-holds")
        raise _spent("the person, or the right to act for another, is no longer there")


def _ciba(provider: Provider, asker: Asker, given: dict[str, str]) -> Response:
    found = ciba.answered(provider, asker.client, params.only_one(given, "auth_req_id"))
    tokens, secrets = issue(provider, asker, found)
    if not provider.store.redeem(found.id, tokens):
        raise _spent("auth_req_id was used before")
    signed = id_token(provider, asker.client, found, access_token=secrets["access_token"])
    return answer(provider, found, tokens, {**secrets, "id_token": signed})


def _spent(description: str) -> OAuthError:
    return OAuthError("invalid_grant", description)


def introspect(provider: Provider, request: Request) -> Response:
    """Tell an authenticated client about a token that was issued to it or meant for it (RFC 7662)."""
    found = _own_token(provider, request)
    if found is None:
        return Response.json({"active": False})
    issued, authorization = found
    granted = authorization.granted
    assert granted is not None
    body: dict[str, Any] = {
        "active": True,
        "iss": provider.issuer,
        "client_id": issued.client,
        "sub": issued.sub or granted.sub,
        "scope": " ".join(issued.scopes),
        "iat": int(issued.issued_at.timestamp()),
        "exp": int(issued.expires_at.timestamp()),
        "token_type": "DPoP" if issued.bound.startswith("jkt:") else "Bearer",
        "acr": granted.acr,
        **({"aud": issued.audience} if issued.audience else {}),
        **confirmation(issued),
        **acting(authorization, issued),
    }
    if authorization.asked.details and not issued.actor:
        body["authorization_details"] = list(authorization.asked.details)
    return Response.json(body)


def confirmation(issued: IssuedToken) -> dict[str, Any]:
    """The `cnf` of a bound token (RFC 9449 6.2, RFC 8705 3.2)."""
    kind, _, value = issued.bound.partition(":")
    return {"cnf": {"jkt" if kind == "jkt" else "x5t#S256": value}} if value else {}


def acting(authorization: Authorization, issued: IssuedToken) -> dict[str, Any]:
    """Who acts for whom (RFC 8693 4.1): the client after an exchange, the representative under a mandate."""
    event = authorization.granted.authentication if authorization.granted else None
    if issued.actor is not None:
        return {"act": dict(issued.actor)}
    return exchanging.mandate_members(event, authorization) if event else {}


def revoke(provider: Provider, request: Request) -> Response:
    """End a token of the client, and with a refresh token everything that came with it (RFC 7009)."""
    found = _own_token(provider, request, only_issued_to_it=True)
    if found is not None:
        issued, authorization = found
        if issued.kind == "refresh":
            provider.store.revoke(authorization.id, "client")
        else:
            provider.store.revoke_token(issued.key)
    return Response(200, {"content-type": "application/json"}, b"")


def _own_token(
    provider: Provider, request: Request, *, only_issued_to_it: bool = False
) -> tuple[IssuedToken, Authorization] | None:
    given = params.form(request.body)
    client, marks = client_auth.authenticate(provider, request, given)
    client_auth.use_up(provider, marks)
    found = provider.store.token(jose.digest(params.only_one(given, "token")))
    if found is None or not is_live(provider, *found):
        return None
    # What an exchanged token says is for its audience alone: it names the person as the audience knows them.
    owner = found[0].client if only_issued_to_it or not found[0].audience else found[0].audience
    return found if client.id == owner else None


def is_live(provider: Provider, issued: IssuedToken, authorization: Authorization) -> bool:
    """Whether a token still counts."""
    alive = authorization.state == "redeemed" and authorization.granted is not None
    return alive and issued.used_at is None and provider.now() < issued.expires_at


_GRANTS: dict[str, Callable[[Provider, Asker, dict[str, str]], Response]] = {
    "authorization_code": _code,
    "refresh_token": _refresh,
    CIBA: _ciba,
    EXCHANGE: exchanging.exchange,
}
