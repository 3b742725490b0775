"""OpenID for Verifiable Presentations 1.0: a signed request with a DCQL query, an encrypted answer, and its check."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.credential import dcql, sdjwt, tokens
from smartgov.engines.credential.status import Status
from smartgov.engines.credential.tokens import TokenError
from smartgov.engines.pki import certificates, jwe, keys
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

REQUEST_TYPE = "oauth-authz-req+jwt"
LIFE = timedelta(minutes=5)
_AUDIENCE = "https://self-issued.me/v2"
_ENC = "A256GCM"
LookUp = Callable[[str, int], Status]
"""What the status list at an address says of an index; raises Problem or TokenError when it cannot be known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One open request: what the verifier has to remember until the answer comes."""

    client_id: str
    nonce: str
    state: str
    query: Mapping[str, Any]
    response_uri: str
    key: str
    """PKCS#8 PEM of the key that the answer is encrypted to; used once."""


def client_id_of(certificate: x509.Certificate) -> str:
    """The verifier's name by its certificate (`x509_hash`)."""
    return f"x509_hash:{keys.b64url(sha256(certificates.der(certificate)).digest())}"


def ask(client_id: str, query: Mapping[str, Any], response_uri: str) -> Asked:
    """A new request; Problem `query-invalid` for a query that is not understood."""
    dcql.parse(query)
    key = keys.generate_p256()
    return Asked(
        client_id,
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(24),
        dict(query),
        response_uri,
        _pem(key),
    )


def request_object(asked: Asked, *, sign: tokens.Sign, x5c: list[str]) -> str:
    """The signed request that the wallet fetches."""
    public = keys.public_jwk(_key(asked).public_key())
    second = int(clock.now().timestamp())
    payload = {
        "client_id": asked.client_id,
        "aud": _AUDIENCE,
        "iat": second,
        "exp": second + int(LIFE.total_seconds()),
        "response_type": "vp_token",
        "response_mode": "direct_post.jwt",
        "response_uri": asked.response_uri,
        "nonce": asked.nonce,
        "state": asked.state,
        "dcql_query": dict(asked.query),
        "client_metadata": {
            "jwks": {"keys": [{**public, "use": "enc", "alg": "ECDH-ES"}]},
            "encrypted_response_enc_values_supported": [_ENC],
            "vp_formats_supported": {sdjwt.TYPE: {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]}},
        },
    }
    return tokens.compact({"typ": REQUEST_TYPE, "x5c": x5c}, payload, sign)


def link(asked: Asked, request_uri: str) -> str:
    """What the wallet scans."""
    return f"openid4vp://?{urlencode({'client_id': asked.client_id, 'request_uri': request_uri})}"


def answered(
    asked: Asked, response: str, *, find_key: sdjwt.FindKey, look_up: LookUp
) -> dict[str, list[sdjwt.Verified]]:
    """What an encrypted answer shows, by the ids of the query.

    Problem `presentation-refused` (400) with a `reason` when anything is missing, wrong, foreign or revoked, or when
    more is shown than was asked: a verifier must not learn what it may not ask.
    """
    query = dcql.parse(asked.query)
    shown = _opened(asked, response)
    if set(shown) - {one.id for one in query.wanted} or not query.is_met_by(set(shown)):
        raise _refused("credentials", "It does not hold the credentials that were asked for.", "未包含所要求的憑證。")
    found: dict[str, list[sdjwt.Verified]] = {}
    for name, presentations in shown.items():
        wanted = query.one(name)
        found[name] = [_checked(one, wanted, asked, find_key, look_up) for one in presentations]
    return found


def _checked(
    presentation: str, wanted: dcql.Wanted, asked: Asked, find_key: sdjwt.FindKey, look_up: LookUp
) -> sdjwt.Verified:
    try:
        found = sdjwt.verify(presentation, find_key, now=clock.now(), audience=asked.client_id, nonce=asked.nonce)
    except TokenError as error:
        raise _refused("credential", f"{error}.".capitalize(), "憑證未通過驗證。") from None
    if not dcql.answers(wanted, found):
        raise _refused("claims", "It does not show what was asked for.", "未出示所要求的項目。")
    if _shows_more(found, wanted):
        raise _refused("more", "It shows more than was asked for.", "出示的內容超出所要求的項目。")
    place = found.status
    try:
        if place is not None and look_up(*place) is not Status.VALID:
            raise _refused("revoked", "The credential was revoked or suspended.", "憑證已廢止或暫停。")
    except TokenError:
        raise _refused("status", "Its status cannot be known now.", "目前無法得知憑證狀態。") from None
    return found


def _shows_more(found: sdjwt.Verified, wanted: dcql.Wanted) -> bool:
    asked = dcql.paths(wanted)
    if not asked:
        return False
    registered = {"iss", "vct", "iat", "exp", "nbf", "cnf", "status"}
    leaves = [path for path in _leaves(found.claims, ()) if path[0] not in registered]
    return any(not any(path[: len(one)] == one for one in asked) for path in leaves)


def _leaves(value: Any, here: sdjwt.Path) -> list[sdjwt.Path]:
    if isinstance(value, dict):
        return [leaf for name, inner in value.items() for leaf in _leaves(inner, (*here, name))]
    return [here]


def _opened(asked: Asked, response: str) -> dict[str, list[str]]:
    content, _ = jwe.decrypt(response, _key(asked))
    try:
        body = json.loads(content)
        shown = body["vp_token"]
        state = str(body.get("state", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _refused("form", "It is not an answer to a request.", "不是對請求的回應。") from None
    if not secrets.compare_digest(state.encode(), asked.state.encode()):
        raise _refused("state", "It answers another request.", "回應的是另一個請求。")
    good = isinstance(shown, dict) and all(
        isinstance(rows, list) and 1 <= len(rows) <= 10 and all(isinstance(one, str) for one in rows)
        for rows in shown.values()
    )
    if not good:
        raise _refused("form", "It is not an answer to a request.", "不是對請求的回應。")
    return dict(shown)


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()


def _key(asked: Asked) -> ec.EllipticCurvePrivateKey:
    key = form.load_pem_private_key(asked.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _refused(reason: str, why_en: str, why_zh: str) -> Problem:
    return Problem(
        "presentation-refused",
        400,
        what=Text("The presentation is not accepted.", "未接受所出示的憑證。"),
        why=Text(why_en, why_zh),
        todo=Text("Scan the code again and show what it asks for.", "請重新掃描，並出示所要求的內容。"),
        reason=reason,
    )
