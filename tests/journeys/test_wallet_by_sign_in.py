"""On a phone: a certificate comes into the wallet by sign-in and is shown to an agency; an altered one is called so."""

from __future__ import annotations

from smartgov.engines.pki.tests.test_signing import altered
from tests.journeys import birth, wallet
from tests.journeys.browser import JourneyBrowser, assert_accessible
from tests.journeys.people import Country
from tests.journeys.visiting import Visitor


def test_into_the_wallet_by_sign_in_and_out_to_an_agency(
    handed: birth.Handed, country: Country, browser: JourneyBrowser
) -> None:
    mother = Visitor(browser, country, handed.mother.key)
    mother.sign_in()
    assert "每份僅出示一次" in wallet.take_by_sign_in(mother)
    mother.go(f"{country.wallets}/wallets/{mother.key}")
    assert "尚有 10 份未使用" in mother.page.locator("main").inner_text()
    officer = Visitor(browser, country, "nhi-officer", width="desk")
    officer.sign_in(seat="承辦")
    address = wallet.ask(officer, "子女姓名", "出生日期")
    wallet.scan(mother, address)
    seen = wallet.show(mother)
    for words in ("中央健康保險署", "辦理新生兒加保", "小安"):
        assert words in seen
    assert mother.facts["name"] not in seen, "it was not asked for"
    officer.see("小安")
    officer.look()
    mother.go(f"{country.wallets}/wallets/{mother.key}")
    assert "尚有 9 份未使用" in mother.page.locator("main").inner_text()


def test_who_refuses_shows_nothing_and_another_wallet_has_nothing(
    handed: birth.Handed, country: Country, browser: JourneyBrowser
) -> None:
    officer = Visitor(browser, country, "nhi-officer", width="desk")
    officer.sign_in(seat="承辦")
    address = wallet.ask(officer, "子女姓名")
    father = Visitor(browser, country, "father")
    wallet.scan(father, address)
    assert "沒有尚未使用" in father.page.locator("main").inner_text()
    wallet.scan(father, address)
    father.go("/credentials/verifiers")
    father.look()
    assert "出生登記證明書" in father.page.locator("main").inner_text()


def test_an_altered_certificate_is_called_altered(
    handed: birth.Handed, country: Country, browser: JourneyBrowser
) -> None:
    link = handed.mother.get(handed.url).link("/services/certificates/")
    pdf = handed.mother.get(link).body
    stranger = Visitor(browser, country, "father")
    for content, words in ((pdf, "查驗無誤"), (altered(pdf), "請勿採信此檔案")):
        stranger.go("/credentials/check")
        upload = {"name": "certificate.pdf", "mimeType": "application/pdf", "buffer": content}
        stranger.page.locator("input[name=file]").set_input_files(files=[upload])  # type: ignore[list-item]
        stranger.press()
        stranger.see(words)
        assert_accessible(stranger.page)
    said = stranger.page.locator("main").inner_text()
    assert "蓋章後另有附加內容" in said
    assert "小安" not in said, "what an altered file says is not shown"
