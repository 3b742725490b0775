"""A person gets a certificate and signs; what was not shown, or came from elsewhere, is not signed."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import Http404
from django.test import Client

from smartgov.blocks.exchange import transport, vouching
from smartgov.blocks.exchange.tests.seals import SealHouse
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.signing import api
from smartgov.blocks.signing.models import Approval, BatchItem, Check, Document, OutsideAuthority, OutsideRevocation
from smartgov.blocks.signing.tests import factories as make
from smartgov.engines.pki import certificates, keys, revocation
from smartgov.engines.pki import signing as engine
from smartgov.engines.pki.authority import State
from smartgov.engines.pki.authority.authority import activation_text
from smartgov.engines.pki.tests import shadows
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent"),
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[make.World]:
    with make.world(tmp_path) as found:
        yield found


@pytest.fixture
def citizen(world: make.World):
    return make.a_citizen(world)


class Gateway(SealHouse):
    """An agency's gateway with a seal and those who vouch for it; `down` makes it silent."""

    def configuration(self, agency: str):
        gateway = {"log_key": "k", "log_origin": "o", "code": "1"}
        member = {"id": "TW/GOV/ris", "name": {"en": "a", "zh": "甲"}, "gateways": [gateway]}
        return {"members": [member], "services": [], "rights": []}, clock.now()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(tmp_path)
    with transport.replaced(made), vouching.replaced(made):  # type: ignore[arg-type]
        yield made


def refused(act) -> str:
    with pytest.raises(Problem) as caught:
        act()
    return caught.value.slug


def test_a_certificate_comes_by_way_of_the_phone_and_bears_the_persons_own_name(world, citizen):
    record = make.certified(world, citizen)
    assert record.state is State.ACTIVE
    assert record.common_name == "陳美玲"
    assert citizen.subject not in record.certificate
    assert record.holder != citizen.subject


def test_a_signed_document_holds_for_years_and_says_so(world, citizen, gateway):
    make.certified(world, citizen)
    pdf = make.signed(world, citizen)
    report = api.check(pdf)
    assert report.valid, report.problems
    one = report.signatures[0]
    assert (one.name, one.level, one.reason) == ("陳美玲", "B-LT", "同意")
    assert one.coverage == "evidence"


def test_what_was_not_opened_is_not_signed(world, citizen):
    make.certified(world, citizen)
    document = make.laid(citizen, opened=False)
    assert refused(lambda: api.begin_signature(actor=citizen, document_id=document)) == "document-not-shown"


def test_without_certificate_phone_or_strong_sign_in_nothing_is_begun(world, citizen):
    document = make.laid(citizen)
    assert refused(lambda: api.begin_signature(actor=citizen, document_id=document)) == "no-certificate"
    weak = replace(citizen, assurance=1)
    assert refused(lambda: api.begin_certificate(actor=weak)) == "assurance-too-low"
    assert refused(lambda: api.begin_certificate(actor=replace(citizen, acting_for="x"))) == "certificate-is-personal"
    stranger = replace(citizen, subject=people.a_person())
    assert refused(lambda: api.begin_certificate(actor=stranger)) == "no-phone"


def begun(citizen):
    document = make.laid(citizen)
    return document, api.begin_signature(actor=citizen, document_id=document)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://elsewhere.example"},
        {"nonce": "another"},
        {"number": "99"},
        {"text": {"en": "Win a prize", "zh": "抽獎"}},
        {"outcome": {"signature": "AAAA"}},
        {"outcome": {"signature": "!"}},
        {"outcome": {"other": "thing"}},
    ],
)
def test_an_approval_of_anything_else_signs_nothing(world, citizen, change):
    make.certified(world, citizen)
    document, approval = begun(citizen)
    world.phone.approve(**change)
    with pytest.raises(Problem):
        api.settle(actor=citizen, approval_id=approval)
    with pytest.raises(Http404):
        api.signed_document(actor=citizen, document_id=document)


def test_an_approval_of_another_document_signs_nothing(world, citizen):
    make.certified(world, citizen)
    _, approval = begun(citizen)
    task = dict(world.phone.latest.task)
    _, other = begun(citizen)
    world.phone.approve(task=task)
    assert refused(lambda: api.settle(actor=citizen, approval_id=other)) == "not-approved"
    assert approval != other


