"""The holder signs in at our provider and agrees; her wallet's token opens the agency's credential endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from smartgov.blocks.credentials import api, wallets
from smartgov.blocks.credentials.tests import factories as make
from smartgov.blocks.credentials.tests.test_wallets import send
from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity.tests.factories import SEEDER, signed_in_citizen
from smartgov.blocks.identity.tests.relying import Shop
from smartgov.engines.credential.wallet import Offer, Wallet, read_offer
from smartgov.engines.openid.client import SignedIn, SignInError
from smartgov.engines.pki import keys
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db
ISSUER = f"{settings.ORIGIN}/credentials/issuers/ris"
WANTED = {"type": "openid_credential", "credential_configuration_id": "birth_certificate", "locations": [ISSUER]}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[make.SealingGateway]:
    with make.gateway(tmp_path) as sealing:
        yield sealing


@pytest.fixture
def mother() -> Client:
    subject = identity.enrol(actor=SEEDER, national_id=make.HOLDER, name="陳美玲")
    return signed_in_citizen(subject)


def a_shop() -> Shop:
    return Shop(details=["openid_credential"])


def an_offer() -> Offer:
    return read_offer(api.offer_by_sign_in("ris", "birth_certificate"))


def fetched(gateway: make.SealingGateway, shop: Shop, done: SignedIn, batch: int = 3) -> Wallet:
    own = Wallet(send, wallets.register, lambda header, payload: gateway.key.public_key())

    def ask(address: str, body: object) -> object:
        return shop.rp.resource("POST", address, done.access_token, body)

    own.take_granted(an_offer(), done.details, ask, batch=batch)
    return own


def test_she_agrees_in_words_and_gets_a_batch_of_each_certificate_of_hers(gateway, mother) -> None:
    issued = [make.issued().id, make.issued(child_name="林平平").id]
    shop = a_shop()
    page, _ = shop.visit(mother, authorization_details=[WANTED])
    assert "放入數位錢包：出生登記證明書" in page.content.decode()
    done = shop.sign_in(mother, authorization_details=[WANTED])
    assert sorted(done.details[0]["credential_identifiers"]) == sorted(issued)
    own = fetched(gateway, shop, done)
    assert len(own.held) == 6
    assert {held.claims["child_name"] for held in own.held} == {"林安安", "林平平"}
    with pytest.raises(SignInError, match="invalid_token"):
        fetched(gateway, shop, done)


def test_a_revoked_certificate_and_another_persons_are_not_among_them(gateway, mother) -> None:
    issued = make.issued()
    api.revoke(actor=make.officer(), credential_id=issued.id, reason="error")
    shop = a_shop()
    done = shop.sign_in(mother, authorization_details=[WANTED])
    assert done.details[0]["credential_identifiers"] == []
    good = make.issued()
    other = identity.enrol(actor=SEEDER, national_id=national_id.make(999, 2), name="別人")
    theirs = a_shop()
    token = theirs.sign_in(signed_in_citizen(other), authorization_details=[WANTED])
    assert token.details[0]["credential_identifiers"] == []
    body = {"credential_identifier": good.id, "proofs": {"jwt": []}}
    with pytest.raises(SignInError, match="unknown_credential_identifier"):
        theirs.rp.resource("POST", f"{ISSUER}/credential", token.access_token, body)


def test_a_token_without_that_consent_or_with_another_key_opens_nothing(gateway, mother) -> None:
    issued = make.issued()
    shop = a_shop()
    plain = shop.sign_in(mother)
    body = {"credential_identifier": issued.id, "proofs": {"jwt": []}}
    with pytest.raises(SignInError, match="unknown_credential_identifier"):
        shop.rp.resource("POST", f"{ISSUER}/credential", plain.access_token, body)
    done = shop.sign_in(mother, authorization_details=[WANTED])
    shop.rp.proof_key = keys.generate_p256()
    with pytest.raises(SignInError, match="invalid_token"):
        shop.rp.resource("POST", f"{ISSUER}/credential", done.access_token, body)
    answer = Client().post(
        "/credentials/issuers/ris/credential",
        body,
        content_type="application/json",
        headers={"authorization": f"Bearer {done.access_token}"},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    "wrong",
    [
        {"locations": None},
        {"locations": ["https://elsewhere/credentials/issuers/ris"]},
        {"locations": [f"{settings.ORIGIN}/credentials/issuers/nobody"]},
        {"credential_configuration_id": "income"},
        {"more": 1},
    ],
)
def test_only_what_an_agency_issues_can_be_asked_for(gateway, wrong) -> None:
    make.issued()
    with pytest.raises(SignInError, match="invalid_authorization_details"):
        a_shop().rp.begin(authorization_details=[{**WANTED, **wrong}])
    with pytest.raises(SignInError, match="invalid_authorization_details"):
        Shop().rp.begin(authorization_details=[WANTED])


def test_the_pages_offer_each_kind_and_show_the_register(gateway) -> None:
    browser = Client(headers={"accept-language": "en"})
    assert "Nothing to fetch yet" in browser.get("/credentials/wallet").content.decode()
    assert browser.get("/credentials/wallet/ris/birth_certificate").status_code == 404
    make.issued()
    assert "/credentials/wallet/ris/birth_certificate" in browser.get("/credentials/wallet").content.decode()
    page = browser.get("/credentials/wallet/ris/birth_certificate").content.decode()
    assert "openid-credential-offer://" in page
    assert browser.get("/credentials/wallet/ris/income").status_code == 404
    register = browser.get("/credentials/verifiers").content.decode()
    assert "To insure a newborn child" in register
    assert "Child&#x27;s name" in register


def test_where_nobody_signs_in_for_others_there_is_no_such_offer(gateway, settings) -> None:
    make.issued()
    settings.ROLES = frozenset({"agency:ris"})
    assert "authorization_servers" not in api.issuer("ris").metadata()
    assert api.wallet_kinds() == []
    answer = Client().post("/credentials/issuers/ris/credential", headers={"authorization": "DPoP x"})
    assert answer.status_code == 401


def test_what_is_no_pre_authorised_offer_cannot_be_taken_by_a_number(gateway) -> None:
    make.issued()
    with pytest.raises(Problem, match="offer-refused"):
        Wallet(send).take(api.offer_by_sign_in("ris", "birth_certificate"), "123456")
