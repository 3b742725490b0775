"""Proofs of possession: DPoP (RFC 9449) with nonces of ours, and certificates (RFC 8705)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from smartgov.engines.httpd import Request
from smartgov.engines.openid import jose
from smartgov.engines.openid.errors import OAuthError
from smartgov.engines.openid.model import Mark
from smartgov.engines.openid.params import is_web_address
from smartgov.engines.openid.provider import Provider, mac, seconds

NONCE_PERIOD = 120
"""Seconds for which new nonces stay the same; each is taken for two periods."""
MAX_AGE = timedelta(minutes=5)
LEEWAY = 10
"""Seconds by which a client's clock may be ahead (FAPI 2.0 section 5.3.2.1, as for all JWTs)."""


def nonce(provider: Provider, moment: datetime | None = None) -> str:
    """The nonce of the present period. It needs no storage: every process derives the same one from the secret."""
    return _nonce(provider.secret, seconds(moment or provider.now()) // NONCE_PERIOD)


@lru_cache(maxsize=16)
def _nonce(secret: bytes, period: int) -> str:
    return mac(secret, "dpop-nonce", str(period))


def proof(provider: Provider, request: Request, endpoint: str, *, access_token: str = "") -> tuple[str, Mark]:
    """The thumbprint of the key that proved itself in `request`, and the mark by which the proof is used up.

    Raises `invalid_dpop_proof`, or `use_dpop_nonce` with a nonce to use.
    """
    text = request.headers.get("dpop", "")
    if not text or "," in text:
        raise _bad("there is not exactly one DPoP proof")
    try:
        token = jose.read(text)
        key = _key_of(token)
        jose.verify(token, [key])
        print_ = jose.thumbprint(key)
    except jose.BadTokenError as error:
        raise _bad(str(error)) from None
    claims = token.claims
    _check_place(provider, request, endpoint, claims)
    _check_token(claims, access_token)
    _check_nonce(provider, claims)
    return print_, _mark(provider, print_, claims)


def _key_of(token: jose.Token) -> dict[str, Any]:
    key = token.header.get("jwk")
    if token.header.get("typ") != "dpop+jwt" or not isinstance(key, dict):
        raise jose.BadTokenError("the proof is not of type dpop+jwt with a jwk")
    jose.imported(key)
    return {name: value for name, value in key.items() if name not in {"kid", "alg", "use", "key_ops"}}


def _check_place(provider: Provider, request: Request, endpoint: str, claims: dict[str, Any]) -> None:
    address = claims.get("htu")
    if claims.get("htm") != request.method or not isinstance(address, str):
        raise _bad("htm or htu is not of this request")
    # RFC 9449 4.3: without query and fragment, and after normalising scheme and host.
    if not is_web_address(address.split("#")[0], loopback=provider.loopback):
        raise _bad("htu is not an address")
    if normal(address) != normal(provider.url(endpoint)):
        raise _bad("htm or htu is not of this request")


def normal(address: str) -> str:
    """An address with lower-case scheme and host, without default port, query and fragment."""
    bare = address.split("#", maxsplit=1)[0].split("?", maxsplit=1)[0]
    scheme, _, rest = bare.partition("://")
    host, slash, path = rest.partition("/")
    scheme, host = scheme.lower(), host.lower()
    default = {"https": ":443", "http": ":80"}.get(scheme, "")
    return f"{scheme}://{host.removesuffix(default) if default else host}{slash}{path}"


def _check_token(claims: dict[str, Any], access_token: str) -> None:
    if access_token and not jose.same(str(claims.get("ath", "")), jose.digest(access_token)):
        raise _bad("ath is not the digest of the access token")


def _check_nonce(provider: Provider, claims: dict[str, Any]) -> None:
    given, now = claims.get("nonce"), provider.now()
    known = (nonce(provider, now), nonce(provider, now - timedelta(seconds=NONCE_PERIOD)))
    if not isinstance(given, str) or not any(jose.same(given, each) for each in known):
        raise OAuthError("use_dpop_nonce", "the proof needs the nonce of this answer's DPoP-Nonce header")


def _mark(provider: Provider, print_: str, claims: dict[str, Any]) -> Mark:
    issued, jti, now = claims.get("iat"), claims.get("jti"), provider.now()
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        raise _bad("iat is missing")
    if not -LEEWAY <= now.timestamp() - issued <= MAX_AGE.total_seconds() or not _is_in_force(claims, now.timestamp()):
        raise _bad("the proof is too old or from the future")
    if not isinstance(jti, str) or not 8 <= len(jti) <= 256:
        raise _bad("jti has not between 8 and 256 characters")
    return Mark("dpop", jose.digest(f"{print_}\n{jti}"), now + MAX_AGE + timedelta(seconds=LEEWAY))


def _is_in_force(claims: dict[str, Any], now: float) -> bool:
    """Whether `nbf` and `exp`, which a proof need not have, allow it (RFC 7519 4.1.4, 4.1.5)."""
    begins, ends = claims.get("nbf", now), claims.get("exp", now)
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in (begins, ends)):
        return False
    return bool(begins - LEEWAY <= now <= ends + LEEWAY)


def certificate_thumbprint(request: Request) -> str:
    """The `x5t#S256` of the certificate that the client showed, or nothing."""
    return jose.digest(request.peer_cert) if request.peer_cert else ""


def _bad(description: str) -> OAuthError:
    return OAuthError("invalid_dpop_proof", description)