def test_the_phone_signs_no_document_but_the_one_it_shows(world, citizen):
    make.certified(world, citizen)
    _, approval = begun(citizen)
    assert approval
    task = dict(world.phone.latest.task)
    for wrong in ({"digest": "0" * 64}, {"to_sign": keys.b64url(b"transfer all")}, {"extra": "x"}):
        with pytest.raises(Problem) as caught:
            world.phone.ask(key_id="k", origin="o", nonce="n", number="11", text="t", task={**task, **wrong})
        assert caught.value.slug == "request-invalid"


def test_a_refusal_an_old_answer_and_a_second_use_sign_nothing(world, citizen):
    make.certified(world, citizen)
    _, approval = begun(citizen)
    assert not api.settle(actor=citizen, approval_id=approval)
    assert api.is_waiting(actor=citizen, approval_id=approval)
    world.phone.refuse()
    assert refused(lambda: api.settle(actor=citizen, approval_id=approval)) == "not-approved"
    _, late = begun(citizen)
    world.phone.approve()
    with clock.travelling(delta=timedelta(minutes=6)):
        assert refused(lambda: api.settle(actor=citizen, approval_id=late)) == "not-approved"
    _, once = begun(citizen)
    world.phone.approve()
    assert api.settle(actor=citizen, approval_id=once)
    assert refused(lambda: api.settle(actor=citizen, approval_id=once)) == "already-signed"


def test_a_suspended_certificate_signs_nothing(world, citizen):
    record = make.certified(world, citizen)
    officer = make.officer()
    api.act_on(actor=officer, record=record.id, step="suspend")
    assert refused(lambda: begun(citizen)) == "no-certificate"
    api.act_on(actor=officer, record=record.id, step="resume")
    assert begun(citizen)
    with pytest.raises(Http404):
        api.act_on(actor=make.officer("nhi"), record=record.id, step="suspend")
    steps = [row.step.en for row in api.trail(actor=officer, record=record.id)]
    assert steps == ["Asked for", "Identity proved", "Issued", "Activated", "Suspended", "Suspension ended"]


def test_revocation_counts_from_its_moment(world, citizen, gateway):
    record = make.certified(world, citizen)
    pdf = make.signed(world, citizen)
    with clock.travelling(delta=timedelta(minutes=5)):
        api.act_on(actor=make.officer(), record=record.id, step="revoke", reason="keyCompromise")
        assert api.check(pdf).valid, "the stamp shows that it was signed before"
        assert api.own_certificate(actor=citizen) is None


def test_without_stamps_nothing_is_signed(world, citizen):
    make.certified(world, citizen)
    document, approval = begun(citizen)
    world.clocktower.down = True
    world.phone.approve()
    assert refused(lambda: api.settle(actor=citizen, approval_id=approval)) == "stamp-missing"
    with pytest.raises(Http404):
        api.signed_document(actor=citizen, document_id=document)


def test_a_renewal_takes_the_place_of_the_old_when_it_is_activated(world, citizen):
    old = make.certified(world, citizen)
    approval = api.begin_certificate(actor=citizen)
    world.phone.approve()
    api.settle(actor=citizen, approval_id=approval)
    assert api.own_certificate(actor=citizen) == world.authority.get(old.id), "the old one until then"
    approval = api.begin_activation(actor=citizen)
    world.phone.approve()
    api.settle(actor=citizen, approval_id=approval)
    assert api.own_certificate(actor=citizen).renews == old.id
    assert world.authority.get(old.id).reason == "superseded"
    assert make.signed(world, citizen)


def test_a_certificate_is_extended_on_the_desk_in_its_last_days(world, citizen):
    record = make.certified(world, citizen)
    assert not api.may_extend(record)
    assert refused(lambda: api.extend(actor=citizen)) == "no-extension"
    with clock.travelling(to=record.not_after - timedelta(days=20)):
        browser = people.signed_in_citizen(citizen.subject)
        assert "展期" in browser.get("/signing/").content.decode()
        assert browser.post("/signing/extension").status_code == 302
        assert api.own_certificate(actor=citizen).is_extension


