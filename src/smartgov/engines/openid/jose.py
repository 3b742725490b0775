"""Signed tokens in and out: ES256, PS256 and EdDSA, on joserfc. The key decides which algorithms may be used."""

from __future__ import annotations

import base64
import hmac
import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from joserfc import errors, jwk
from joserfc import jws as jws_library

from smartgov.engines.pki.keys import from_b64url
from smartgov.engines.pki.keys import verify as verify_raw
from smartgov.shared import canonical

# FAPI 2.0 section 5.4: PS256, ES256, EdDSA on Ed25519; RFC 9864 names the last one Ed25519.
ALGORITHMS = ("ES256", "PS256", "EdDSA", "Ed25519")
MIN_RSA_BITS = 2048
MAX_TOKEN = 16 * 1024
_PUBLIC = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
# Old clients still write EdDSA; joserfc warns at each use.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=errors.SecurityWarning)


class _Registry(jws_library.JWSRegistry):
    """joserfc refuses headers over 512 bytes; a DPoP proof carries its key there."""

    max_header_length = 4096


_REGISTRIES = {name: _Registry(algorithms=[name], strict_check_header=False) for name in ALGORITHMS}


class BadTokenError(Exception):
    """A signed token that is not accepted; the text says why, for the developer."""


@dataclass(frozen=True, slots=True)
class Token:
    """An unverified token, read."""

    header: dict[str, Any]
    claims: dict[str, Any]
    text: str


def read(text: str) -> Token:
    """Header and claims of a compact JWS, still unverified."""
    if len(text) > MAX_TOKEN or not text.isascii():
        raise BadTokenError("the token is too long or not ASCII")
    parts = text.split(".")
    if len(parts) != 3:
        raise BadTokenError("the token has not three parts")
    header, claims = (_object(part) for part in parts[:2])
    if header.get("alg") not in ALGORITHMS:
        raise BadTokenError("the token's algorithm is not accepted")
    if "crit" in header or "b64" in header:
        raise BadTokenError("the token asks for an extension")
    return Token(header, claims, text)


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(from_b64url(part))
    except (ValueError, RecursionError):
        raise BadTokenError("the token is not base64url JSON") from None
    if not isinstance(found, dict):
        raise BadTokenError("the token is not made of objects")
    return found


def verify(token: Token, keys: Iterable[Mapping[str, Any]]) -> None:
    """Return when one of the public JWKs signed the token; a `kid` in both narrows the choice."""
    algorithm, kid = token.header["alg"], token.header.get("kid")
    fitting = [key for key in keys if algorithm in algorithms_of(key) and _may_be(key, kid)]
    for key in fitting[:5]:
        if _signed_by(token.text, algorithm, key):
            return
    raise BadTokenError("no registered key made this signature" if fitting else "no registered key fits the token")


def _may_be(key: Mapping[str, Any], kid: object) -> bool:
    return not kid or not key.get("kid") or key["kid"] == kid


def _signed_by(text: str, algorithm: str, key: Mapping[str, Any]) -> bool:
    made = imported(key)
    content, _, signature = text.rpartition(".")
    try:
        if algorithm != "PS256":  # `read` has looked at the header; what is left is one signature of 64 bytes
            return verify_raw(made.public_key, from_b64url(signature), content.encode())
        jws_library.deserialize_compact(text, made, registry=_REGISTRIES[algorithm])
    except (errors.JoseError, ValueError):
        return False
    return True


def sign(
    claims: Mapping[str, Any],
    key: Any,
    *,
    kid: str,
    typ: str,
    algorithm: str = "ES256",
    more: Mapping[str, Any] | None = None,
) -> str:
    """`claims` as a compact JWS by a joserfc key; `more` are further header members."""
    header = {"alg": algorithm, "typ": typ, **({"kid": kid} if kid else {}), **(more or {})}
    content = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    return str(jws_library.serialize_compact(header, content, key, registry=_REGISTRIES[algorithm]))


def algorithms_of(key: Mapping[str, Any]) -> tuple[str, ...]:
    """The algorithms that a public JWK may be used with; none for a kind that is not accepted."""
    found = _OF_KIND.get((key.get("kty"), key.get("crv")), ())
    if key.get("use", "sig") != "sig":
        return ()
    return tuple(name for name in found if key.get("alg", name) == name)


_OF_KIND: dict[tuple[object, object], tuple[str, ...]] = {
    ("EC", "P-256"): ("ES256",),
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
    ("RSA", None): ("PS256",),
}


def imported(key: Mapping[str, Any]) -> Any:
    """The joserfc key of a public JWK; BadTokenError when it is private, too weak or not on its curve."""
    return _known(_members(key))[0]


def _members(key: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The required members of a public key (RFC 7638), in order."""
    if is_private(key):
        raise BadTokenError("the key is not public")
    found = tuple([(name, key.get(name)) for name in _PUBLIC.get(str(key.get("kty")), ())])
    if not found or any(type(value) is not str for _, value in found):
        raise BadTokenError("the key is of a kind that is not accepted")
    return found  # type: ignore[return-value]


@lru_cache(maxsize=4096)
def _known(members: tuple[tuple[str, str], ...]) -> tuple[Any, str]:
    """The joserfc key of these members, and its thumbprint: clients show the same key again and again."""
    key: dict[str, Any] = dict(members)
    if not algorithms_of(key):
        raise BadTokenError("the key is of a kind that is not accepted")
    try:
        made = jwk.import_key(key)
        weak = isinstance(made, jwk.RSAKey) and made.public_key.key_size < MIN_RSA_BITS
    except (errors.JoseError, ValueError, TypeError):
        raise BadTokenError("the key cannot be read") from None
    if weak:
        raise BadTokenError(f"an RSA key has at least {MIN_RSA_BITS} bits")
    return made, digest(canonical.dumps(key))


def thumbprint(key: Mapping[str, Any]) -> str:
    """The RFC 7638 thumbprint of a JWK: base64url of the SHA-256 of its required members in canonical form."""
    return _known(_members(key))[1]


def digest(data: bytes | str) -> str:
    """Unpadded base64url of SHA-256: what tokens are stored as, and the form of `ath`, PKCE and thumbprints."""
    raw = sha256(data.encode() if isinstance(data, str) else data).digest()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def half_digest(text: str) -> str:
    """Left half of SHA-256 in base64url: `at_hash` and `c_hash` (OpenID Connect Core 3.1.3.6)."""
    return base64.urlsafe_b64encode(sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def same(one: str, other: str) -> bool:
    """Comparison of secrets in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def is_private(key: Mapping[str, Any]) -> bool:
    """Whether a JWK holds what only its owner may know."""
    return bool(_PRIVATE & set(key))
