"""The checker finds each fault, says it in both languages, and lets a right registration pass."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.openid import checking, jose
from smartgov.engines.openid.errors import OAuthError
from smartgov.engines.openid.params import form
from smartgov.engines.openid.tests.world import CALLBACK, World
from smartgov.engines.pki import keys

PUBLIC = keys.public_jwk(keys.generate_p256().public_key())
RIGHT: dict[str, Any] = {"redirect_uris": [CALLBACK], "jwks": [PUBLIC, PUBLIC], "scopes": ["openid"]}


def musts(given: dict[str, Any]) -> set[str]:
    return {complaint.field for complaint in checking.registration(given) if complaint.kind == "must"}


def test_a_right_registration_passes() -> None:
    assert musts(RIGHT) == set()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["http://shop.example.test/"]}, "redirect_uris"),
        ({"redirect_uris": ["myapp://callback"]}, "redirect_uris"),
        ({"redirect_uris": ["https://*.example.test/"]}, "redirect_uris"),
        ({"redirect_uris": ["https://shop.example.test/#x"]}, "redirect_uris"),
        ({"redirect_uris": "https://shop.example.test/"}, "redirect_uris"),
        ({"redirect_uris": [CALLBACK, "https://other.example.test/"]}, "sector"),
        ({"backchannel_logout_uri": "http://shop.example.test/"}, "backchannel_logout_uri"),
        ({"auth_method": "client_secret_basic"}, "auth_method"),
        ({"auth_method": "none"}, "auth_method"),
        ({"auth_method": "client_secret_jwt"}, "auth_method"),
        ({"auth_method": "tls_client_auth"}, "tls_san_dns"),
        ({"auth_method": "self_signed_tls_client_auth"}, "certificates"),
        ({"sender": "none"}, "sender"),
        ({"jwks": []}, "jwks"),
        ({"jwks": [{**PUBLIC, "d": "AAAA"}]}, "jwks"),
        ({"jwks": [{"kty": "oct", "k": "AAAA"}]}, "jwks"),
        ({"id_token_encrypted": True}, "jwks"),
        ({"scopes": ["profile"]}, "scopes"),
        ({"scopes": ["openid", "everything"]}, "scopes"),
        ({"grants": ["implicit"]}, "grants"),
        ({"default_acr": ["high"]}, "default_acr"),
        ({"profile": "plain"}, "sunset"),
        ({"redirect_url": CALLBACK}, "redirect_url"),
    ],
)
def test_each_fault_is_found(change: dict[str, Any], field: str) -> None:
    assert field in musts({**RIGHT, **change})
    for complaint in checking.registration({**RIGHT, **change}):
        assert complaint.what.en.isascii()
        assert not complaint.what.zh.isascii()


def test_all_faults_of_a_request_are_told_at_once() -> None:
    world = World()
    raw = urlencode({"response_type": "token", "scope": "openid national_id", "redirect_uri": "https://evil.test"})
    found = {complaint.field for complaint in checking.request(world.provider, world.client, raw)}
    assert found == {"response_type", "scope", "redirect_uri", "code_challenge", "state"}
    right = {"response_type": "code", "scope": "openid", "redirect_uri": CALLBACK, "state": "s"}
    right |= {"code_challenge": "a" * 43, "code_challenge_method": "S256"}
    assert checking.request(world.provider, world.client, urlencode(right)) == []


@given(st.text(max_size=200))
def test_any_form_is_read_or_refused(text: str) -> None:
    try:
        found = form(text)
    except OAuthError:
        return
    assert all(value and "\x00" not in value for value in found.values())


@given(st.text(max_size=300))
def test_any_token_is_read_or_refused(text: str) -> None:
    with pytest.raises(jose.BadTokenError):
        jose.verify(jose.read(text), [PUBLIC])


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=6))
def test_what_urlencode_writes_is_read_back(members: dict[str, str]) -> None:
    whole = {name: value for name, value in members.items() if value and "\x00" not in name + value}
    if all(name for name in whole):
        try:
            encoded = urlencode(whole)
        except UnicodeEncodeError:
            return
        assert form(encoded) == whole
