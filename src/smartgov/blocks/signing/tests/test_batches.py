"""Documents that an agency seals one after the other, and the seal's own certificate."""

from __future__ import annotations

import base64
import shutil
from datetime import timedelta
from html import unescape

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404

from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.ops import api as ops
from smartgov.blocks.signing import api
from smartgov.blocks.signing.models import BatchItem
from smartgov.blocks.signing.tests import factories as make
from smartgov.engines.pki import keys
from smartgov.engines.pki.authority import State
from smartgov.engines.pki.authority.authority import activation_text
from smartgov.shared import clock

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent"),
]


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
    assert ops.retire(BatchItem, clock.now() + timedelta(days=31)) == 5


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
