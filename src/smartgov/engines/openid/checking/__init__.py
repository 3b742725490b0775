"""The profile checker: says in words what is wrong with a client's registration or with one of its requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from smartgov.engines.openid.checking import addresses, keying, wishes
from smartgov.engines.openid.checking.complaints import Complaint, must
from smartgov.engines.openid.checking.keying import METHODS, Fetched
from smartgov.engines.openid.checking.requests import request
from smartgov.engines.openid.checking.wishes import GRANTS, LONGEST_SUNSET
from smartgov.shared.text import Text

__all__ = ["GRANTS", "LONGEST_SUNSET", "METHODS", "SAID_ONLY", "Complaint", "Fetched", "registration", "request"]

_LISTS = ("redirect_uris", "post_logout_redirect_uris", "scopes", "grants", "details", "default_acr", "certificates")
_TEXTS = ("backchannel_logout_uri", "jwks_uri", "sector", "mandates_reason", "tls_san_dns", "sunset", "profile")
# Said to the checker and to the approver; a client's value has no such member.
SAID_ONLY = frozenset({"jwks_uri", "mandates_reason", "response_types", "require_signed_request_object"}) | frozenset(
    {"request_object_signing_alg", "id_token_signed_response_alg"}
)
KNOWN = (
    frozenset({*_LISTS, *_TEXTS, "jwks", "auth_method", "sender", "exchange_to", "id_token_encrypted", "mandates"})
    | {"default_max_age"}
    | SAID_ONLY
)


def registration(
    given: Mapping[str, Any], *, loopback: bool = False, fetched: Fetched | None = None
) -> list[Complaint]:
    """What is wrong with a registration (the JSON form of `Client`, without name and purpose); `must` first.

    `fetched` is what stood at `jwks_uri`; `loopback` allows addresses on this machine, for development.
    """
    found = list(_shape(given))
    if not found:
        found = [
            *addresses.complaints(given, loopback),
            *keying.complaints(given, loopback, fetched),
            *wishes.complaints(given),
        ]
    return sorted(found, key=lambda complaint: complaint.kind)


def _shape(given: Mapping[str, Any]) -> Iterator[Complaint]:
    for name in sorted(set(given) - KNOWN):
        yield must(
            name,
            Text("There is no such setting.", "沒有這個設定項目。"),
            Text("Leave it out, or check its spelling.", "請刪除，或檢查拼字。"),
        )
    for name in (*_LISTS, "response_types"):
        if not isinstance(given.get(name, []), list) or not all(isinstance(each, str) for each in given.get(name, [])):
            yield must(
                name,
                Text("This is not a list of texts.", "這不是文字清單。"),
                Text("Write a JSON array of strings.", "請寫成字串的 JSON 陣列。"),
            )
    for name in _TEXTS:
        if not isinstance(given.get(name, ""), str):
            yield must(name, Text("This is not a text.", "這不是文字。"), Text("Write a string.", "請寫成字串。"))
    keys = given.get("jwks", [])
    if not isinstance(keys, list) or not all(isinstance(each, dict) for each in keys):
        yield must(
            "jwks",
            Text("The keys are not a list of JWKs.", "金鑰不是 JWK 清單。"),
            Text('Paste what stands in "keys" of your JWK set.', "請貼上 JWK Set 中 keys 的內容。"),
        )
