"""Signed tokens: compact JWS (RFC 7515), ES256 or Ed25519 (RFC 9864) by the kind of key, with a required `typ`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import errors, jwk
from joserfc import jws as jose

from smartgov.engines.pki import keys
from smartgov.shared import canonical
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


class _Registry(jose.JWSRegistry):
    """joserfc refuses payloads over 128,000 bytes; a country's configuration is larger."""

    max_payload_length = 16 * 2**20


def sign(payload: Mapping[str, Any], key: keys.PrivateKey, kid: str, typ: str) -> str:
    """`payload` (canonical JSON, so no floats) signed by `key`, named `kid`, and marked as of kind `typ`."""
    algorithm, jose_key = _jose(key)
    header = {"alg": algorithm, "kid": kid, "typ": typ}
    registry = _Registry(algorithms=[algorithm])
    return str(jose.serialize_compact(header, canonical.dumps(dict(payload)), jose_key, registry=registry))


def verify(
    token: str,
    trusted: Mapping[str, keys.PublicKey],
    typ: str,
    *,
    now: datetime,
    leeway: int = 5,
    must_expire: bool = True,
) -> dict[str, Any]:
    """The payload of a token signed by one of `trusted` (by `kid`), of kind `typ`, and in force at the aware `now`.

    `exp` is required unless `must_expire` is off; `nbf` and `iat` may lie at most `leeway` seconds ahead. A failure
    is a Problem `token-invalid` (401) whose `reason` member says what failed: form, type, key, signature or time.
    """
    header = peek(token)
    if header.get("typ") != typ:
        raise _invalid("type", "It is of another kind.", "類型不符。")
    key = trusted.get(str(header.get("kid", "")))
    if key is None:
        raise _invalid("key", "Its signer is not trusted here.", "簽章者不受信任。")
    claims = _opened(token, key)
    _check_times(claims, int(now.timestamp()), leeway, must_expire)
    return claims


def peek(token: str) -> dict[str, Any]:
    """The unverified header of a token, to choose a key by; Problem `token-invalid` when it has none."""
    try:
        header = json.loads(keys.from_b64url(token.split(".", 1)[0]))
    except (ValueError, UnicodeDecodeError):
        raise _invalid("form", "It is not a token.", "格式錯誤。") from None
    if not isinstance(header, dict):
        raise _invalid("form", "It is not a token.", "格式錯誤。")
    return header


def _opened(token: str, key: keys.PublicKey) -> dict[str, Any]:
    algorithm, jose_key = _jose(key)
    try:
        content = jose.deserialize_compact(token, jose_key, registry=_Registry(algorithms=[algorithm])).payload
        claims = json.loads(content)
    except errors.BadSignatureError:
        raise _invalid("signature", "Its signature is wrong.", "簽章錯誤。") from None
    except (errors.JoseError, ValueError):
        raise _invalid("form", "It is malformed or uses another algorithm.", "格式錯誤或使用其他演算法。") from None
    if not isinstance(claims, dict):
        raise _invalid("form", "Its payload is not an object.", "內容不是物件。")
    return claims


def _check_times(claims: dict[str, Any], now: int, leeway: int, must_expire: bool) -> None:
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if any(isinstance(value, bool) or not isinstance(value, int) for value in times.values()):
        raise _invalid("form", "Its times are not whole seconds.", "時間格式錯誤。")
    if must_expire and "exp" not in times:
        raise _invalid("time", "It never expires.", "未載明效期。")
    if "exp" in times and now >= times["exp"] + leeway:
        raise _invalid("time", "It has expired.", "已逾效期。")
    if max(times.get("nbf", 0), times.get("iat", 0)) > now + leeway:
        raise _invalid("time", "It is not in force yet.", "尚未生效。")


def _jose(key: keys.PrivateKey | keys.PublicKey) -> tuple[str, Any]:
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return "ES256", jwk.ECKey.import_key(key)
    return "Ed25519", jwk.OKPKey.import_key(key)


def _invalid(reason: str, why_en: str, why_zh: str) -> Problem:
    return Problem(
        "token-invalid",
        401,
        what=Text("The signed token is not accepted.", "簽章權杖未被接受。"),
        why=Text(why_en, why_zh),
        todo=Text("Ask its issuer for a new one.", "請向核發者重新取得。"),
        reason=reason,
    )
