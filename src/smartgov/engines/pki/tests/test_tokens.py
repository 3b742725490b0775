from datetime import timedelta

import pytest

from smartgov.engines.pki import jwe, jws, keys
from smartgov.shared import clock
from smartgov.shared.problems import Problem

NOW = clock.now()


def claims(**more):
    return {"sub": "甲", "exp": int(NOW.timestamp()) + 60, **more}


def signed(key, typ="trail+jwt", **more):
    return jws.sign(claims(**more), key, keys.thumbprint(key.public_key()), typ)


def trusted(key):
    return {keys.thumbprint(key.public_key()): key.public_key()}


def refused(token, ring, typ="trail+jwt", now=NOW):
    with pytest.raises(Problem) as caught:
        jws.verify(token, ring, typ, now=now)
    assert (caught.value.slug, caught.value.status) == ("token-invalid", 401)
    return caught.value.extra["reason"]


@pytest.mark.parametrize("make", [keys.generate_p256, keys.generate_ed25519])
def test_a_token_opens_with_its_key(make):
    key = make()
    assert jws.verify(signed(key), trusted(key), "trail+jwt", now=NOW) == claims()


def test_each_wrong_thing_is_named():
    key, other = keys.generate_p256(), keys.generate_p256()
    token = signed(key)
    assert refused(token, trusted(key), "consent+jwt") == "type"
    assert refused(token, trusted(other)) == "key"
    assert refused(token, {keys.thumbprint(key.public_key()): other.public_key()}) == "signature"
    assert refused(token[:-4] + "AAAA", trusted(key)) == "signature"
    assert refused("nonsense", trusted(key)) == "form"
    assert refused("", trusted(key)) == "form"


def test_time_is_checked_with_little_leeway():
    key = keys.generate_p256()
    token = signed(key)
    assert jws.verify(token, trusted(key), "trail+jwt", now=NOW + timedelta(seconds=63))
    assert refused(token, trusted(key), now=NOW + timedelta(seconds=66)) == "time"
    assert refused(signed(key, iat=int(NOW.timestamp()) + 30), trusted(key)) == "time"
    assert refused(signed(key, exp="soon"), trusted(key)) == "form"
    endless = jws.sign({"a": 1}, key, keys.thumbprint(key.public_key()), "trail+jwt")
    assert refused(endless, trusted(key)) == "time"
    assert jws.verify(endless, trusted(key), "trail+jwt", now=NOW, must_expire=False) == {"a": 1}


def test_an_unsigned_or_mac_token_is_refused():
    """The algorithm follows the key, never the token: `none` and HMAC with the public key as secret both fail."""
    key = keys.generate_p256()
    kid = keys.thumbprint(key.public_key())
    payload = signed(key).split(".")[1]
    for algorithm in ("none", "HS256", "EdDSA"):
        header = keys.b64url(f'{{"alg":"{algorithm}","kid":"{kid}","typ":"trail+jwt"}}'.encode())
        assert refused(f"{header}.{payload}.", trusted(key)) in {"form", "signature"}


def test_a_large_configuration_can_be_signed():
    key = keys.generate_ed25519()
    token = signed(key, paths=["/x" * 100] * 5000)
    assert len(jws.verify(token, trusted(key), "trail+jwt", now=NOW)["paths"]) == 5000


def test_an_encrypted_token_opens_for_its_receiver_only():
    key, other = keys.generate_p256(), keys.generate_p256()
    token = jwe.encrypt(b"secret", key.public_key(), "k1", {"aud": "TW/GOV/ris", "exp": 5, "rid": "r"})
    assert b"secret" not in token.encode()
    plaintext, header = jwe.decrypt(token, key)
    assert plaintext == b"secret"
    assert (header["aud"], header["exp"], header["rid"], header["kid"]) == ("TW/GOV/ris", 5, "r", "k1")
    for wrong in (token[:-4] + "AAAA", "a.b.c.d.e", "", signed(key)):
        with pytest.raises(Problem, match="token-unreadable"):
            jwe.decrypt(wrong, key)
    with pytest.raises(Problem, match="token-unreadable"):
        jwe.decrypt(token, other)


def test_the_readable_header_cannot_be_changed_or_overridden():
    key = keys.generate_p256()
    token = jwe.encrypt(b"secret", key.public_key(), "k1", {"aud": "TW/GOV/ris"})
    rest = token.split(".", 1)[1]
    header = keys.from_b64url(token.split(".")[0]).replace(b"TW/GOV/ris", b"TW/GOV/bli")
    with pytest.raises(Problem, match="token-unreadable"):
        jwe.decrypt(f"{keys.b64url(header)}.{rest}", key)
    with pytest.raises(ValueError, match="alg"):
        jwe.encrypt(b"", key.public_key(), "k1", {"alg": "dir"})
