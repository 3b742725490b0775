"""A person gets a certificate, signs a document on her phone, and whoever is handed it can check it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from smartgov.engines.pki.tests.test_signing import altered
from tests.journeys import signing
from tests.journeys.browser import JourneyBrowser, assert_accessible
from tests.journeys.people import Country
from tests.journeys.visiting import Visitor


def test_she_signs_and_everybody_can_check(country: Country, browser: JourneyBrowser, tmp_path: Path) -> None:
    mother = Visitor(browser, country, "mother")
    mother.sign_in()
    signing.certificate(mother)
    pdf = signing.sign(mother, signing.paper(tmp_path))
    assert_accessible(mother.page)
    stranger = Visitor(browser, country, "father")
    said = signing.check(stranger, "signed.pdf", pdf)
    for words in ("可信賴", mother.facts["name"], "時戳", "同意"):
        assert words in said
    assert_accessible(stranger.page)
    assert "請勿採信此檔案" in signing.check(stranger, "signed.pdf", altered(pdf))
    assert "請勿採信此檔案" in signing.check(stranger, "signed.pdf", pdf.replace(b"ETSI.CAdES", b"ETSI.CAdEZ"))
    if shutil.which("pdfsig") is None:
        pytest.skip("NOT RUN: poppler-utils is absent")
    (tmp_path / "signed.pdf").write_bytes(pdf)
    found = subprocess.run(
        ["pdfsig", "-nocert", "signed.pdf"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "Signature is Valid" in found.stdout


def test_an_officer_suspends_a_certificate_and_nobody_signs_with_it(
    country: Country, browser: JourneyBrowser, tmp_path: Path
) -> None:
    father = Visitor(browser, country, "father")
    father.sign_in()
    signing.certificate(father)
    officer = Visitor(browser, country, "ris-officer", width="desk")
    officer.sign_in(seat="證書")
    officer.go("/signing/certificates/?state=active")
    officer.press(officer.page.locator("tbody a", has_text=father.facts["name"]))
    officer.press("button[value=suspend]")
    father.go("/signing/")
    father.see("暫時停用")
    own = father.page.locator("main li", has_text="手機上的簽章憑證")
    assert "目前沒有有效的憑證" in own.inner_text()
    officer.press("button[value=resume]")
    father.go("/signing/")
    assert "可使用" in own.inner_text()