def test_documents_are_unreadable_at_rest_and_leave_after_thirty_days(world, citizen):
    make.certified(world, citizen)
    make.signed(world, citizen)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM signing_document")
        stored = " ".join(str(value) for value in cursor.fetchone())
        cursor.execute("SELECT * FROM signing_approval")
        stored += " ".join(str(value) for row in cursor.fetchall() for value in row)
    assert "委託書" not in stored
    assert "JVBER" not in stored
    assert Document.retire(clock.now() + timedelta(days=31)) == 1
    assert Approval.retire(clock.now() + timedelta(days=2)) == 3


def test_the_whole_way_in_a_browser(world, citizen, gateway):
    browser = people.signed_in_citizen(citizen.subject)
    page = browser.get("/signing/")
    assert "申請簽章憑證" in page.content.decode()
    for start in ("/signing/certificate", "/signing/activation"):
        waiting = browser.post(start)["Location"]
        assert browser.get(f"{waiting}/state").json() == {"waiting": True}
        assert browser.get(waiting).status_code == 200
        world.phone.approve()
        assert browser.get(waiting)["Location"] == "/signing/"
    document = browser.post("/signing/", {"file": SimpleUploadedFile("合約.pdf", make.a_pdf())})["Location"]
    assert browser.post(document, {"reason": "同意"}).status_code == 409
    shown = browser.get(f"{document}/file")
    assert shown.content.startswith(b"%PDF")
    assert "sandbox" in shown["Content-Security-Policy"]
    waiting = browser.post(document, {"reason": "同意"})["Location"]
    page = browser.get(waiting).content.decode()
    digest = world.phone.latest.task["digest"]
    assert f"{digest[:4]} {digest[4:8]}".upper() in page
    assert world.phone.latest.number in page
    world.phone.approve()
    assert browser.get(waiting)["Location"] == document
    pdf = browser.get(f"{document}/signed").content
    public = Client(headers={"accept-language": "en"})
    page = public.post("/signing/check", {"file": SimpleUploadedFile("a.pdf", pdf)}).content.decode()
    for words in ("Rely on it", "陳美玲", "同意", "stamped by Synthetic time stamps", "B-LT", "In force"):
        assert words in page, words
    found = public.post("/signing/check.json", {"file": SimpleUploadedFile("a.pdf", pdf)}).json()
    assert found["valid"]
    assert found["signatures"][0]["revocation"]["status"] == "good"
    refusal = public.post("/signing/check.json", {})
    assert (refusal.status_code, refusal["Content-Type"]) == (422, "application/problem+json")


def test_what_was_added_after_is_told_and_left_out(world, citizen, gateway):
    from smartgov.engines.pki.tests.test_signing import altered

    make.certified(world, citizen)
    document = make.laid(citizen)
    approval = api.begin_signature(actor=citizen, document_id=document)
    world.phone.approve()
    api.settle(actor=citizen, approval_id=approval)
    pdf = api.signed_document(actor=citizen, document_id=document)[1]
    changed = altered(pdf)
    browser = Client(headers={"accept-language": "en"})
    page = browser.post("/signing/check", {"file": SimpleUploadedFile("a.pdf", changed)}).content.decode()
    assert "Do not rely on this file" in page
    assert "Something was added after" in page
    got = browser.post("/signing/check", {"file": SimpleUploadedFile("a.pdf", changed), "part": "revision"})
    assert got["Content-Type"] == "application/pdf"
    assert pdf.startswith(got.content)
    assert engine.check_pdf(got.content, make.trust_of(world), at=clock.now()).signatures[0].coverage == "whole"


@pytest.mark.parametrize("attack", shadows.ATTACKS)
def test_an_update_of_a_signed_file_is_called_altered_on_page_and_api(world, citizen, gateway, attack):
    make.certified(world, citizen)
    pdf = make.signed(world, citizen)
    changed = shadows.ATTACKS[attack](pdf)
    browser = Client(headers={"accept-language": "en"})
    page = browser.post("/signing/check", {"file": SimpleUploadedFile("a.pdf", changed)}).content.decode()
    assert "Something was added after" in page
    said = browser.post("/signing/check.json", {"file": SimpleUploadedFile("a.pdf", changed)}).json()
    assert (said["valid"], said["altered_later"], said["problems"]) == (False, True, ["altered-later"])
    got = browser.post("/signing/check", {"file": SimpleUploadedFile("a.pdf", changed), "part": "revision"})
    assert sha256(got.content).hexdigest() == said["signed_sha256"]
    assert pdf.startswith(got.content)


