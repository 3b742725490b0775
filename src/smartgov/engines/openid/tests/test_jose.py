"""Signed tokens: what is believed, and what never is (OWASP ASVS 5.0 V9)."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk, jws

from smartgov.engines.openid import jose
from smartgov.engines.openid.client import SignInError
from smartgov.engines.openid.tests.world import ISSUER, World
from smartgov.engines.pki import keys

KEY, OTHER = keys.generate_p256(), keys.generate_p256()
PUBLIC = keys.public_jwk(KEY.public_key())


def part(value: Any) -> str:
    return keys.b64url(json.dumps(value).encode())


def signed(claims: dict[str, Any], key: Any = KEY, **header: Any) -> str:
    content = f"{part({'alg': 'ES256', **header})}.{part(claims)}"
    return f"{content}.{keys.b64url(keys.sign(key, content.encode()))}"


def believed(text: str, *known: Any) -> bool:
    try:
        jose.verify(jose.read(text), known or [PUBLIC])
    except jose.BadTokenError:
        return False
    return True


def test_algorithms_are_those_of_fapi_only() -> None:
    assert believed(signed({}))
    for name in ("none", "None", "HS256", "RS256", "ES384", "", None, 1, ["ES256"]):
        assert not believed(signed({}, alg=name)), name
    content = f"{part({'alg': 'HS256'})}.{part({})}"
    forged = hmac.digest(keys.spki(KEY.public_key()), content.encode(), "sha256")
    assert not believed(f"{content}.{keys.b64url(forged)}")
    assert not believed(f"{content}.")


def test_keys_come_from_the_registration_never_from_the_token() -> None:
    mine = keys.public_jwk(OTHER.public_key())
    for header in (
        {"jwk": mine},
        {"jku": "https://evil.test/k"},
        {"x5u": "https://evil.test/c"},
        {"kid": PUBLIC["kid"]},
    ):
        assert not believed(signed({}, OTHER, **header)), header
    assert not believed(signed({}, crit=["exp"], exp=1))


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_noticed_as_the_library_notices_it(place: int, change: int) -> None:
    text = signed({"sub": "person"})
    content, _, signature = text.rpartition(".")
    raw = bytearray(keys.from_b64url(signature))
    raw[place % len(raw)] ^= change
    changed = f"{content}.{keys.b64url(bytes(raw))}"
    assert not believed(changed)
    with pytest.raises(Exception, match="bad_signature"):
        jws.deserialize_compact(changed, jwk.import_key(PUBLIC), ["ES256"])
    assert not believed(f"{content}.{keys.b64url(bytes(raw[:-1]))}")


def test_the_other_kinds_of_key() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate()
    public = keys.public_jwk(edwards.public_key())
    for name in ("EdDSA", "Ed25519"):
        content = f"{part({'alg': name})}.{part({})}"
        assert believed(f"{content}.{keys.b64url(edwards.sign(content.encode()))}", public)
        assert not believed(f"{content}.{keys.b64url(edwards.sign(b'else'))}", public)
    heavy = rsa.generate_private_key(65537, 2048)
    numbers = heavy.public_key().public_numbers()
    n, e = (keys.b64url(v.to_bytes((v.bit_length() + 7) // 8, "big")) for v in (numbers.n, numbers.e))
    content = f"{part({'alg': 'PS256'})}.{part({})}"
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    by_rsa = heavy.sign(content.encode(), pss, hashes.SHA256())
    assert believed(f"{content}.{keys.b64url(by_rsa)}", {"kty": "RSA", "n": n, "e": e})


def test_tokens_of_one_kind_are_not_taken_for_another() -> None:
    """An ID token is no logout token, no assertion and no access token."""
    world = World()
    done = world.sign_in()
    with pytest.raises(SignInError, match="untrusted"):
        world.rp.logout_token(done.id_token)
    with pytest.raises(SignInError, match="invalid_token"):
        world.rp.userinfo(done.id_token)
    assert done.claims["aud"] == "shop"
    assert done.claims["iss"] == ISSUER
