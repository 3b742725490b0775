"""schemathesis on the documents of `credentials` and `signing`: the doors of wallets, verifiers and whoever checks.

A third of what is asked is whole and good, so that what is behind a token, a nonce or a code is reached; the rest is
made up, in part or altogether.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import schemathesis
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from smartgov.blocks.credentials import api, wallets
from smartgov.blocks.credentials.tests import factories as make
from smartgov.blocks.exchange import transport, vouching
from smartgov.blocks.signing.tests import factories as desk
from smartgov.blocks.signing.tests.factories import Gateway
from smartgov.engines.credential import issuing, tokens
from smartgov.engines.credential.wallet import Wallet, proof
from smartgov.engines.pki import jwe, keys
from smartgov.shared.openapi import JSON, UPLOAD
from smartgov.site import documents
from tests.architecture import holding

pytestmark = pytest.mark.django_db
CREDENTIALS, SIGNING = (holding.named(documents.by_hand()[block]) for block in ("credentials", "signing"))
SIGNED = ("application/statuslist+jwt", "application/oauth-authz-req+jwt")
ISSUER = "/credentials/issuers/ris"


@schemathesis.deserializer(*SIGNED)
def _as_text(_: Any, response: Any) -> str:
    """A signed text is what it is, not JSON."""
    return str(response.content.decode("ascii"))


@dataclass
class Good:
    """A whole and good request: its body and what goes with it."""

    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def _nothing() -> Good:
    return Good()


def _send(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    kind = headers.get("content-type", "application/octet-stream")
    kept = {name: value for name, value in headers.items() if name == "authorization"}
    answer = Client().generic(method, urlsplit(url).path, body, content_type=kind, headers=kept)
    return answer.status_code, answer.content


class Agency:
    """An agency that has issued a certificate to a wallet, and an officer who asks for it."""

    def __init__(self) -> None:
        self.certificate = make.issued()
        self.wallet = Wallet(_send, wallets.register)
        offer = self.offer()
        self.wallet.take(offer.uri, offer.tx_code, batch=40)
        self.officer = make.officer("nhi", "case_officer")

    def offer(self) -> issuing.Offer:
        """A fresh offer."""
        return api.offer(agency="ris", credential_id=self.certificate.id, national_id=make.HOLDER)

    def asked(self) -> str:
        """A fresh request for a claim."""
        return api.ask(actor=self.officer, template="birth_certificate", claims=["child_name"])

    def token(self) -> Good:
        """What opens an offer."""
        offer = self.offer()
        code = offer.content["grants"][issuing.PRE_AUTHORISED]["pre-authorized_code"]
        return Good({"grant_type": issuing.PRE_AUTHORISED, "pre-authorized_code": code, "tx_code": offer.tx_code})

    def credential(self) -> Good:
        """A token with the proof of one key."""
        got = Client().post(f"{ISSUER}/token", self.token().body).json()
        nonce = Client().post(f"{ISSUER}/nonce").json()["c_nonce"]
        proofs = {"jwt": [proof(keys.generate_p256(), f"{settings.ORIGIN}{ISSUER}", nonce)]}
        body = {"credential_configuration_id": "birth_certificate", "proofs": proofs}
        return Good(body, {"authorization": f"Bearer {got['access_token']}"})

    def answer(self, asked: str) -> Good:
        """What the wallet would post."""
        text = Client().get(f"/credentials/presentations/{asked}/request").content.decode()
        posted: list[bytes] = []
        self.wallet._send = lambda method, url, headers, body: (posted.append(body), (200, b"{}"))[1]
        self.wallet.show(self.wallet.look(text))
        return Good({"response": parse_qs(posted[0].decode())["response"][0]})

    def check(self) -> Good:
        """The certificate as a file."""
        pdf = api.document(agency="ris", credential_id=self.certificate.id, national_id=make.HOLDER)
        return Good({"file": pdf})


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[Agency]:
    with make.gateway(tmp_path):
        yield Agency()


def _hold(operation: Any, known: str, good: Callable[[], Good]) -> set[int]:
    """Ask at one door; returns the statuses that were seen. Of three requests one is whole, and one has its token."""
    seen: set[int] = set()
    turns = itertools.cycle(("whole", "token", ""))
    kind = next((one.media_type for one in operation.body), "")

    def ask(case: Any, path: str, sent: bytes) -> Any:
        turn = next(turns)
        found = good() if turn else Good()
        body: Any = found.body if turn == "whole" else json.loads(sent or b"null")
        answer = _asked(case.method, known if turn else path, kind, body, found.headers)
        seen.add(answer.status_code)
        return answer

    # schemathesis reads every application/jwt as JSON, which no JWT is; its form is looked at in the wallet's tests.
    checks = holding.NAMES[:-1] if known.endswith(".jwt") else holding.NAMES
    holding.hold(operation, ask, known, {}, checks)
    return seen


def _asked(method: str, path: str, kind: str, body: Any, headers: Mapping[str, str]) -> Any:
    if kind == UPLOAD:
        form = {name: SimpleUploadedFile("a.pdf", _bytes(value)) for name, value in (body or {}).items()}
        return Client().post(path, form)
    if kind == JSON:
        return Client().generic(method, path, json.dumps(body), content_type=kind, headers=headers)
    form = {name: value for name, value in body.items() if isinstance(value, str)} if isinstance(body, dict) else {}
    return Client().generic(method, path, urlencode(form, errors="replace"), content_type=kind or "text/plain")


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


def _door(agency: Agency, label: str) -> tuple[str, Callable[[], Good]]:
    """The path with what really exists in it, and what is good there."""
    _, path = label.split()
    asked = agency.asked() if "{asked}" in path else ""
    known = path.replace("{agency}", "ris").replace("{number}", "1").replace("{asked}", asked)
    made: dict[str, Callable[[], Good]] = {
        "token": agency.token,
        "credential": agency.credential,
        "answer": cache(partial(agency.answer, asked)),  # the second time it is over
        "check.json": agency.check,
    }
    return known, made.get(path.rpartition("/")[2], _nothing)


@pytest.mark.parametrize("label", CREDENTIALS)
def test_the_doors_of_wallets_answer_as_documented(label: str, agency: Agency) -> None:
    statuses = _hold(CREDENTIALS[label], *_door(agency, label))
    assert 200 in statuses, "it has answered well at least once"


@pytest.mark.process
@pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent")
@pytest.mark.parametrize("label", SIGNING)
def test_the_doors_of_signatures_answer_as_documented(label: str, tmp_path: Path) -> None:
    house = Gateway(tmp_path / "house")
    with desk.world(tmp_path) as world, transport.replaced(house), vouching.replaced(house):  # type: ignore[arg-type]
        who = desk.a_citizen(world)
        desk.certified(world, who)
        pdf = desk.signed(world, who)
        _, path = label.split()
        assert 200 in _hold(SIGNING[label], path, lambda: Good({"file": pdf}))


HOSTILE_HEADERS = (
    '{"alg":1,"enc":2}',
    '{"alg":"ECDH-ES","enc":"A256GCM","epk":1}',
    "[]",
    "[" * 100_000,
    '{"zip":"DEF"}',
)


@pytest.mark.parametrize("header", HOSTILE_HEADERS, ids=range(len(HOSTILE_HEADERS)))
def test_an_answer_with_a_hostile_header_is_refused(header: str, agency: Agency) -> None:
    token = f"{keys.b64url(header.encode())}..{keys.b64url(b'i' * 12)}.{keys.b64url(b'c')}.{keys.b64url(b't' * 16)}"
    answer = Client().post(f"/credentials/presentations/{agency.asked()}/answer", {"response": token})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_an_answer_that_is_nested_without_end_is_refused(agency: Agency) -> None:
    asked = agency.asked()
    text = Client().get(f"/credentials/presentations/{asked}/request").content.decode()
    jwk = tokens.payload_of(text)["client_metadata"]["jwks"]["keys"][0]
    token = jwe.encrypt(b"[" * 100_000, keys.from_jwk(jwk), jwk["kid"], {})  # type: ignore[arg-type]
    answer = Client().post(f"/credentials/presentations/{asked}/answer", {"response": token})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:smartgov:problem:presentation-refused")


def _proof(header: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    key = keys.generate_p256()
    own = {"typ": issuing.PROOF_TYPE, "jwk": keys.public_jwk(key.public_key()), **header}
    return tokens.compact(own, {"aud": f"{settings.ORIGIN}{ISSUER}", **payload}, tokens.signer(key))


@pytest.mark.parametrize(
    "hostile",
    [
        _proof({}, {"iat": -(10**400)}),
        _proof({}, {"iat": True}),
        _proof({"jwk": {"kty": "EC", "crv": "P-256", "x": 1, "y": 2}}, {"iat": 1}),
        _proof({"jwk": {"kty": "EC", "crv": ["P-256"], "x": None}}, {"iat": 1}),
        _proof({"typ": {}}, {"iat": 1}),
        "\ud800.a.b",
    ],
    ids=["endless-past", "yes-as-time", "numbers-as-key", "nothing-as-key", "object-as-type", "half-a-letter"],
)
def test_a_hostile_proof_is_refused(hostile: str, agency: Agency) -> None:
    good = agency.credential()
    body = {**good.body, "proofs": {"jwt": [hostile]}}
    answer = Client().post(f"{ISSUER}/credential", json.dumps(body), content_type=JSON, headers=dict(good.headers))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_proof")


def test_what_wallets_are_refused_before_any_door_has_the_same_form(agency: Agency) -> None:
    browser = Client()
    other = browser.put(f"{ISSUER}/token")
    assert (other.status_code, other.json()["error"], other["Allow"]) == (405, "invalid_request", "POST")
    outside = Client(enforce_csrf_checks=True)  # a program has no form token of ours, whatever it sends
    for path in ("/credentials/verifiers.jwt", "/credentials/lists/ris/1"):
        wrong = outside.post(path)
        assert (wrong.status_code, wrong.json()["error"], wrong["Allow"]) == (405, "invalid_request", "GET")
    many = browser.generic("POST", f"{ISSUER}/token", "a=1&" * 5000, content_type="application/x-www-form-urlencoded")
    assert (many.status_code, many.json()["error"]) == (400, "invalid_request")
    torn = browser.generic("POST", f"{ISSUER}/token", "x", content_type="multipart/form-data")
    assert (torn.status_code, torn.json()["error"]) == (400, "invalid_request")
    deep = browser.post(f"{ISSUER}/credential", "[" * 100_000, content_type=JSON, headers=agency.credential().headers)
    assert (deep.status_code, deep.json()["error"]) == (400, "invalid_credential_request")
    stranger = browser.post(f"{ISSUER}/credential", "{}", content_type=JSON)
    assert (stranger.status_code, stranger["WWW-Authenticate"][:6]) == (401, "Bearer")
    assert browser.get("/.well-known/openid-credential-issuer/credentials/issuers/r%00s").status_code == 400


@pytest.mark.parametrize("path", ["/credentials/check.json", "/signing/check.json"])
def test_what_a_check_is_refused_before_its_door_is_a_problem(path: str) -> None:
    browser = Client()
    answers = [browser.get(path), browser.generic("POST", path, "x", content_type="multipart/form-data")]
    assert [one.status_code for one in answers] == [405, 400]
    assert {one["Content-Type"] for one in answers} == {"application/problem+json"}
