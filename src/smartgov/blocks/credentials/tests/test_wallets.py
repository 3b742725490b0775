"""A certificate goes into a wallet and is shown; through the doors that wallets really use."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from django.test import Client

from smartgov.blocks.credentials import api, facts, wallets
from smartgov.blocks.credentials.models import Certificate, Kept, Place
from smartgov.blocks.credentials.tests import factories as make
from smartgov.blocks.directory import api as directory
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.ops import api as ops
from smartgov.engines.credential import sdjwt, status, tokens
from smartgov.engines.credential.wallet import Wallet
from smartgov.engines.pki import certificates
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[make.SealingGateway]:
    with make.gateway(tmp_path) as sealing:
        yield sealing


def send(method, url, headers, body):
    """The wallet's way to the site: a browser without cookies."""
    assert url.startswith(settings.ORIGIN)
    kind = headers.get("content-type", "application/octet-stream")
    more = {"headers": {"authorization": headers["authorization"]}} if "authorization" in headers else {}
    answer = Client().generic(method, urlsplit(url).path, body, content_type=kind, **more)
    return answer.status_code, answer.content


def a_wallet():
    return Wallet(send, wallets.register)


def held(gateway, batch=3):
    issued = make.issued()
    offer = api.offer(agency="ris", credential_id=issued.id, national_id=make.HOLDER)
    found = a_wallet()
    assert found.take(offer.uri, offer.tx_code, batch=batch) == batch
    return issued, found


def an_officer(agency="nhi"):
    return make.officer(agency, "case_officer")


def requested(officer, *claims):
    request = api.ask(actor=officer, template="birth_certificate", claims=claims)
    return request, Client().get(f"/credentials/presentations/{request}/request").content.decode()


def test_a_batch_comes_through_the_doors_and_says_what_the_certificate_says(gateway):
    _, wallet = held(gateway)
    claims = sdjwt.verify(
        wallet.held[0].credential, lambda header, payload: gateway.key.public_key(), now=clock.now()
    ).claims
    assert claims["child_name"] == "林安安"
    assert claims["vct"] == "urn:smartgov:credential:birth_certificate"
    places = list(Place.objects.values_list("index", flat=True))
    assert len(set(places)) == 3
    metadata = json.loads(Client().get("/.well-known/openid-credential-issuer/credentials/issuers/ris").content)
    assert metadata["credential_issuer"] == f"{settings.ORIGIN}/credentials/issuers/ris"
    assert "birth_certificate" in metadata["credential_configurations_supported"]


def test_only_the_holder_is_offered_it_and_only_while_it_is_in_force(gateway):
    issued = make.issued()
    with pytest.raises(Http404):
        api.offer(agency="ris", credential_id=issued.id, national_id=national_id.make(999, 2))
    offer = api.offer(agency="ris", credential_id=issued.id, national_id=make.HOLDER)
    api.revoke(actor=make.officer(), credential_id=issued.id, reason="error")
    with pytest.raises(Http404):
        api.offer(agency="ris", credential_id=issued.id, national_id=make.HOLDER)
    with pytest.raises(Problem, match="offer-refused"):
        a_wallet().take(offer.uri, offer.tx_code)


def test_it_is_shown_to_a_registered_agency_and_seen_by_nobody_else(gateway):
    _, wallet = held(gateway)
    officer = an_officer()
    request, text = requested(officer, "child_name", "birth_date")
    assert api.shown(actor=officer, request=request) is None
    question = wallet.look(text)
    assert question.verifier.purpose.zh == "辦理新生兒加保"
    assert wallet.show(question)[0] == 200
    shown = [value.zh for _, value in api.shown(actor=officer, request=request) or []]
    assert shown == ["林安安", "民國115年11月12日"]
    with pytest.raises(Http404):
        api.shown(actor=an_officer("sfaa"), request=request)
    assert wallet.show(question)[0] == 404, "answered once"
    with clock.travelling(delta=timedelta(minutes=11)), pytest.raises(Http404):
        api.shown(actor=officer, request=request)
    assert ops.retire(Kept, clock.now() + timedelta(days=2)) >= 1


