"""A PDF signed with a card and with TW FidO, checked by us and by poppler; and every way in which nothing is signed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typst
from django.test import Client

from smartgov.blocks.identity.means import connected, papers, standing
from smartgov.blocks.identity.ports import Paper
from smartgov.blocks.identity.tests import outside
from smartgov.blocks.identity.tests.factories import a_person
from smartgov.blocks.identity.tests.outside import Outside
from smartgov.blocks.identity.tests.test_proving_process import Silent
from smartgov.engines.pki import signing
from smartgov.engines.pki.signing import Prepared
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id
from smartgov.simulators.moica import home as ministry

pytestmark = [pytest.mark.enable_socket, pytest.mark.process, pytest.mark.django_db]
IDS = {"mother": national_id.make(920_001, 2), "father": national_id.make(920_002, 1)}
PDF = bytes(typst.compile('#set text(lang: "zh")\n= 委託書\nSynthetic.'.encode(), format="pdf"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside.running(tmp_path_factory.mktemp("papers"), IDS) as found:
        yield found


@pytest.fixture(params=["card", "twfido"])
def signer(
    request: pytest.FixtureRequest, running: Outside, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> tuple[str, str, Outside]:
    """A person who has signed in once with the means: her subject, the means, the programs."""
    outside.met(running, monkeypatch, settings)
    subject, browser = a_person("林美玲", nid=IDS["mother"]), Client()
    outside.first_sign_in(browser, running, request.param, IDS["mother"])
    return subject, str(request.param), running


def begin(browser: Client) -> str:
    form = {"id_num": IDS["mother"], "way": "push"}
    return browser.post("/identity/prove/with/twfido", form).headers["Location"]


def laid_out(subject: str, means: str) -> tuple[Prepared, papers.SigningCertificate]:
    found = papers.ways(subject)[means]
    return signing.prepare(PDF, certificate=found.certificate, chain=[found.issuer], reason="同意"), found


def paper_of(prepared: Prepared) -> Paper:
    return Paper("委託書.pdf", prepared.digest, prepared.to_sign)


def act(begun: papers.Begun, programs: Outside, persona: str = "mother") -> bytes:
    """The person compares and agrees."""
    if begun.means == "twfido":
        outside.on_phone(programs, persona)
        return b""
    return outside.with_card(begun.opened.form_to, begun.opened.form_request, persona).encode()


def test_a_document_is_signed_and_others_can_check_it(signer: tuple[str, str, Outside], tmp_path: Path) -> None:
    subject, means, programs = signer
    prepared, found = laid_out(subject, means)
    begun = papers.begin(subject=subject, means=means, paper=paper_of(prepared), back=f"{outside.ORIGIN}/back")
    assert papers.settle(begun) is None
    signature = papers.settle(begun, act(begun, programs))
    assert signature is not None
    signed = signing.finish(prepared, signature, certificate=found.certificate, chain=[found.issuer])
    crl = ministry.crl(programs.home / "moica")
    trust = signing.Trust((found.issuer,), crls=(crl,))
    report = signing.check_pdf(signed, trust, at=clock.now())
    assert report.valid, report.problems
    assert report.signatures[0].name == "林美玲"
    assert "RSA" in report.signatures[0].algorithm.upper()
    if shutil.which("pdfsig") is None:
        pytest.skip("NOT RUN: poppler-utils is absent")
    (tmp_path / "signed.pdf").write_bytes(signed)
    said = subprocess.run(
        ["pdfsig", "-nocert", "signed.pdf"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "Signature is Valid" in said.stdout


def test_nothing_is_signed_while_nobody_can_say_whether_the_certificate_is_good(
    signer: tuple[str, str, Outside],
) -> None:
    subject, means, programs = signer
    prepared, _ = laid_out(subject, means)
    paper = paper_of(prepared)
    silent = Silent(connected.current().certifier, crl=False)
    standing.forget()
    with connected.replaced(certifier=silent), pytest.raises(Problem, match="certificate-standing-unknown"):
        papers.begin(subject=subject, means=means, paper=paper)
    begun = papers.begin(subject=subject, means=means, paper=paper, back=f"{outside.ORIGIN}/back")
    delivered = act(begun, programs)
    standing.forget()
    with connected.replaced(certifier=silent), pytest.raises(Problem, match="certificate-standing-unknown"):
        papers.settle(begun, delivered)


def test_a_revoked_certificate_signs_nothing(signer: tuple[str, str, Outside]) -> None:
    subject, means, programs = signer
    prepared, found = laid_out(subject, means)
    begun = papers.begin(subject=subject, means=means, paper=paper_of(prepared), back=f"{outside.ORIGIN}/back")
    delivered = act(begun, programs)
    moica = programs.home / "moica"
    before = (moica / "issued.json").read_bytes()
    ministry.revoke(moica, str(found.certificate.serial_number))
    try:
        with pytest.raises(Problem, match="certificate-revoked"):
            papers.settle(begun, delivered)
    finally:
        (moica / "issued.json").write_bytes(before)


def test_a_signature_over_another_paper_is_none(signer: tuple[str, str, Outside]) -> None:
    subject, means, programs = signer
    first, _ = laid_out(subject, means)
    begun = papers.begin(subject=subject, means=means, paper=paper_of(first), back=f"{outside.ORIGIN}/back")
    delivered = act(begun, programs)
    other = paper_of(Prepared(first.document, first.to_sign + b"x", first.digest, 0, 0))
    moved = papers.Begun(begun.subject, begun.means, begun.number, begun.opened, other, begun.until)
    with pytest.raises(Problem, match="sign-in-refused"):
        papers.settle(moved, delivered)


def test_the_helper_signs_only_what_it_shows(signer: tuple[str, str, Outside]) -> None:
    subject, means, _ = signer
    if means != "card":
        pytest.skip("the card's helper alone can look into what is to be signed")
    prepared, _ = laid_out(subject, means)
    lie = Paper("委託書.pdf", "0" * 64, prepared.to_sign)
    begun = papers.begin(subject=subject, means=means, paper=lie, back=f"{outside.ORIGIN}/back")
    said = outside.post(begun.opened.form_to, {"request": begun.opened.form_request}, {"origin": outside.ORIGIN})
    assert "請求不完整" in said
    assert 'name="pin"' not in said
    another = a_person("陳志明", nid=IDS["father"])
    with pytest.raises(Problem, match="sign-in-refused"):
        papers.begin(subject=another, means=means, paper=paper_of(prepared))