def test_a_batch_is_sealed_stopped_and_resumed(world, gateway):
    officer = make.officer()
    files = [(f"{number}.pdf", make.a_pdf(f"公文 {number}")) for number in range(3)]
    batch = api.begin_batch(
        actor=officer, name="十一月", reason="核准", files=[*files, ("x.pdf", b"%PDF-1.7 broken"), ("a.csv", b"1,2")]
    )
    gateway.down = True
    api.seal_next()
    assert api.batch(actor=officer, batch_id=batch)[0].state == "stopped"
    gateway.down = False
    assert api.seal_next() == 0, "stopped is stopped"
    api.resume_batch(actor=officer, batch_id=batch)
    assert api.seal_next() == 5
    view, items = api.batch(actor=officer, batch_id=batch)
    assert (view.state, view.done, view.failed) == ("done", 4, 1)
    assert [one.state for one in items] == ["sealed", "sealed", "sealed", "failed", "sealed"]
    name, beside = api.sealed_document(actor=officer, batch_id=batch, number=5)
    assert name == "a.csv.p7s"
    assert api.check_data(b"1,2", beside).valid
    assert not api.check_data(b"1,3", beside).valid
    report = api.check(api.sealed_document(actor=officer, batch_id=batch, number=2)[1])
    assert report.valid, report.problems
    assert (report.signatures[0].name, report.signatures[0].level) == ("戶政司", "B-LT")
    assert report.signatures[0].revocation.status == "good"
    with pytest.raises(Http404):
        api.batch(actor=make.officer("nhi"), batch_id=batch)
    assert BatchItem.retire(clock.now() + timedelta(days=31)) == 5


def test_an_officer_sees_a_batch_move_and_certificates(world, citizen, gateway):
    record = make.certified(world, citizen)
    browser = people.signed_in_officer("ris", "credential_manager")
    posted = {"name": "批次", "files": [SimpleUploadedFile("a.pdf", make.a_pdf())]}
    address = browser.post("/signing/batches/", posted)["Location"]
    assert "http-equiv" in browser.get(address).content.decode()
    assert browser.post(address, {"do": "stop"}).status_code == 302
    assert "已暫停" in browser.get(address).content.decode()
    browser.post(address, {"do": "resume"})
    assert api.seal_next() == 1
    assert "已完成" in browser.get(address).content.decode()
    assert browser.get(f"{address}/1").content.startswith(b"%PDF")
    assert browser.post("/signing/batches/", {"name": "x"}).status_code == 422
    assert "陳美玲" in browser.get("/signing/certificates/?state=active").content.decode()
    page = f"/signing/certificates/{record.id}"
    assert browser.post(page, {"step": "revoke", "reason": "because"}).status_code == 422
    assert browser.post(page, {"step": "revoke", "reason": "superseded"}).status_code == 302
    assert "已廢止" in browser.get(page).content.decode()
    assert people.signed_in_officer("nhi", "credential_manager").get(page).status_code == 404


def test_an_outside_authoritys_list_is_taken_in_and_asked(world, gateway, tmp_path):
    outside = certificates.CertificateAuthority.create(tmp_path / "outside", "Elsewhere")
    key = keys.generate_p256()
    certificate = outside.issue(key.public_key(), common_name="王小明", organisation="Elsewhere", usage="mobile")
    signed = engine.sign(
        make.a_pdf(),
        signer=lambda data: keys.sign_der(key, data),
        certificate=certificate,
        chain=[outside.certificate],
        reason="x",
    )
    assert api.check(signed).problems == ("signer-not-trusted",)
    (tmp_path / "ca.pem").write_bytes(certificates.pem(outside.certificate))
    (tmp_path / "one.crl").write_bytes(outside.crl(range(10, 6010)))
    old = (tmp_path / "one.crl").read_bytes()
    files = {"authority": tmp_path / "ca.pem", "list": tmp_path / "one.crl"}
    with pytest.raises(CommandError, match="digest"):
        call_command("take_in_crl", digest="0" * 64, **files)
    call_command("take_in_crl", digest=sha256(old).hexdigest(), **files)
    report = api.check(signed)
    assert report.valid, report.problems
    assert report.signatures[0].revocation.source.startswith("crl ")
    outside.revoke(certificate.serial_number, "keyCompromise")
    (tmp_path / "one.crl").write_bytes(outside.crl())
    call_command("take_in_crl", **files)
    assert api.check(signed).problems == ("certificate-revoked",)
    (tmp_path / "one.crl").write_bytes(old)
    with pytest.raises(CommandError, match="newer"):
        call_command("take_in_crl", **files)
    with clock.travelling(delta=timedelta(days=2)):
        world.authority.crl()
        assert "certificate-revoked" in api.check(signed).problems