def test_what_an_agency_may_not_ask_is_not_asked(gateway):
    make.issued()
    for agency, claims in (("nhi", ["child_id"]), ("nhi", ["residence"])):
        with pytest.raises(Problem, match="claim-not-allowed"):
            api.ask(actor=an_officer(agency), template="birth_certificate", claims=claims)
    with pytest.raises(Http404):
        api.ask(actor=Actor("citizen", subject="s"), template="birth_certificate", claims=["child_name"])
    assert not api.askable(actor=an_officer("bli"))


def test_revoking_the_certificate_revokes_every_credential_of_it(gateway):
    issued, wallet = held(gateway)
    api.revoke(actor=make.officer(), credential_id=issued.id, reason="error")
    text = Client().get("/credentials/lists/ris/1").content.decode()
    found = status.read(
        text, uri=f"{settings.ORIGIN}/credentials/lists/ris/1", key=gateway.key.public_key(), now=clock.now()
    )
    for one in wallet.held:
        index = tokens.payload_of(one.credential.split("~")[0])["status"]["status_list"]["idx"]
        assert found[index] == status.Status.REVOKED
    assert sum(found[index] for index in range(1000)) <= 3
    officer = an_officer()
    request, text = requested(officer, "child_name")
    code, body = wallet.show(wallet.look(text))
    assert (code, json.loads(body)["type"]) == (400, "urn:smartgov:problem:presentation-refused")
    assert api.shown(actor=officer, request=request) is None


def test_what_is_revoked_while_a_wallet_fetches_it_is_not_minted(gateway, monkeypatch):
    issued = make.issued()
    offer = api.offer(agency="ris", credential_id=issued.id, national_id=make.HOLDER)
    sealing = facts.sealing

    def meanwhile(agency):
        api.revoke(actor=make.officer(), credential_id=issued.id, reason="error")
        monkeypatch.setattr(facts, "sealing", sealing)
        return sealing(agency)

    monkeypatch.setattr(facts, "sealing", meanwhile)
    with pytest.raises(Problem, match="offer-refused"):
        a_wallet().take(offer.uri, offer.tx_code)
    assert not Place.objects.filter(status=0).exists()


