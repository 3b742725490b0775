"""A mother's certificate goes into a wallet, which shows it to an agency that may ask, and to nobody else."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping

import pytest

from smartgov.engines.credential import tokens, verifiers
from smartgov.engines.credential.wallet import Wallet
from smartgov.engines.pki import certificates
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from tests.journeys import birth
from tests.journeys.people import Country, Person, until


def send(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """The wallet's way to the world."""
    request = urllib.request.Request(url, body if method == "POST" else None, dict(headers), method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def a_wallet(country: Country) -> Wallet:
    """A wallet that trusts the register as the household agency signs it."""

    def register() -> list[verifiers.Verifier]:
        text = send("GET", f"{country.origin}/credentials/verifiers.jwt", {}, b"")[1].decode()
        key = certificates.public_key(tokens.shown_certificate(tokens.header_of(text)))
        return verifiers.read(text, key, clock.now())

    return Wallet(send, register)


def test_from_the_timeline_into_a_wallet_and_to_an_officer(own_country: Country) -> None:
    """In a country of its own: at the end the certificate is revoked."""
    country, handed = own_country, birth.whole_journey(own_country)
    page = until(lambda: handed.mother.get(handed.url), lambda page: "/services/certificates/" in str(page.links))
    offered = handed.mother.submit(page.form_to("/wallet"))
    tx_code = next(word for word in offered.text.split() if word.isdigit() and len(word) == 6)
    uri = next(link for link, _ in offered.links if link.startswith("openid-credential-offer:"))
    wallet = a_wallet(country)
    with pytest.raises(Problem, match="offer-refused"):
        wallet.take(uri, "000000" if tx_code != "000000" else "111111")
    assert wallet.take(uri, tx_code, batch=10) == 10
    officer = Person(country, "nhi-officer")
    officer.sign_in()
    officer.take_seat("Insurance", "officer")
    page = officer.get("/credentials/ask")
    form = page.form_with("claims")
    asked = officer.submit(form, claims=[form.choices["claims"][0], form.choices["claims"][1]])
    number = asked.url.rsplit("/", 1)[-1]
    request = send("GET", f"{country.origin}/credentials/presentations/{number}/request", {}, b"")[1].decode()
    question = wallet.look(request)
    assert question.verifier.purpose.en == "To insure a newborn child"
    assert wallet.show(question)[0] == 200
    shown = officer.get(asked.url).text
    assert "小安" in shown
    assert handed.mother.facts["name"] not in shown, "it was not asked for"
    stranger = Person(country, "sfaa-preparer")
    stranger.sign_in()
    assert stranger.get(asked.url).status in {403, 404}
    revoke(country)
    again = officer.submit(officer.get("/credentials/ask").form_with("claims"), claims=[form.choices["claims"][0]])
    address = f"{country.origin}/credentials/presentations/{again.url.rsplit('/', 1)[-1]}/request"
    status, body = wallet.show(wallet.look(send("GET", address, {}, b"")[1].decode()))
    assert (status, json.loads(body)["type"]) == (400, "urn:smartgov:problem:presentation-refused")


def revoke(country: Country) -> None:
    """The agency revokes the certificate; its wallet credentials go with it."""
    manager = Person(country, "ris-officer")
    manager.sign_in()
    manager.take_seat("Household", "manager")
    page = manager.get("/credentials/")
    page = manager.get(page.link("/credentials/manage/"))
    manager.submit(page.form_with("reason"), reason="error")
