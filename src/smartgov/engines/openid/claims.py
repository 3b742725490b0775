"""What a relying party learns: the ID token and the userinfo answer, each with no more than was asked and agreed."""

from __future__ import annotations

from typing import Any

from smartgov.engines.httpd import Request, Response
from smartgov.engines.openid import dpop, exchanging, jose
from smartgov.engines.openid.encrypting import encrypted_for
from smartgov.engines.openid.errors import OAuthError
from smartgov.engines.openid.keyring import current
from smartgov.engines.openid.model import ID_TOKEN_LIFE, Authorization, Client, IssuedToken
from smartgov.engines.openid.provider import SCOPE_CLAIMS, Provider, seconds


def id_token(
    provider: Provider, client: Client, found: Authorization, *, access_token: str, refreshed: bool = False
) -> str:
    """The signed (and, where registered, encrypted) ID token of an authorization."""
    granted, now = found.granted, provider.now()
    assert granted is not None
    event = granted.authentication
    until = min(now + ID_TOKEN_LIFE, granted.until) if event.acting_for else now + ID_TOKEN_LIFE
    wanted = frozenset(found.asked.claims.get("id_token", ())) - {"acr", "auth_time", "sub"}
    members: dict[str, Any] = {
        "iss": provider.issuer,
        "sub": granted.sub,
        "aud": client.id,
        "iat": seconds(now),
        "exp": seconds(until),
        "auth_time": seconds(event.at),
        "acr": granted.acr,
        "amr": list(event.amr),
        "sid": provider.sid(event.session, client.id),
        "at_hash": jose.half_digest(access_token),
        **exchanging.mandate_members(event, found),
        **(provider.people.claims(event.acting_for or event.subject, wanted, client) if wanted else {}),
    }
    if found.asked.nonce and not refreshed:
        members["nonce"] = found.asked.nonce
    signed = sign(provider, members, "JWT")
    return encrypted_for(client, signed) if client.id_token_encrypted else signed


def sign(provider: Provider, members: dict[str, Any], typ: str) -> str:
    """A token signed by the key that is in force."""
    key = current(provider.signer.plans(), provider.now())
    return provider.signer.sign(members, kid=key.kid, typ=typ)


def userinfo(provider: Provider, request: Request) -> Response:
    """The person's facts, for whoever holds the access token and the key that it is bound to."""
    issued, found = presented(provider, request, "userinfo_endpoint")
    granted = found.granted
    client = provider.store.client(issued.client)
    if granted is None or issued.audience or client is None or not client.active or "openid" not in issued.scopes:
        raise _bad_token("the token is not one for userinfo", issued.bound)
    event = granted.authentication
    if event.acting_for and not provider.people.still_holds(event):
        raise _bad_token("the right to act for another is no longer there", issued.bound)
    names = {name for scope in issued.scopes for name in SCOPE_CLAIMS.get(scope, ())}
    names |= set(found.asked.claims.get("userinfo", ())) - {"acr", "auth_time", "sub"}
    facts = provider.people.claims(event.acting_for or event.subject, frozenset(names), client) if names else {}
    acting = exchanging.mandate_members(event, found)
    return Response.json({**facts, **acting, "sub": granted.sub}, headers={"cache-control": "no-store"})


def presented(provider: Provider, request: Request, endpoint: str) -> tuple[IssuedToken, Authorization]:
    """The live token of a request, after proof of its key. A bound token shown as a bare one is refused."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    scheme = scheme.lower()
    if scheme not in {"dpop", "bearer"} or not secret:
        raise OAuthError("invalid_token", "there is no access token", 401, {"www-authenticate": "DPoP, Bearer"})
    stored = provider.store.token(jose.digest(secret))
    if stored is None:
        raise _bad_token("the token is not known", scheme)
    issued, found = stored
    if issued.kind != "access" or found.state != "redeemed" or issued.expires_at <= provider.now():
        raise _bad_token("the token has expired or was revoked", issued.bound)
    _check_key(provider, request, endpoint, issued, scheme, secret)
    return issued, found


def _check_key(
    provider: Provider, request: Request, endpoint: str, issued: IssuedToken, scheme: str, secret: str
) -> None:
    kind, _, value = issued.bound.partition(":")
    if kind == "jkt":
        if scheme != "dpop":
            raise _bad_token("a token that is bound to a key was shown as a bearer token", issued.bound)
        jkt, mark = _proof(provider, request, endpoint, secret)
        if not jose.same(jkt, value) or provider.store.seen_before(mark):
            raise _bad_token("the proof is by another key or was used before", issued.bound)
    elif scheme != "bearer" or (kind == "x5t" and not jose.same(dpop.certificate_thumbprint(request), value)):
        raise _bad_token("the token is bound to another certificate or shown in another way", issued.bound)


def _proof(provider: Provider, request: Request, endpoint: str, secret: str) -> tuple[str, Any]:
    try:
        return dpop.proof(provider, request, endpoint, access_token=secret)
    except OAuthError as error:
        raise OAuthError(error.code, error.description, 401, _challenge(error.code, "jkt")) from None


def _bad_token(description: str, how: str) -> OAuthError:
    return OAuthError("invalid_token", description, 401, _challenge("invalid_token", how))


def _challenge(code: str, how: str) -> dict[str, str]:
    scheme = "DPoP" if how.startswith(("jkt", "dpop")) else "Bearer"
    algorithms = f', algs="{" ".join(jose.ALGORITHMS)}"' if scheme == "DPoP" else ""
    return {"www-authenticate": f'{scheme} error="{code}"{algorithms}'}
