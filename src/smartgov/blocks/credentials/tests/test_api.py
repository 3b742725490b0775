"""Issued once, whole, by the agency's seal; checkable by everybody, fetched by the holder only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import Http404
from django.test import Client

from smartgov.blocks.credentials import api
from smartgov.blocks.credentials.domain import seal_mark
from smartgov.blocks.credentials.models import Certificate, Lookup
from smartgov.blocks.credentials.tests import factories as make
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.ops import api as ops
from smartgov.engines.pki.tests import shadows
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[make.SealingGateway]:
    with make.gateway(tmp_path) as sealing:
        yield sealing


def document(credential: api.Credential) -> bytes:
    return api.document(agency="ris", credential_id=credential.id, national_id=make.HOLDER)


def test_a_certificate_is_a_sealed_pdf_a_that_checks_as_genuine(gateway: make.SealingGateway) -> None:
    pdf = document(make.issued())
    assert re.search(rb"pdfaid:part[^0-9]*3", pdf)
    verdict = api.verify_upload(pdf)
    assert verdict.genuine, verdict.problems
    assert verdict.signer == "內政部戶政司"
    assert verdict.record is not None
    assert verdict.record.holder == "陳○玲"


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_a_changed_file_is_told_apart(gateway: make.SealingGateway, place: float) -> None:
    pdf = bytearray(document(make.issued()))
    pdf[int(len(pdf) * place)] ^= 1
    verdict = api.verify_upload(bytes(pdf))
    assert not verdict.genuine
    assert verdict.problems


def test_something_added_after_the_seal_is_told(gateway: make.SealingGateway) -> None:
    assert not api.verify_upload(document(make.issued()) + b"\n% more").genuine
    assert not api.verify_upload(b"not a pdf").genuine


@pytest.mark.parametrize("attack", shadows.ATTACKS)
def test_what_was_added_to_an_issued_file_is_called_altered_and_left_out(
    gateway: make.SealingGateway, attack: str
) -> None:
    pdf = document(make.issued())
    changed = shadows.ATTACKS[attack](pdf)
    verdict = api.verify_upload(changed)
    assert (verdict.genuine, verdict.altered_later, verdict.issued) == (False, True, pdf)
    assert "altered-later" in verdict.keys
    assert "not-issued-here" not in verdict.keys
    assert verdict.facts == ()
    browser = Client(headers={"accept-language": "en"})
    page = browser.post("/credentials/check", {"file": SimpleUploadedFile("a.pdf", changed)}).content.decode()
    assert "Do not rely on this file" in page
    assert "somebody added to it later" in page
    got = browser.post("/credentials/check", {"file": SimpleUploadedFile("a.pdf", changed), "part": "issued"})
    assert got.content == pdf
    assert "sandbox" in got["Content-Security-Policy"]
    said = browser.post("/credentials/check.json", {"file": SimpleUploadedFile("a.pdf", changed)}).json()
    assert (said["genuine"], said["altered_later"]) == (False, True)
    assert said["issued_sha256"] == sha256(pdf).hexdigest()


def test_programs_are_told_what_pages_say(gateway: make.SealingGateway) -> None:
    pdf = document(make.issued())
    browser = Client()
    said = browser.post("/credentials/check.json", {"file": SimpleUploadedFile("a.pdf", pdf)}).json()
    assert said["genuine"], said
    assert (said["problems"], said["altered_later"], said["record"]["status"]) == ([], False, "valid")
    assert "陳" not in str(said), "no more than the page says, and less"
    foreign = browser.post("/credentials/check.json", {"file": SimpleUploadedFile("a.pdf", b"%PDF %%EOF")}).json()
    assert "not-issued-here" in foreign["problems"]
    got = browser.post("/credentials/check", {"file": SimpleUploadedFile("a.pdf", b"%PDF"), "part": "issued"})
    assert "text/html" in got["Content-Type"], "there is nothing that was issued"
    nothing = browser.post("/credentials/check.json", {})
    assert (nothing.status_code, nothing["Content-Type"]) == (422, "application/problem+json")


def test_a_case_gets_one_certificate_even_when_the_gateway_was_down(gateway: make.SealingGateway) -> None:
    gateway.down = True
    with pytest.raises(Problem):
        make.issued(case="c1")
    with pytest.raises(Http404):
        api.verify(Certificate.objects.get().code)
    gateway.down = False
    first = make.issued(case="c1")
    assert make.issued(case="c1") == first
    assert Certificate.objects.count() == 1


def test_only_the_holder_fetches_it_and_only_from_its_agency(gateway: make.SealingGateway) -> None:
    credential = make.issued()
    for agency, number in (("ris", national_id.make(999, 2)), ("nhi", make.HOLDER)):
        with pytest.raises(Http404):
            api.document(agency=agency, credential_id=credential.id, national_id=number)


def test_nothing_of_the_holder_is_readable_at_rest(gateway: make.SealingGateway) -> None:
    make.issued()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM credentials_certificate")
        stored = " ".join(str(value) for value in cursor.fetchone())
    assert make.HOLDER not in stored
    assert "陳美玲" not in stored
    assert "JVBER" not in stored, "the base64 of %PDF"


def test_the_mark_binds_code_and_text() -> None:
    data = {"number": "1", "child_name": "林安安"}
    assert seal_mark(data, "s") == seal_mark(dict(data), "s")
    assert seal_mark({**data, "child_name": "林平平"}, "s") != seal_mark(data, "s")
    assert seal_mark(data, "t") != seal_mark(data, "s")


def test_a_revoked_certificate_says_so_on_its_page_and_for_its_file(gateway: make.SealingGateway) -> None:
    credential = make.issued()
    pdf = document(credential)
    with pytest.raises(Http404):
        api.revoke(actor=make.officer("nhi"), credential_id=credential.id, reason="error")
    with pytest.raises(Problem):
        api.revoke(actor=make.officer(), credential_id=credential.id, reason="because I can")
    api.revoke(actor=make.officer(), credential_id=credential.id, reason="error")
    assert api.verify(credential.code).status == "revoked"
    assert not api.verify_upload(pdf).genuine
    with pytest.raises(Problem):
        api.revoke(actor=make.officer(), credential_id=credential.id, reason="error")


def test_the_public_page_shows_no_more_than_it_must(gateway: make.SealingGateway) -> None:
    credential = make.issued()
    page = Client().get(f"/credentials/verify/{credential.code}")
    text = page.content.decode()
    assert page.status_code == 200
    assert "陳○玲" in text
    assert credential.number in text
    for secret in (make.HOLDER, "陳美玲", "林安安", "和平路", "林志明"):
        assert secret not in text
    assert Client().get("/credentials/verify/AAAAAAAAAAAAAAAA").status_code == 404


def test_guessing_codes_is_slowed_down() -> None:
    browser = Client()
    for _ in range(60):
        browser.get("/credentials/verify/AAAAAAAAAAAAAAAA")
    assert browser.get("/credentials/verify/AAAAAAAAAAAAAAAA").status_code == 429
    with clock.travelling(delta=timedelta(minutes=16)):
        assert browser.get("/credentials/verify/AAAAAAAAAAAAAAAA").status_code == 404


def test_visitors_behind_our_own_proxy_are_slowed_down_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTGOV_CLIENT_ADDRESS_HEADER", "X-Forwarded-For")

    def look_up(address: str) -> int:
        found = Client().get("/credentials/verify/AAAAAAAAAAAAAAAA", headers={"X-Forwarded-For": address})
        return found.status_code

    assert look_up("1.160.0.1") == 404
    Lookup.objects.update(count=60)
    assert (look_up("1.160.0.1"), look_up("1.160.0.2")) == (429, 404)


def test_a_file_is_checked_on_the_public_page(gateway: make.SealingGateway) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    pdf = document(make.issued())
    browser = Client(headers={"accept-language": "en"})
    good = browser.post("/credentials/check", {"file": SimpleUploadedFile("c.pdf", pdf)})
    assert "Genuine" in good.content.decode()
    bad = browser.post("/credentials/check", {"file": SimpleUploadedFile("c.pdf", pdf + b" ")})
    assert "Do not rely on this file" in bad.content.decode()
    assert browser.post("/credentials/check", {}).status_code == 422


def test_an_officer_revokes_on_the_page_and_another_agencys_finds_nothing(gateway: make.SealingGateway) -> None:
    credential = make.issued()
    own = people.signed_in_officer("ris", "credential_manager")
    other = people.signed_in_officer("nhi", "credential_manager")
    address = f"/credentials/manage/{credential.code}"
    assert other.get(address).status_code == 404
    assert other.post(address, {"reason": "error"}).status_code == 404
    assert credential.number in own.get("/credentials/").content.decode()
    assert own.post(address, {}).status_code == 422
    assert own.post(address, {"reason": "replaced"}).status_code == 302
    assert api.verify(credential.code).status == "revoked"


def test_retirement_blanks_the_holder_and_keeps_the_status(gateway: make.SealingGateway) -> None:
    credential = make.issued()
    assert ops.retire(Certificate, clock.now() + timedelta(days=365 * 4)) == 1
    row = Certificate.objects.get(id=credential.id)
    assert (row.holder, row.holder_index, row.holder_name, row.document) == ("", "", "", "")
    assert api.verify(credential.code).status == "valid"
