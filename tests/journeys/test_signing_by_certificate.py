"""The mother signs with her card and with TW FidO; others check it, and every wrong turn signs nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from smartgov.simulators.card.home import library
from tests.journeys import proving, signing
from tests.journeys.browser import JourneyBrowser
from tests.journeys.people import Country
from tests.journeys.visiting import PATIENCE, Visitor

needs_cards = pytest.mark.skipif(library() is None, reason="NOT RUN: softhsm2 is absent (bash scripts/system.sh hsm)")


def holds(pdf: bytes, folder: Path) -> None:
    """Poppler, which knows nothing of us, finds the signature good."""
    if shutil.which("pdfsig") is None:
        pytest.skip("NOT RUN: poppler-utils is absent")
    (folder / "signed.pdf").write_bytes(pdf)
    said = subprocess.run(["pdfsig", "-nocert", "signed.pdf"], cwd=folder, capture_output=True, text=True, check=False)
    assert "Signature is Valid" in said.stdout, said.stdout


def reported(browser: JourneyBrowser, country: Country, pdf: bytes, name: str) -> None:
    """Whoever is handed the file reads who signed, by whose certificate, when, and how long it holds."""
    stranger = Visitor(browser, country, "father")
    said = signing.check(stranger, "signed.pdf", pdf)
    for words in ("可信賴", name, "Synthetic Ministry of the Interior Certification Authority", "B-LT", "時戳"):
        assert words in said, words


@needs_cards
def test_she_signs_with_her_card(country: Country, browser: JourneyBrowser, tmp_path: Path) -> None:
    mother = Visitor(browser, country, "mother", width="desk")
    proving.to_the_card(mother)
    proving.type_pin(mother)
    proving.back_from_helper(mother)
    if mother.page.locator("input[name=national_id]").count():
        proving.say_who(mother)
    page = signing.lay(mother, signing.paper(tmp_path))
    mother.look()
    signing.choose(mother, "card")
    mother.look()
    mother.press("form[action$='/cancel'] button")
    assert mother.page.url == page
    signing.choose(mother, "card")
    waiting = mother.page.url
    signing.to_the_helper(mother)
    mother.press("button[name=cancel]")
    proving.back_from_helper(mother)
    mother.see("您已取消")
    mother.look(both=False)
    mother.press()
    signing.choose(mother, "card")
    signing.to_the_helper(mother)
    proving.type_pin(mother, pin="000000")
    assert "PIN 碼錯誤" in mother.page.locator("[role=alert]").inner_text()
    proving.type_pin(mother)
    proving.back_from_helper(mother)
    assert mother.page.url == page
    for words in ("PAdES B-LT", "自然人憑證 IC 卡"):
        mother.see(words)
    mother.look()
    mother.go(waiting)
    assert mother.page.url == page, "an old waiting page leads to the document"
    pdf = signing.home(mother)
    reported(browser, country, pdf, mother.facts["name"])
    holds(pdf, tmp_path)


def test_she_signs_with_tw_fido_and_a_second_tab_finds_it_signed(
    country: Country, browser: JourneyBrowser, tmp_path: Path
) -> None:
    mother = Visitor(browser, country, "mother")
    number = proving.to_the_app(mother)
    proving.in_the_app(mother, number)
    proving.arrive(mother)
    page = signing.lay(mother, signing.paper(tmp_path, "同意書"))
    other = mother.tab()
    number = signing.choose(mother, "twfido")
    mother.look()
    proving.in_the_app(mother, number, cancel=True)
    mother.see("您已取消")
    mother.press()
    number = signing.choose(mother, "twfido")
    mother.lose_session()
    proving.in_the_app(mother, number)
    mother.page.wait_for_url(lambda url: "/sign-in" in url, timeout=PATIENCE)
    mother.sign_in_again()
    mother.page.wait_for_url(page, timeout=PATIENCE)
    mother.see("PAdES B-LT")
    mother.see("行動自然人憑證")
    other.page.reload()
    other.see("PAdES B-LT")
    pdf = signing.home(mother)
    reported(browser, country, pdf, mother.facts["name"])
    holds(pdf, tmp_path)
