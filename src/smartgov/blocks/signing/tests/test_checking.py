"""What a file says that was altered after it was signed; and how often one may ask."""

from __future__ import annotations

import shutil
from datetime import timedelta
from hashlib import sha256

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from smartgov.blocks.signing import api
from smartgov.blocks.signing.models import Check
from smartgov.blocks.signing.tests import factories as make
from smartgov.engines.pki import signing as engine
from smartgov.engines.pki.tests import shadows
from smartgov.shared import clock

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: openssl is absent"),
]


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


def test_checking_is_limited_by_address(world, gateway):
    browser = Client()
    upload = {"file": SimpleUploadedFile("a.pdf", b"%PDF")}
    answers = [browser.post("/signing/check.json", {"file": SimpleUploadedFile("a", b"x")}).status_code for _ in "ab"]
    assert answers == [200, 200]
    Check.objects.update(count=60)
    assert browser.post("/signing/check", upload).status_code == 429
    with clock.travelling(delta=timedelta(minutes=16)):
        assert browser.post("/signing/check.json", {"file": SimpleUploadedFile("a", b"x")}).status_code == 200


def test_visitors_behind_our_own_proxy_are_counted_apart(world, gateway, monkeypatch):
    monkeypatch.setenv("SMARTGOV_CLIENT_ADDRESS_HEADER", "X-Forwarded-For")

    def check(address: str) -> int:
        upload = {"file": SimpleUploadedFile("a", b"x")}
        return Client().post("/signing/check.json", upload, headers={"X-Forwarded-For": address}).status_code

    assert check("1.160.0.1") == 200
    Check.objects.update(count=60)
    assert (check("1.160.0.1"), check("1.160.0.2")) == (429, 200)
