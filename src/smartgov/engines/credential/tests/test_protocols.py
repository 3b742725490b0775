"""From offer to presentation, and the attacks in between."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.credential import dcql, issuing, presenting, sdjwt, tokens, verifiers, wallet
from smartgov.engines.credential.status import Status
from smartgov.engines.pki import jwe, keys
from smartgov.shared import clock
from smartgov.shared.problems import Problem

from .parties import FACTS, ISSUER, VCT, Country, query


@pytest.fixture
def country(tmp_path):
    return Country(tmp_path)


def offered(country):
    return country.issuer.offer("birth", {"facts": FACTS})


def holding(country, batch=10):
    offer = offered(country)
    assert country.wallet.take(offer.uri, offer.tx_code, batch=batch) == batch
    return country.wallet


def slug(caught):
    return caught.value.extra.get("reason") or caught.value.slug


def test_a_batch_comes_and_no_two_of_it_can_be_linked(country):
    held = holding(country, 30).held
    payloads = [tokens.payload_of(one.credential.split("~")[0]) for one in held]
    for different in (
        lambda one: one["cnf"]["jwk"]["x"],
        lambda one: one["status"]["status_list"]["idx"],
        lambda one: tuple(one["_sd"]),
    ):
        assert len({different(one) for one in payloads}) == 30
    assert len({one["iat"] for one in payloads}) == 1, "the day only"


def test_shown_once_only_what_was_asked_to_whom_it_may(country):
    holding(country, 2)
    question = country.wallet.look(country.ask(query(("child_name",), ("residence", "township"))))
    assert question.verifier.name.zh == "國小"
    assert question.claims == ((VCT, ("child_name",)), (VCT, ("residence", "township")))
    assert country.wallet.show(question)[0] == 200
    shown = country.results[0]["one"][0].claims
    assert (shown["child_name"], shown["residence"]) == ("林安安", {"township": "臺北市文山區"})
    assert "birth_date" not in shown
    country.wallet.show(country.wallet.look(country.ask(query(("child_name",)))))
    keys_shown = {one["one"][0].claims["cnf"]["jwk"]["x"] for one in country.results}
    assert len(keys_shown) == 2, "each credential is used once"
    with pytest.raises(Problem, match="credential-missing"):
        country.wallet.show(country.wallet.look(country.ask(query(("child_name",)))))


def test_a_verifier_that_is_not_registered_or_asks_too_much_is_refused(country):
    holding(country, 1)
    with pytest.raises(Problem) as caught:
        country.wallet.look(country.ask(query(("birth_date",))))
    assert (caught.value.slug, caught.value.extra["claim"]) == ("claim-not-allowed", "birth_date")
    with pytest.raises(Problem, match="claim-not-allowed"):
        country.wallet.look(country.ask(query(("residence",))))
    with pytest.raises(Problem, match="claim-not-allowed"):
        country.wallet.look(country.ask(query(("child_name",), vct="https://other")))
    with clock.travelling(delta=timedelta(days=31)), pytest.raises(Problem, match="verifier-unknown"):
        country.wallet.look(country.ask(query(("child_name",))))
    country.register = []
    with pytest.raises(Problem, match="verifier-unknown"):
        country.wallet.look(country.ask(query(("child_name",))))
    assert not country.wallet.held[0].used


def test_a_request_signed_by_another_in_its_name_is_refused(country):
    key, certificate = country.certified("騙子", "x")
    asked = presenting.ask(country.client_id, query(("child_name",)), "https://evil.example/answer")
    forged = presenting.request_object(asked, sign=tokens.signer(key), x5c=tokens.chain_header(certificate))
    with pytest.raises(Problem, match="offer-refused"):
        country.wallet.look(forged)


def test_what_was_revoked_or_suspended_is_not_accepted(country):
    holding(country, 2)
    for value in (Status.REVOKED, Status.SUSPENDED):
        one = next(one for one in country.wallet.held if not one.used)
        country.list[tokens.payload_of(one.credential.split("~")[0])["status"]["status_list"]["idx"]] = value
        with pytest.raises(Problem) as caught:
            country.wallet.show(country.wallet.look(country.ask(query(("child_name",)))))
        assert slug(caught) == "revoked"


def answer(country, presentations, *, state=None, key=None):
    asked = country.asked["now"]
    public = key or presenting._key(asked).public_key()
    body = {"vp_token": presentations, "state": asked.state if state is None else state}
    return jwe.encrypt(json.dumps(body).encode(), public, "k", {})


def judged(country, response):
    with pytest.raises(Problem) as caught:
        presenting.answered(country.asked["now"], response, find_key=country.find_key, look_up=country.look_up)
    return slug(caught)


def test_wrong_answers(country):
    holding(country, 1)
    country.ask(query(("child_name",)))
    asked, held = country.asked["now"], country.wallet.held[0]

    def shown(*paths, nonce=asked.nonce, key=held.key):
        cut = sdjwt.select(held.credential, paths)
        return sdjwt.bind(cut, tokens.signer(key), audience=asked.client_id, nonce=nonce, now=clock.now())

    good = shown(("child_name",))
    assert judged(country, answer(country, {"one": [good]}, state="other")) == "state"
    assert judged(country, answer(country, {})) == "credentials"
    assert judged(country, answer(country, {"one": [good], "two": [good]})) == "credentials"
    assert judged(country, answer(country, {"one": [shown(("sex",))]})) == "claims"
    assert judged(country, answer(country, {"one": [shown(("child_name",), ("sex",))]})) == "more"
    assert judged(country, answer(country, {"one": [shown(("child_name",), nonce="old")]})) == "credential"
    assert judged(country, answer(country, {"one": [shown(("child_name",), key=keys.generate_p256())]})) == "credential"
    assert judged(country, answer(country, {"one": "x"})) == "form"
    foreign = answer(country, {"one": [good]}, key=keys.generate_p256().public_key())
    assert judged(country, foreign) == "token-unreadable"
    assert presenting.answered(
        asked, answer(country, {"one": [good]}), find_key=country.find_key, look_up=country.look_up
    )


def refused(act):
    with pytest.raises(issuing.ProtocolError) as caught:
        act()
    return caught.value.error


def form(offer, **changes):
    code = offer.content["grants"][issuing.PRE_AUTHORISED]["pre-authorized_code"]
    found = {"grant_type": issuing.PRE_AUTHORISED, "pre-authorized_code": code, "tx_code": offer.tx_code}
    return {**found, **changes}


def test_an_offer_is_taken_once_by_whoever_was_told_the_number(country):
    offer = offered(country)
    wrong = f"{(int(offer.tx_code) + 1) % 10**6:06d}"
    assert refused(lambda: country.issuer.token(form(offer, tx_code=""))) == "invalid_request"
    for _ in range(4):
        assert refused(lambda: country.issuer.token(form(offer, tx_code=wrong))) == "invalid_grant"
    assert country.issuer.token(form(offer))["access_token"]
    assert refused(lambda: country.issuer.token(form(offer))) == "invalid_grant"
    other = offered(country)
    for _ in range(5):
        refused(lambda: country.issuer.token(form(other, tx_code="x")))
    assert refused(lambda: country.issuer.token(form(other))) == "invalid_grant", "five tries, then it is gone"
    late = offered(country)
    with clock.travelling(delta=timedelta(minutes=11)):
        assert refused(lambda: country.issuer.token(form(late))) == "invalid_grant"
    assert refused(lambda: country.issuer.token(form(late, grant_type="password"))) == "unsupported_grant_type"


def wanted(country, *proofs, kind="birth"):
    return {"credential_configuration_id": kind, "proofs": {"jwt": list(proofs)}}


def test_only_fresh_proofs_of_different_keys_count(country):
    token = country.issuer.token(form(offered(country)))["access_token"]
    key, nonce = keys.generate_p256(), country.issuer.nonce()["c_nonce"]

    def ask(*proofs, access=token, **more):
        return refused(lambda: country.issuer.credentials(access, wanted(country, *proofs, **more)))

    good = wallet.proof(key, ISSUER, nonce)
    assert ask(good, access="stolen") == "invalid_token"
    assert ask(good, kind="other") == "unknown_credential_configuration"
    assert ask(wallet.proof(key, "https://other", nonce)) == "invalid_proof"
    assert ask(wallet.proof(key, ISSUER, "made-up")) == "invalid_nonce"
    assert ask() == "invalid_proof"
    assert ask(*[good] * 51) == "invalid_proof"
    assert ask(good[:-4] + "AAAA") == "invalid_proof"
    assert ask(good, good) == "invalid_proof", "one key twice"
    assert ask(good) == "invalid_nonce", "that attempt has used the nonce"
    nonce = country.issuer.nonce()["c_nonce"]
    with clock.travelling(delta=timedelta(minutes=-9)):
        old = wallet.proof(key, ISSUER, nonce)
    assert ask(old) == "invalid_proof"
    done = country.issuer.credentials(token, wanted(country, wallet.proof(key, ISSUER, nonce)))
    assert len(done["credentials"]) == 1
    assert ask(wallet.proof(key, ISSUER, country.issuer.nonce()["c_nonce"])) == "invalid_token", "one batch a token"


def test_the_offer_is_what_wallets_scan(country):
    offer = offered(country)
    parts = urlsplit(offer.uri)
    assert parts.scheme == "openid-credential-offer"
    found = json.loads(dict(parse_qsl(parts.query))["credential_offer"])
    assert found["credential_issuer"] == ISSUER
    assert offer.tx_code not in offer.uri
    metadata = country.issuer.metadata()
    assert metadata["batch_credential_issuance"] == {"batch_size": 50}
    assert metadata["credential_configurations_supported"]["birth"]["vct"] == VCT


def test_the_register_travels_signed(country):
    text = verifiers.token(country.register, sign=tokens.signer(country.issuer_key), x5c=[], now=clock.now(), life=3600)
    assert verifiers.read(text, country.issuer_key.public_key(), clock.now()) == country.register
    with pytest.raises(tokens.TokenError):
        verifiers.read(text, country.verifier_key.public_key(), clock.now())
    with pytest.raises(tokens.TokenError):
        verifiers.read(text, country.issuer_key.public_key(), clock.now() + timedelta(hours=2))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "mso_mdoc"},
        {"id": "a b"},
        {"meta": {}},
        {"meta": {"vct_values": "x"}},
        {"claims": []},
        {"claims": [{"path": [None]}]},
        {"claims": [{"path": [-1]}]},
        {"claims": [{"path": ["a"], "new": 1}]},
        {"trusted_authorities": []},
    ],
)
def test_a_query_that_is_not_understood_is_refused(change):
    base = query(("child_name",))["credentials"][0]
    with pytest.raises(Problem, match="query-invalid"):
        dcql.parse({"credentials": [{**base, **change}]})


def test_sets_and_values():
    one, two = ({**query(("a",))["credentials"][0], "id": name} for name in ("one", "two"))
    found = dcql.parse({"credentials": [one, two], "credential_sets": [{"options": [["one"], ["two"]]}]})
    assert found.is_met_by({"two"})
    assert not found.is_met_by(set())
    assert not dcql.parse({"credentials": [one, two]}).is_met_by({"one"})
    asked = dcql.parse({"credentials": [{**one, "claims": [{"path": ["a", 0], "values": [1, 2]}]}]}).wanted[0]
    for value, good in ((1, True), (3, False)):
        assert dcql.answers(asked, sdjwt.Verified({"vct": VCT, "a": [value]}, {}, True)) is good
    with pytest.raises(Problem):
        dcql.parse({"credentials": [one, one]})
    with pytest.raises(Problem):
        dcql.parse({"credentials": [one], "credential_sets": [{"options": [["three"]]}]})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["credentials", "id", "meta", "claims", "path", "format"]), inner, max_size=4)
    ),
)


@given(anything)
def test_no_query_breaks_the_parser(data):
    with suppress(Problem):
        dcql.parse(data)


def test_a_verifier_keeps_its_question(country):
    asked = presenting.ask("x509_hash:x", query(("child_name",)), "https://x")
    assert replace(asked, state="s") != asked
    assert asked.nonce != presenting.ask("x509_hash:x", query(("child_name",)), "https://x").nonce