def test_a_delta_list_is_laid_on_its_base_and_on_nothing_else(world, gateway, tmp_path):
    elsewhere = certificates.CertificateAuthority.create(tmp_path / "outside", "Elsewhere")
    (tmp_path / "ca.pem").write_bytes(certificates.pem(elsewhere.certificate))
    now = clock.now()

    def take_in(number, rows, **more):
        made = {"key": elsewhere.key, "authority": elsewhere.certificate, "life": timedelta(days=1)}
        at = now + timedelta(minutes=number)
        listed = [revocation.Revocation(serial, now, reason) for serial, reason in rows.items()]
        der = revocation.build(number=number, revoked=listed, made_at=at, **made, **more)
        (tmp_path / "list").write_bytes(der)
        call_command("take_in_crl", authority=tmp_path / "ca.pem", list=tmp_path / "list")
        return der

    def known():
        return dict(OutsideRevocation.objects.values_list("serial", "reason"))

    with pytest.raises(CommandError, match="complete list"):
        take_in(2, {5: "superseded"}, base=1)
    assert not OutsideAuthority.objects.exists()
    take_in(1, {5: revocation.HOLD, 6: revocation.HOLD, 7: "superseded"})
    der = take_in(2, {5: "keyCompromise", 8: "superseded"}, base=1, gone=[6])
    assert known() == {"5": "keyCompromise", "7": "superseded", "8": "superseded"}
    assert OutsideAuthority.objects.get().number == "2"
    with pytest.raises(CommandError, match="newer"):
        take_in(2, {}, base=1, gone=[5])
    with pytest.raises(CommandError, match="starts from list 9"):
        take_in(10, {}, base=9)
    assert len(known()) == 3
    assert "5" in known()
    with pytest.raises(Problem, match="crl-refused"):
        api.take_in_at_desk(actor=make.officer(), crl=der)


def test_checking_is_limited_by_address(world, gateway):
    browser = Client()
    upload = {"file": SimpleUploadedFile("a.pdf", b"%PDF")}
    answers = [browser.post("/signing/check.json", {"file": SimpleUploadedFile("a", b"x")}).status_code for _ in "ab"]
    assert answers == [200, 200]
    Check.objects.update(count=60)
    assert browser.post("/signing/check", upload).status_code == 429
    with clock.travelling(delta=timedelta(minutes=16)):
        assert browser.post("/signing/check.json", {"file": SimpleUploadedFile("a", b"x")}).status_code == 200


def test_a_seal_is_certified_at_the_counter_by_two_officers(world):
    key = keys.generate_p256()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    csr = request.public_bytes(serialization.Encoding.PEM)
    first, second = (people.signed_in_officer("ris", "credential_manager") for _ in "ab")
    form = {"profile": "seal", "common_name": "戶政司電子印章", "organisation": "戶政司", "reference": "115-0042"}
    assert first.post("/signing/certificates/", form).status_code == 422
    page = first.post("/signing/certificates/", {**form, "csr": SimpleUploadedFile("a.csr", csr)})["Location"]
    assert "115-0042" in first.get(page).content.decode()
    assert first.post(page, {"step": "issue"}).status_code == 403, "whoever proved does not issue"
    assert second.post(page, {"step": "issue"}).status_code == 302
    record = world.seals.get(page.rsplit("/", 1)[-1])
    text = activation_text(record)
    shown = unescape(second.get(page).content.decode())
    assert text.decode() in shown
    for wrong in ("", "!!", base64.b64encode(b"x" * 70).decode()):
        assert second.post(page, {"step": "activate", "signature": wrong}).status_code in {403, 422}
    signature = base64.b64encode(keys.sign_der(key, text)).decode()  # as openssl dgst -sha256 -sign gives it
    assert second.post(page, {"step": "activate", "signature": signature}).status_code == 302
    assert world.seals.get(record.id).state is State.ACTIVE
