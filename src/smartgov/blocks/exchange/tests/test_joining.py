"""Joining at the centre: letters through the door, decisions on the page, certificates by the worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange import centre, issuing, joining
from smartgov.blocks.exchange.models import Certificate, Gateway, JoinRequest, SignedOffer
from smartgov.blocks.exchange.tests.factories import RecordedCentre
from smartgov.blocks.identity.tests import factories as people
from smartgov.engines.pki import certificates, keys
from smartgov.engines.pki.certificates import CertificateAuthority
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.joining import keeper, letters, looking_after, request
from smartgov.engines.troad.joining.request import Contact
from smartgov.engines.trust import Rotation
from smartgov.shared import clock
from smartgov.shared.text import Text

pytestmark = pytest.mark.django_db
XYZ = "TW/GOV/xyz"


class Authority:
    """Issues with a key in a folder; the root keys prove what `proves` says."""

    def __init__(self, folder: Path) -> None:
        self.own, self.proves = CertificateAuthority.create(folder, "Gateways"), False

    def certify(self, gateway: str, tls_key: Any, host: str, ends: Any) -> str:
        key = keys.from_jwk(dict(tls_key))
        made = self.own.issue(key, common_name=gateway, organisation="x", usage="tls", not_after=ends)
        return certificates.pem(made).decode()

    def root(self) -> bytes:
        return b"{}"

    def bundle(self) -> bytes:
        return b"{}"

    def proven_by_root(self, rotation: Any) -> bool:
        return self.proves


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    made = Authority(tmp_path / "ca")
    with ExitStack() as stack:
        stack.enter_context(issuing.replaced(made))
        stack.enter_context(centre.replaced(RecordedCentre()))
        yield made


def home(folder: Path, code: str = "gw1") -> Path:
    homes.create(folder, member=XYZ, code=code, port=8443, local_port=8480, subsystems={"cases": {}})
    return folder


def letter(folder: Path, **changes: Any) -> dict[str, Any]:
    given = {"name": Text("Office", "機關"), "contact": Contact("IT", "it@example.tw", "02"), "to": settings.ORIGIN}
    return request.write(folder, **{**given, "now": clock.now(), **changes})


def post(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = Client().post(f"/api/exchange/v1/{path}", json.dumps(body), content_type="application/json")
    content = answer.json()
    return answer.status_code, {**content, "slug": str(content.get("type", "")).rpartition(":")[2]}


def asked(folder: Path, **changes: Any) -> str:
    status, said = post("joining/requests", letter(folder, **changes))
    assert status == 201, said
    return str(said["fingerprint"])


def approved(fingerprint: str) -> Any:
    officer = people.signed_in_officer("portal", "operator")
    told = fingerprint[-8:-4] + " " + fingerprint[-4:]
    return officer.post("/exchange/joining/approve", {"request": fingerprint, "told": told})


def joined(folder: Path, **changes: Any) -> str:
    fingerprint = asked(folder, **changes)
    assert approved(fingerprint).status_code == 302
    joining.issue_waiting()
    return fingerprint


def state(folder: Path, fingerprint: str) -> dict[str, Any]:
    body = keeper.ask(homes.load(folder), fingerprint, to=settings.ORIGIN, now=clock.now())
    return post("joining/state", body)[1]


def test_a_gateway_joins(authority: Authority, tmp_path: Path) -> None:
    folder = home(tmp_path / "xyz")
    fingerprint = asked(folder)
    assert state(folder, fingerprint)["state"] == "pending"
    page = people.signed_in_officer("portal", "operator").get("/exchange/joining").content.decode()
    assert request.grouped(fingerprint[:-8]) in page
    assert fingerprint[-8:-4] + " " + fingerprint[-4:] not in page
    assert approved(fingerprint).status_code == 302
    assert state(folder, fingerprint)["state"] == "approved"
    joining.issue_waiting()
    said = state(folder, fingerprint)
    certificate = certificates.from_pem(said["certificate"].encode())
    assert said["state"] == "joined"
    assert certificates.common_name(certificate) == f"{XYZ}/gw1"
    assert certificate.not_valid_after_utc - clock.now() <= timedelta(days=7)
    listed = Gateway.objects.get(id=f"{XYZ}/gw1").described
    assert listed["message_key"] == homes.describe(folder)["gateway"]["message_key"]
    actions = [entry.action for entry in audit.entries("portal", limit=50)]
    assert {"exchange.join_asked", "exchange.join_approved", "exchange.certificate_issued"} <= set(actions)


def test_only_the_end_that_the_applicant_says_approves(authority: Authority, tmp_path: Path) -> None:
    fingerprint = asked(home(tmp_path / "xyz"))
    officer = people.signed_in_officer("portal", "operator")
    wrong = officer.post("/exchange/joining/approve", {"request": fingerprint, "told": "0000 0000"})
    assert wrong.status_code == 409
    assert JoinRequest.objects.get().state == "pending"
    for stranger in (people.signed_in_officer("portal", "auditor"), people.signed_in_citizen()):
        assert stranger.post("/exchange/joining/approve", {"request": fingerprint}).status_code == 403


def test_a_replay_and_a_second_request_are_refused(authority: Authority, tmp_path: Path) -> None:
    body = letter(home(tmp_path / "xyz"))
    assert post("joining/requests", body)[0] == 201
    assert post("joining/requests", body)[1]["slug"] == "letter-replayed"
    other = post("joining/requests", letter(home(tmp_path / "other")))
    assert (other[0], other[1]["slug"]) == (409, "join-waiting")


def test_a_refusal_says_why_to_the_applicant_alone(authority: Authority, tmp_path: Path) -> None:
    folder, other = home(tmp_path / "xyz"), home(tmp_path / "other")
    fingerprint = asked(folder)
    officer = people.signed_in_officer("portal", "operator")
    assert officer.post("/exchange/joining/refuse", {"request": fingerprint, "reason": " "}).status_code == 422
    officer.post("/exchange/joining/refuse", {"request": fingerprint, "reason": "not this office"})
    assert state(folder, fingerprint) | {"slug": ""} == {
        "state": "refused",
        "reason": "not this office",
        "certificate": "",
        "slug": "",
    }
    assert state(other, fingerprint)["slug"] == "letter-unknown"


def test_a_member_changes_its_keys_with_the_old_one_or_with_the_root(authority: Authority, tmp_path: Path) -> None:
    old, new = home(tmp_path / "old"), home(tmp_path / "new")
    joined(old)
    assert post("joining/requests", letter(new))[1]["slug"] == "member-exists"
    assert post("joining/requests", letter(old))[1]["slug"] == "gateway-joined"
    before, after = homes.configuration_key(old), homes.configuration_key(new)

    def rotation(*by: Any) -> Rotation:
        return Rotation.make(member=XYZ, old=before, new=after, at=clock.now(), by=by)

    forged = rotation(homes.load(new).p256("configuration"))
    assert post("joining/requests", letter(new, rotation=forged))[1]["slug"] == "member-exists"
    authority.proves = True
    fingerprint = asked(new, rotation=forged)
    assert JoinRequest.objects.get(id=fingerprint).by_root
    JoinRequest.objects.filter(id=fingerprint).delete()
    authority.proves = False
    joined(new, rotation=rotation(homes.load(old).p256("configuration")))
    listed = Gateway.objects.get(id=f"{XYZ}/gw1").described
    assert listed["configuration_key"] == keys.public_jwk(after)


def test_a_second_gateway_joins_by_the_members_key_and_leaves_its_offer_alone(
    authority: Authority, tmp_path: Path
) -> None:
    first, second = home(tmp_path / "first"), tmp_path / "second"
    joined(first)
    signers = {"configuration": homes.load(first).p256("configuration")}
    offer = homes.sign_offer(first, member=XYZ, services=[], rights=[], version=5, now=clock.now())
    handed = letters.write(keeper.HAND_IN, {"offer": offer.as_json()}, signers, to=settings.ORIGIN, now=clock.now())
    assert post("offers", handed)[0] == 201
    keys.write_secret(second / "keys" / "configuration.key", (first / "keys" / "configuration.key").read_bytes())
    joined(home(second, "gw2"))
    assert set(Gateway.objects.values_list("id", flat=True)) >= {f"{XYZ}/gw1", f"{XYZ}/gw2"}
    assert SignedOffer.objects.get(member=XYZ).version == 5, "what both offer is signed by the first one afterwards"
    draft = letters.write(looking_after.DRAFT, {"member": XYZ}, signers, to=settings.ORIGIN, now=clock.now())
    assert set(post("offers/draft", draft)[1]["said"]["gateways"]) == {"gw1", "gw2"}


def test_a_refusal_comes_in_every_language_to_who_shows_it_to_people(authority: Authority, tmp_path: Path) -> None:
    body = json.dumps(letter(home(tmp_path / "xyz"), contact=Contact("", "", "")))
    for language, both in (("*", True), ("en", False)):
        answer = Client().post(
            "/api/exchange/v1/joining/requests",
            body,
            content_type="application/json",
            headers={"Accept-Language": language},
        )
        assert answer.status_code == 422
        told = answer.json()
        assert ("texts" in told) is both
        if both:
            assert told["texts"]["why"]["zh"] == "聯絡窗口缺少單位或電子郵件。"
            assert told["texts"]["todo"]["en"] == "Correct it and run the command again."


def test_a_certificate_is_renewed_for_its_own_key_only_and_not_after_a_revocation(
    authority: Authority, tmp_path: Path
) -> None:
    folder, other = home(tmp_path / "xyz"), home(tmp_path / "other")
    joined(folder)

    def order(at: Path) -> tuple[int, dict[str, Any]]:
        return post("certificates/orders", keeper.order(homes.load(at), to=settings.ORIGIN, now=clock.now()))

    assert order(other)[1]["slug"] == "letter-not-own"
    status, said = order(folder)
    assert status == 202
    joining.issue_waiting()
    ask = keeper.ask(homes.load(folder), said["order"], to=settings.ORIGIN, now=clock.now())
    assert post("certificates/state", ask)[1]["state"] == "issued"
    assert Certificate.objects.count() == 2
    officer = people.signed_in_officer("portal", "operator")
    officer.post("/exchange/certificates/revoke", {"gateway": f"{XYZ}/gw1", "reason": "keyCompromise"})
    assert Certificate.objects.exclude(revoked_at=None).count() == 2
    assert order(folder)[1]["slug"] == "gateway-revoked"
    assert joining.gateway_certificates()[0].state == "revoked"


def test_requests_lapse(authority: Authority, tmp_path: Path) -> None:
    fingerprint = asked(home(tmp_path / "xyz"))
    JoinRequest.objects.update(received_at=clock.now() - timedelta(days=8))
    joining.keep_joining()
    assert JoinRequest.objects.get(id=fingerprint).state == "expired"


def test_a_member_reads_what_it_offers_and_hands_in_its_signature(authority: Authority, tmp_path: Path) -> None:
    folder = home(tmp_path / "xyz")
    joined(folder)
    signers = {"configuration": homes.load(folder).p256("configuration")}
    letter = letters.write(looking_after.DRAFT, {"member": XYZ}, signers, to=settings.ORIGIN, now=clock.now())
    status, draft = post("offers/draft", letter)
    assert status == 200
    said = {name: draft["said"][name] for name in ("services", "rights", "gateways")}
    offer = homes.sign_offer(folder, member=XYZ, version=draft["version"], now=clock.now(), **said)
    body = {"offer": offer.as_json()}
    letter = letters.write(keeper.HAND_IN, body, signers, to=settings.ORIGIN, now=clock.now())
    status, taken = post("offers", letter)
    assert (status, taken["version"]) == (201, draft["version"])
    again = letters.write(keeper.HAND_IN, body, signers, to=settings.ORIGIN, now=clock.now())
    assert post("offers", again)[1]["slug"] == "letter-replayed"
