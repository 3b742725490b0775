"""The checker finds each fault, says it in both languages, and lets a right registration pass."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk

from smartgov.engines.openid import checking, jose
from smartgov.engines.openid.checking import Complaint, Fetched
from smartgov.engines.openid.errors import OAuthError
from smartgov.engines.openid.params import form
from smartgov.engines.openid.tests.world import CALLBACK, World
from smartgov.engines.pki import keys
from smartgov.shared import clock

PUBLIC, NEXT = (keys.public_jwk(keys.generate_p256().public_key()) for _ in range(2))
RIGHT: dict[str, Any] = {
    "redirect_uris": [CALLBACK],
    "jwks": [PUBLIC, NEXT],
    "scopes": ["openid"],
    "backchannel_logout_uri": "https://shop.example.test/logout",
}
KEYS_AT = "https://shop.example.test/jwks"


def complaints(given: dict[str, Any], **how: Any) -> list[Complaint]:
    return checking.registration(given, **how)


def musts(given: dict[str, Any], **how: Any) -> set[str]:
    return {complaint.field for complaint in complaints(given, **how) if complaint.kind == "must"}


def weak_rsa() -> dict[str, Any]:
    return jwk.RSAKey.import_key(rsa.generate_private_key(65537, 1024)).as_dict(private=False)


def day(days: int) -> str:
    return (clock.today() + timedelta(days=days)).isoformat()


def test_a_right_registration_passes_without_a_word() -> None:
    assert complaints(RIGHT) == []


# Each fault once: what is changed, the field that is named, and words of the sentence that says it.
FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("no redirect", {"redirect_uris": []}, "redirect_uris", "no address to come back to"),
    ("http", {"redirect_uris": ["http://shop.example.test/"]}, "redirect_uris", "not encrypted"),
    ("own scheme", {"redirect_uris": ["myapp://callback"]}, "redirect_uris", "scheme of its own"),
    ("no scheme", {"redirect_uris": ["shop.example.test/x"]}, "redirect_uris", "scheme of its own"),
    ("wildcard", {"redirect_uris": ["https://*.example.test/"]}, "redirect_uris", "wildcard"),
    ("fragment", {"redirect_uris": [f"{CALLBACK}#x"]}, "redirect_uris", "fragment"),
    ("localhost", {"redirect_uris": ["http://localhost:8080/"]}, "redirect_uris", "own machine"),
    ("localhost by https", {"redirect_uris": ["https://127.0.0.1/"]}, "redirect_uris", "own machine"),
    ("user name", {"redirect_uris": ["https://me@shop.example.test/"]}, "redirect_uris", "user name"),
    ("twice", {"redirect_uris": [CALLBACK, CALLBACK]}, "redirect_uris", "twice"),
    ("no list", {"redirect_uris": CALLBACK}, "redirect_uris", "not a list"),
    ("no text", {"sector": ["shop.example.test"]}, "sector", "not a text"),
    ("after signing out", {"post_logout_redirect_uris": ["http://a.test/"]}, "post_logout_redirect_uris", "encrypted"),
    ("logout", {"backchannel_logout_uri": "http://shop.example.test/"}, "backchannel_logout_uri", "not encrypted"),
    ("hosts", {"redirect_uris": [CALLBACK, "https://other.test/"]}, "sector", "several hosts"),
    ("another's sector", {"sector": "bank.example.test"}, "sector", "not the host of one"),
    ("shared secret", {"auth_method": "client_secret_basic"}, "auth_method", "no shared secrets"),
    ("public client", {"auth_method": "none"}, "auth_method", "no public clients"),
    ("unknown method", {"auth_method": "client_secret_jwt"}, "auth_method", "does not exist"),
    ("no name", {"auth_method": "tls_client_auth"}, "tls_san_dns", "name in the certificate"),
    ("no certificate", {"auth_method": "self_signed_tls_client_auth"}, "certificates", "certificate is missing"),
    ("unbound", {"sender": "none"}, "sender", "binds tokens"),
    ("no keys", {"jwks": []}, "jwks", "no public key"),
    ("private key", {"jwks": [{**PUBLIC, "d": "AAAA"}]}, "jwks", "private one"),
    ("private key to encrypt to", {"jwks": [PUBLIC, {**NEXT, "use": "enc", "d": "AAAA"}]}, "jwks", "private one"),
    ("secret", {"jwks": [{"kty": "oct", "k": "AAAA"}]}, "jwks", "private one"),
    ("weak", {"jwks": [weak_rsa()]}, "jwks", "too weak"),
    ("other curve", {"jwks": [{**PUBLIC, "crv": "P-384"}]}, "jwks", "not accepted"),
    ("wrong algorithm", {"jwks": [{**PUBLIC, "alg": "RS256"}]}, "jwks", "algorithm that is not accepted"),
    ("other kind's algorithm", {"jwks": [{**PUBLIC, "alg": "PS256"}]}, "jwks", "another kind of key"),
    ("same kid", {"jwks": [PUBLIC, {**NEXT, "kid": PUBLIC["kid"]}]}, "jwks", "same kid"),
    ("no key to encrypt to", {"id_token_encrypted": True}, "jwks", "encrypt ID tokens"),
    ("keys by http", {"jwks_uri": "http://shop.example.test/jwks"}, "jwks_uri", "not encrypted"),
    ("no openid", {"scopes": ["profile"]}, "scopes", "lack openid"),
    ("made-up scope", {"scopes": ["openid", "everything"]}, "scopes", "does not exist"),
    ("implicit", {"grants": ["implicit"]}, "grants", "does not exist"),
    ("level", {"default_acr": ["high"]}, "default_acr", "level does not exist"),
    ("response type", {"response_types": ["code id_token"]}, "response_types", "browser's address"),
    (
        "signed requests",
        {"require_signed_request_object": True},
        "require_signed_request_object",
        "request objects are not",
    ),
    (
        "signed requests by algorithm",
        {"request_object_signing_alg": "PS256"},
        "require_signed_request_object",
        "request objects are not",
    ),
    ("RS256", {"id_token_signed_response_alg": "RS256"}, "id_token_signed_response_alg", "not signed by"),
    ("no reason", {"mandates": True}, "mandates_reason", "why people act"),
    ("poor reason", {"mandates": True, "mandates_reason": "family"}, "mandates_reason", "why people act"),
    ("profile", {"profile": "fapi1"}, "profile", "no such profile"),
    ("no last day", {"profile": "plain"}, "sunset", "needs a last day"),
    ("last day over", {"profile": "plain", "sunset": day(0)}, "sunset", "is over"),
    ("last day far away", {"profile": "plain", "sunset": day(731)}, "sunset", "too far away"),
    ("spelling", {"redirect_url": CALLBACK}, "redirect_url", "no such setting"),
]


@pytest.mark.parametrize(
    ("change", "field", "words"), [fault[1:] for fault in FAULTS], ids=[each[0] for each in FAULTS]
)
def test_each_fault_is_said_in_words_with_what_to_do(change: dict[str, Any], field: str, words: str) -> None:
    found = [each for each in complaints({**RIGHT, **change}) if each.field == field and words in each.what.en]
    assert [each.kind for each in found] == ["must"], complaints({**RIGHT, **change})
    for complaint in complaints({**RIGHT, **change}):
        assert complaint.todo.en
        assert complaint.what.en.isascii()
        assert not complaint.what.zh.isascii()
        assert not complaint.todo.zh.isascii()


# What is advice only.
ADVICE: list[tuple[str, dict[str, Any], str, str]] = [
    ("no logout", {"backchannel_logout_uri": ""}, "backchannel_logout_uri", "will not hear"),
    ("other host", {"backchannel_logout_uri": "https://a.test/"}, "backchannel_logout_uri", "another host"),
    ("one key", {"jwks": [PUBLIC]}, "jwks", "one key only"),
    ("national id", {"scopes": ["openid", "national_id"]}, "scopes", "legal basis"),
    ("reason alone", {"mandates_reason": "parents borrow for children"}, "mandates", "not asked for"),
    ("last day alone", {"sunset": day(9)}, "sunset", "Only the plain profile"),
    ("plain", {"profile": "plain", "sunset": day(9)}, "profile", "stolen tokens"),
]


@pytest.mark.parametrize(("change", "field", "words"), [each[1:] for each in ADVICE], ids=[each[0] for each in ADVICE])
def test_advice_stops_nothing(change: dict[str, Any], field: str, words: str) -> None:
    found = complaints({**RIGHT, **change})
    assert [(each.field, each.kind) for each in found] == [(field, "should")]
    assert words in found[0].what.en


def test_a_complaint_names_the_value_it_is_about_and_never_a_private_key() -> None:
    wrong = {"redirect_uris": [CALLBACK, "http://shop.example.test/old"], "jwks": [PUBLIC, {**NEXT, "d": "SECRET"}]}
    found = {each.about for each in complaints({**RIGHT, **wrong}) if each.kind == "must"}
    assert found == {"http://shop.example.test/old", NEXT["kid"]}
    assert "SECRET" not in str(complaints({**RIGHT, **wrong}))


def test_this_machine_is_right_while_trying_and_wrong_in_earnest() -> None:
    local = {
        **RIGHT,
        "redirect_uris": ["http://localhost:8000/cb"],
        "backchannel_logout_uri": "http://localhost:8000/l",
    }
    assert complaints(local, loopback=True) == []
    assert musts(local) == {"redirect_uris", "backchannel_logout_uri"}


def test_keys_at_an_address_count_once_they_were_fetched() -> None:
    there = {name: value for name, value in RIGHT.items() if name != "jwks"} | {"jwks_uri": KEYS_AT}
    assert musts(there) == {"jwks_uri", "jwks"}
    assert musts(there, fetched=Fetched(error="unreachable")) == {"jwks_uri", "jwks"}
    told = [each.what.en for each in complaints(there, fetched=Fetched(error="not-jwks"))]
    assert any("no JWK set" in words for words in told)
    assert complaints(there, fetched=Fetched([PUBLIC])) == []
    assert musts(there, fetched=Fetched([{**PUBLIC, "d": "AAAA"}])) == {"jwks"}


def test_a_right_mandate_and_a_right_last_day_pass() -> None:
    reason = "Parents borrow picture books for children below fourteen."
    assert complaints({**RIGHT, "mandates": True, "mandates_reason": reason}) == []
    assert musts({**RIGHT, "profile": "plain", "sunset": day(730), "auth_method": "none", "sender": "none"}) == set()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(checking.KNOWN)) | st.text(max_size=8), JSON, max_size=8))
def test_any_registration_is_answered_in_words(registration: dict[str, Any]) -> None:
    for complaint in complaints(registration):
        assert complaint.what.en
        assert complaint.what.zh
        assert complaint.todo.zh


@given(st.lists(st.text(max_size=40), max_size=4))
def test_any_address_is_taken_or_complained_of(addresses: list[str]) -> None:
    said = {each.about for each in complaints({**RIGHT, "redirect_uris": addresses}) if each.field == "redirect_uris"}
    for address in addresses:
        assert address in said or address.startswith("https://")


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
