"""Compact JWS (ES256) with a signer that may be elsewhere, and the trust in a signer who shows a certificate chain."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from smartgov.engines.pki import certificates, keys

Sign = Callable[[bytes], bytes]
"""Gets the bytes to be signed, returns 64 bytes r || s (ECDSA P-256 with SHA-256)."""
_LONGEST = 2**20


class TokenError(ValueError):
    """A token that does not hold; the text says why and repeats nothing of its content."""


def raw(der: bytes) -> bytes:
    """The r || s form of a DER signature."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signer(key: ec.EllipticCurvePrivateKey) -> Sign:
    """A `Sign` by a key at hand."""
    return lambda data: keys.sign(key, data)


def compact(header: Mapping[str, Any], payload: Mapping[str, Any], sign: Sign) -> str:
    """The signed token; `alg` is set here."""
    parts = [{**header, "alg": "ES256"}, dict(payload)]
    text = ".".join(keys.b64url(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode()) for part in parts)
    return f"{text}.{keys.b64url(sign(text.encode()))}"


def header_of(token: str) -> dict[str, Any]:
    """The unverified header."""
    return _object(token.split(".", 1)[0])


def payload_of(token: str) -> dict[str, Any]:
    """The unverified payload."""
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("it is not a token")
    return _object(parts[1])


def opened(token: str, key: keys.PublicKey, typ: str) -> dict[str, Any]:
    """The payload of a token of kind `typ` signed by `key`; TokenError otherwise. Times are the caller's to check."""
    header, payload = header_of(token), payload_of(token)
    if header.get("typ") != typ:
        raise TokenError("it is of another kind")
    if header.get("alg") != "ES256" or "crit" in header or not isinstance(key, ec.EllipticCurvePublicKey):
        raise TokenError("it is signed in a way that is not accepted")
    content, _, signature = token.rpartition(".")
    try:
        good = keys.verify(key, keys.from_b64url(signature), content.encode())
    except (ValueError, binascii.Error):
        good = False
    if not good:
        raise TokenError("its signature is wrong")
    return payload


def chain_header(certificate: x509.Certificate, chain: Iterable[x509.Certificate] = ()) -> list[str]:
    """The `x5c` member: the signer's certificate, then who vouches for it; a root stays out."""
    more = [one for one in chain if one.subject != one.issuer]
    return [base64.b64encode(certificates.der(one)).decode() for one in (certificate, *more)]


def shown_certificate(header: Mapping[str, Any]) -> x509.Certificate:
    """The signer's certificate of an `x5c` member; TokenError without one."""
    try:
        return certificates.from_der(base64.b64decode(header["x5c"][0], validate=True))
    except (KeyError, IndexError, TypeError, ValueError):
        raise TokenError("it shows no certificate") from None


def trusted_certificate(header: Mapping[str, Any], roots: Iterable[x509.Certificate], at: datetime) -> x509.Certificate:
    """The signer's certificate, issued by one of `roots` and in force at `at`; TokenError otherwise."""
    found = shown_certificate(header)
    if not any(certificates.was_issued_by(found, root, at=at) for root in roots):
        raise TokenError("its signer is not trusted")
    return found


def check_times(payload: Mapping[str, Any], now: datetime, *, leeway: int = 60) -> None:
    """TokenError when `exp` is over, or `nbf` or `iat` lies ahead."""
    second = int(now.timestamp())
    for name in ("exp", "nbf", "iat"):
        value = payload.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TokenError(f"its {name} is no time")
        if name == "exp" and second >= value + leeway:
            raise TokenError("it has expired")
        if name != "exp" and value > second + leeway:
            raise TokenError("it is not in force yet")


def _object(part: str) -> dict[str, Any]:
    try:
        if len(part) > _LONGEST:
            raise TokenError("it is too long")
        found = json.loads(keys.from_b64url(part))
    except (ValueError, RecursionError):
        raise TokenError("it is not a token") from None
    if not isinstance(found, dict):
        raise TokenError("it is not a token")
    return found
