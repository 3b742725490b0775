"""What a program says of itself as a client (RFC 7591, OpenID Connect Registration), read into our registration.

Members that mean nothing here are left out silently (RFC 7591 section 2); those that ask for something that is not done
here are kept, so that the checker can say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from smartgov.engines.openid.checking import GRANTS
from smartgov.shared.text import Text

_SAME = (
    *("redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri", "jwks_uri", "response_types"),
    *("require_signed_request_object", "request_object_signing_alg", "id_token_signed_response_alg"),
)
_OTHER_NAMES = {
    "token_endpoint_auth_method": "auth_method",
    "grant_types": "grants",
    "tls_client_auth_san_dns": "tls_san_dns",
    "default_acr_values": "default_acr",
    "sector_identifier_uri": "sector",
}
_LISTS = {"redirect_uris", "post_logout_redirect_uris", "response_types", "grants", "default_acr"}
_FLAGS = {"require_signed_request_object"}


def object_of(text: str) -> dict[str, Any] | None:
    """A JSON object, or None."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def keys_of(text: str) -> list[Any] | None:
    """The keys of a JWK set, of a bare list, or of one JWK; None when it is none of them."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        found = found.get("keys", [found] if "kty" in found else None)
    return found if isinstance(found, list) and all(isinstance(key, dict) for key in found) else None


def registration(given: Mapping[str, Any]) -> tuple[Text, dict[str, Any]]:
    """Name and registration; members of another shape than theirs are left out."""
    told = {**{name: name for name in _SAME}, **_OTHER_NAMES}
    found = {ours: given[theirs] for theirs, ours in told.items() if _fits(ours, given.get(theirs))}
    keys = keys_of(json.dumps(given["jwks"])) if given.get("jwks") else None
    if isinstance(given.get("scope"), str):
        found["scopes"] = given["scope"].split()
    if "sector" in found:
        found["sector"] = found["sector"].removeprefix("https://").partition("/")[0]
    if "grants" in found:
        found["grants"] = [grant for grant in found["grants"] if grant in GRANTS or grant not in _NOT_OURS]
    if given.get("dpop_bound_access_tokens") is not True and given.get("tls_client_certificate_bound_access_tokens"):
        found["sender"] = "mtls"
    if given.get("id_token_encrypted_response_alg"):
        found["id_token_encrypted"] = True
    name = {key: str(given.get(key, ""))[:200] for key in ("client_name", "client_name#zh-Hant-TW", "client_name#en")}
    zh = name["client_name#zh-Hant-TW"] or name["client_name"]
    return Text(name["client_name#en"] or name["client_name"], zh), {**found, "jwks": keys or []}


_NOT_OURS = {"client_credentials"}


def _fits(name: str, value: Any) -> bool:
    if name in _LISTS:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    return isinstance(value, bool) if name in _FLAGS else isinstance(value, str) and bool(value)