def test_a_list_is_sent_compressed_to_whoever_takes_that(gateway):
    held(gateway)
    plain = Client().get("/credentials/lists/ris/1")
    packed = Client().get("/credentials/lists/ris/1", headers={"accept-encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content)
    token = gzip.decompress(packed.content).decode()
    assert tokens.opened(token, gateway.key.public_key(), status.TYPE)["sub"].endswith("/credentials/lists/ris/1")


def test_the_register_is_signed_and_public(gateway):
    text = Client().get("/credentials/verifiers.jwt").content.decode()
    own = tokens.shown_certificate(tokens.header_of(text))
    assert certificates.was_issued_by(own, gateway.authority.certificate, at=clock.now())
    rows = tokens.payload_of(text)["verifiers"]
    assert {row["name"]["zh"] for row in rows} == {"衛生福利部中央健康保險署", "衛生福利部社會及家庭署"}


def test_errors_are_in_the_words_of_wallets(gateway):
    make.issued()
    browser = Client()
    base = "/credentials/issuers/ris"
    for path, body, status_code, error in (
        ("token", {"grant_type": "password"}, 400, "unsupported_grant_type"),
        ("credential", {}, 401, "invalid_token"),
    ):
        answer = browser.post(f"{base}/{path}", body)
        assert (answer.status_code, answer.json()["error"]) == (status_code, error)
    assert browser.post("/credentials/issuers/nobody/nonce").status_code == 404
    assert browser.get("/credentials/lists/ris/7").status_code == 404


def test_the_officers_page_shows_the_code_and_then_the_facts(gateway):
    _, wallet = held(gateway)
    browser = people.signed_in_officer("nhi", "case_officer")
    assert "子女姓名" in browser.get("/credentials/ask").content.decode()
    assert browser.post("/credentials/ask", {}).status_code == 422
    address = browser.post("/credentials/ask", {"claims": "birth_certificate child_name"})["Location"]
    assert "svg" in browser.get(address).content.decode()
    assert browser.get(f"{address}/state").json() == {"waiting": True}
    request = address.rsplit("/", 1)[-1]
    wallet.show(wallet.look(Client().get(f"/credentials/presentations/{request}/request").content.decode()))
    assert "林安安" in browser.get(address).content.decode()


def test_the_pdf_carries_its_facts_and_the_check_shows_them(gateway):
    issued = make.issued()
    pdf = api.document(agency="ris", credential_id=issued.id, national_id=make.HOLDER)
    verdict = api.verify_upload(pdf)
    assert ("子女姓名", "林安安") in {(title.zh, value.zh) for title, value in verdict.facts}
    assert not api.verify_upload(pdf + b"\n% x").facts


def test_the_check_speaks_the_language_of_the_page(gateway):
    pdf = api.document(agency="ris", credential_id=make.issued().id, national_id=make.HOLDER)
    page = {}
    for language in ("zh-hant", "en"):
        upload = SimpleUploadedFile("certificate.pdf", pdf, "application/pdf")
        answer = Client().post("/credentials/check", {"file": upload}, headers={"Accept-Language": language})
        page[language] = answer.content.decode()
    assert "民國115年11月12日" in page["zh-hant"]
    assert "12 November 2026" in page["en"]
    assert not any("2026-11-12" in text for text in page.values())
    assert directory.agency("ris").name.zh in page["zh-hant"]


def test_codes_and_days_of_a_certificate_are_said_in_words():
    said = facts.in_words(
        "birth_certificate", {"sex": "female", "birth_date": "2026-11-24", "child_name": "2026-13-99"}
    )
    assert {value.zh for _, value in said} == {"女", "民國115年11月24日", "2026-13-99"}
    assert {value.en for _, value in said} == {"Female", "24 November 2026", "2026-13-99"}


def test_another_agencys_credential_counts_by_its_seal_and_its_own_list(gateway, monkeypatch, tmp_path):
    """The issuing agency runs elsewhere: no row of it is here, and its list has to be fetched."""
    _, wallet = held(gateway)
    text = Client().get("/credentials/lists/ris/1").content.decode()
    fetched = []

    def elsewhere(uri):
        fetched.append(uri)
        return text

    Place.objects.all().delete()
    Certificate.objects.all().delete()
    monkeypatch.setattr(wallets.lists, "fetched", elsewhere)
    officer = an_officer()
    request, asked = requested(officer, "child_name")
    assert wallet.show(wallet.look(asked))[0] == 200
    assert fetched == [f"{settings.ORIGIN}/credentials/lists/ris/1"]
    assert [value.zh for _, value in api.shown(actor=officer, request=request) or []] == ["林安安"]


def test_a_list_is_fetched_once_in_five_minutes(monkeypatch):
    asked = []
    monkeypatch.setattr(wallets.lists, "_fetch", lambda uri: asked.append(uri) or "text")
    monkeypatch.setattr(wallets.lists, "_kept", {})
    for _ in range(3):
        assert wallets.lists.fetched("https://x/1") == "text"
    with clock.travelling(delta=timedelta(minutes=6)):
        wallets.lists.fetched("https://x/1")
    assert asked == ["https://x/1", "https://x/1"]


@pytest.mark.parametrize(
    "uri", ["file:///etc/passwd", "http://169.254.169.254/x", "https://u@x/y", "https://x/y?z=1", "ftp://x/y"]
)
def test_a_list_is_fetched_from_where_lists_are_only(uri):
    with pytest.raises(tokens.TokenError, match="no address"):
        wallets.lists.fetched(uri)


@pytest.mark.parametrize(
    ("issuer", "why"),
    [
        ("http://localhost:8000/credentials/issuers/nhi", "another agency"),
        ("http://localhost:8000/credentials/issuers/nobody", "not known"),
        ("http://localhost:8000/elsewhere/issuers/ris", "not known"),
        ("", "not known"),
    ],
)
def test_an_agencys_seal_makes_credentials_in_its_own_name_only(gateway, issuer, why):
    header = {"x5c": tokens.chain_header(gateway.certificate)}
    roots = [gateway.authority.certificate]
    assert wallets._find_key(roots, header, {"iss": "https://ris.example/credentials/issuers/ris"})
    with pytest.raises(tokens.TokenError, match=why):
        wallets._find_key(roots, header, {"iss": issuer})
    with pytest.raises(tokens.TokenError, match="not trusted"):
        wallets._find_key([], header, {"iss": "https://ris.example/credentials/issuers/ris"})
