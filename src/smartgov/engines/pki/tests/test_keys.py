import base64
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.pki import keys
from smartgov.shared.problems import Problem

MAKERS = [keys.generate_p256, keys.generate_ed25519]


@pytest.mark.parametrize("make", MAKERS)
def test_a_saved_key_comes_back_and_only_its_owner_may_read_it(make, tmp_path):
    key = make()
    path = tmp_path / "keys" / "a.key"
    keys.save_private(path, key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.thumbprint(keys.load_private(path).public_key()) == keys.thumbprint(key.public_key())
    assert [p.name for p in path.parent.iterdir()] == ["a.key"]


def test_a_key_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "a.key"
    keys.save_private(path, keys.generate_p256())
    path.chmod(0o640)
    with pytest.raises(Problem, match="key-unusable"):
        keys.load_private(path)


def test_a_missing_file_a_text_and_a_wrong_kind_are_refused(tmp_path):
    with pytest.raises(Problem, match="key-unusable"):
        keys.load_private(tmp_path / "none.key")
    keys.write_secret(tmp_path / "text.key", b"not a key")
    with pytest.raises(Problem, match="key-unusable"):
        keys.load_private(tmp_path / "text.key")
    keys.save_private(tmp_path / "ed.key", keys.generate_ed25519())
    with pytest.raises(Problem, match="key-unusable"):
        keys.load_p256(tmp_path / "ed.key")


@pytest.mark.parametrize("make", MAKERS)
def test_signatures_hold_for_their_bytes_and_key_only(make):
    key, other = make(), make()
    signature = keys.sign(key, b"one")
    assert len(signature) == 64
    assert keys.verify(key.public_key(), signature, b"one")
    assert not keys.verify(key.public_key(), signature, b"two")
    assert not keys.verify(other.public_key(), signature, b"one")
    assert not keys.verify(key.public_key(), signature[:-1], b"one")
    assert not keys.verify(key.public_key(), bytes(64), b"one")


@pytest.mark.parametrize("make", MAKERS)
def test_a_jwk_round_trip_keeps_the_key(make):
    public = make().public_key()
    jwk = keys.public_jwk(public)
    assert jwk["kid"] == keys.thumbprint(public)
    assert keys.spki(keys.from_jwk(jwk)) == keys.spki(public)


@pytest.mark.parametrize(
    "jwk", [{}, {"kty": "oct", "crv": "none", "k": "AA"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]
)
def test_other_jwks_are_refused(jwk):
    with pytest.raises(ValueError, match=r".+"):
        keys.from_jwk(jwk)


def test_base64url_accepts_only_its_own_form():
    assert keys.from_b64url(keys.b64url(b"\xff\xfe\xfd\x00")) == b"\xff\xfe\xfd\x00"
    for wrong in (base64.b64encode(b"\xff\xfe\xfd\x00").decode(), "a b", "é"):
        with pytest.raises(ValueError, match="base64url"):
            keys.from_b64url(wrong)


@given(st.text(st.sampled_from("abzAZ019-_+/=\n \u4e2d"), max_size=12) | st.text(max_size=12))
def test_base64url_is_read_strictly(text):
    try:
        found = keys.from_b64url(text)
    except ValueError:
        found = None
    if re.fullmatch(r"[A-Za-z0-9_-]*", text) and len(text) % 4 != 1:
        assert found == base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    else:
        assert found is None


@given(st.binary(max_size=64), st.binary(max_size=300))
def test_the_mac_is_that_of_the_standard_library(key, data):
    assert keys.mac(key, data) == hmac.digest(key, data, "sha256")


def test_a_longer_key_is_refused():
    with pytest.raises(ValueError, match="longer"):
        keys.mac(bytes(65), b"")
