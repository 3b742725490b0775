"""Credentials: made, cut, bound and checked; by the reference library too."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from sd_jwt.holder import SDJWTHolder
from sd_jwt.verifier import SDJWTVerifier

from smartgov.engines.credential import sdjwt, tokens
from smartgov.engines.pki import keys
from smartgov.shared import clock

from .parties import FACTS, ISSUER, VCT, Country


@pytest.fixture(scope="module")
def country(tmp_path_factory):
    return Country(tmp_path_factory.mktemp("parties"))


@pytest.fixture(scope="module")
def holder():
    return keys.generate_p256()


def jwk(key):
    return keys.public_jwk(key.public_key())


def check(country, text, **more):
    return sdjwt.verify(text, country.find_key, now=clock.now(), **more)


def present(credential, holder, *paths, nonce="n1", audience="me"):
    cut = sdjwt.select(credential, paths)
    return sdjwt.bind(cut, tokens.signer(holder), audience=audience, nonce=nonce, now=clock.now())


def test_only_what_the_holder_chose_is_shown(country, holder):
    credential = country.credential(FACTS, jwk(holder))
    whole = check(country, credential)
    assert {name: whole.claims[name] for name in FACTS} == FACTS
    shown = present(credential, holder, ("child_name",), ("residence", "township"))
    found = check(country, shown, audience="me", nonce="n1")
    assert found.bound
    assert found.vct == VCT
    assert found.claims["child_name"] == "林安安"
    assert found.claims["residence"] == {"township": "臺北市文山區"}
    assert not {"birth_date", "sex"} & set(found.claims)
    for word in ("2026-11-12", "female", "平安里"):
        assert word not in json.dumps(found.claims, ensure_ascii=False)


def test_a_presentation_is_for_one_audience_once_and_soon(country, holder):
    credential = country.credential(FACTS, jwk(holder))
    shown = present(credential, holder, ("sex",))
    for audience, nonce in (("other", "n1"), ("me", "n2")):
        with pytest.raises(tokens.TokenError, match="another"):
            check(country, shown, audience=audience, nonce=nonce)
    with pytest.raises(tokens.TokenError, match="did not sign"):
        check(country, sdjwt.select(credential, [("sex",)]), audience="me", nonce="n1")
    with pytest.raises(tokens.TokenError, match="signature is wrong"):
        check(country, present(credential, keys.generate_p256(), ("sex",)), audience="me", nonce="n1")
    with pytest.raises(tokens.TokenError, match="too old"):
        sdjwt.verify(shown, country.find_key, now=clock.now() + timedelta(minutes=9), audience="me", nonce="n1")
    more = sdjwt.select(credential, [("sex",), ("child_name",)]) + shown.rsplit("~", 1)[1]
    with pytest.raises(tokens.TokenError, match="sd_hash"):
        check(country, more, audience="me", nonce="n1")


def test_foreign_old_and_patched_credentials_are_refused(country, holder, tmp_path):
    stranger = Country(tmp_path)
    with pytest.raises(tokens.TokenError, match="not trusted"):
        check(country, stranger.credential(FACTS, jwk(holder)))
    old = country.credential(FACTS, jwk(holder), expires_at=clock.now() - timedelta(minutes=5))
    with pytest.raises(tokens.TokenError, match="expired"):
        check(country, old)
    credential = country.credential(FACTS, jwk(holder))
    extra = keys.b64url(json.dumps(["salt", "income", 1]).encode())
    twice = credential.split("~")[1]
    for added, why in ((extra, "belongs to nothing"), (twice, "twice"), ("e30", "malformed")):
        with pytest.raises(tokens.TokenError, match=why):
            check(country, f"{credential}{added}~")
    header, payload, _ = credential.split("~")[0].split(".")
    with pytest.raises(tokens.TokenError):
        check(country, f"{header}.{payload}.~")
    none = keys.b64url(json.dumps({**tokens.header_of(credential), "alg": "none"}).encode())
    with pytest.raises(tokens.TokenError):
        check(country, f"{none}.{payload}.~")


def test_a_hidden_claim_cannot_take_the_place_of_a_registered_one(country, holder):
    with pytest.raises(ValueError, match="set here"):
        country.credential({"exp": 1}, jwk(holder))
    found = sdjwt._Disclosures()
    payload = {**found.hide({"exp": 9_999_999_999}), "vct": VCT}
    token = tokens.compact(
        {"typ": sdjwt.TYPE, "x5c": tokens.chain_header(country.issuer_certificate)},
        payload,
        tokens.signer(country.issuer_key),
    )
    with pytest.raises(tokens.TokenError, match="may not be hidden"):
        check(country, "~".join([token, *found.texts, ""]))


names = st.text(st.characters(codec="utf-8", exclude_characters="~"), min_size=1, max_size=8).filter(
    lambda name: name not in {"_sd", "_sd_alg", "..."}
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(names, values, max_size=6))
def test_any_facts_survive_and_their_number_does_not_show(country, holder, facts):
    registered = {"iss", "nbf", "exp", "cnf", "vct", "status", "iat"}
    facts = {name: value for name, value in facts.items() if name not in registered}
    credential = country.credential(facts, jwk(holder))
    found = check(country, credential)
    assert {name: found.claims[name] for name in facts} == facts
    assert len(tokens.payload_of(credential.split("~")[0])["_sd"]) % 8 == 0
    nothing = check(country, sdjwt.select(credential, []))
    assert set(nothing.claims) <= registered


@given(st.text(max_size=60) | st.binary(max_size=60).map(keys.b64url))
def test_anything_else_is_refused_and_nothing_breaks(country, text):
    for whole in (text, f"{text}~", f"{text}.{text}.{text}~{text}~"):
        with pytest.raises(tokens.TokenError):
            check(country, whole)


def test_the_reference_library_reads_ours_and_cuts_it(country, holder):
    credential = country.credential(FACTS, jwk(holder))
    issuer = JWK.from_json(json.dumps(jwk(country.issuer_key)))
    reader = SDJWTVerifier(credential, lambda _issuer, _header: issuer)
    theirs = reader.get_verified_payload()
    assert {name: theirs[name] for name in FACTS} == FACTS
    assert theirs["iss"] == ISSUER
    cutter = SDJWTHolder(credential)
    private = holder.private_numbers().private_value.to_bytes(32, "big")
    own = JWK.from_json(json.dumps({**jwk(holder), "d": keys.b64url(private)}))
    cutter.create_presentation({"residence": {"township": True}}, "n7", "me", own)
    found = check(country, cutter.sd_jwt_presentation, audience="me", nonce="n7")
    assert found.claims["residence"] == {"township": "臺北市文山區"}
    assert "child_name" not in found.claims
