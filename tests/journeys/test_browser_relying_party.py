"""A reader at the city library: signs in with consent, steps up, is signed out from elsewhere; and agrees by phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.browser import JourneyBrowser, installed
from tests.journeys.people import Country
from tests.journeys.visiting import PATIENCE, Visitor, choose_number, scan

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not installed(), reason="no Chromium; `make test` installs Debian's"),
]


def test_a_reader_signs_in_steps_up_and_is_signed_out(browser: JourneyBrowser, country: Country) -> None:
    reader = Visitor(browser, country, "mother-premature")
    reader.go(f"{country.library}/")
    reader.press("main a[href='/sign-in']")
    reader.see("市立圖書館")
    number, address = reader.begin_with_code()
    with reader.phone() as phone:
        scan(phone, address, reader.key)
        choose_number(phone, number)
    reader.arrive()
    expect(reader.page.locator("main")).to_contain_text("您的姓名", timeout=PATIENCE)
    reader.look()
    reader.press("main button[name=answer][value=agree]")
    reader.page.wait_for_url(f"{country.library}/**")
    reader.see(reader.facts["name"])
    reader.see("urn:smartgov:acr:aal2")
    steps_up(reader)
    signed_out_elsewhere(reader)


def steps_up(reader: Visitor) -> None:
    """The library asks for a passkey: made in the account, then used."""
    device = reader.passkeys()
    reader.go("/identity/account/passkeys/new")
    reader.press("[data-passkey=register] button")
    assert device
    reader.go(f"{reader.country.library}/sign-in?passkey=1")
    reader.see("通行密鑰")
    reader.look()
    reader.press("main .actions a.button")
    with reader.page.expect_navigation(url=re.compile(re.escape(reader.country.library))):
        reader.page.locator("[data-passkey=sign-in] button").click()
    reader.see("phr")


def signed_out_elsewhere(reader: Visitor) -> None:
    """Signing out everywhere reaches the library by itself."""
    account = reader.tab()
    account.go("/openid/services")
    account.see("市立圖書館")
    account.look()
    account.go("/identity/account")
    account.press("form[action$='sign-out-everywhere'] button")
    reader.go(f"{reader.country.library}/")
    reader.wait_for(reader.page.locator("main a[href='/sign-in']"))
    reader.see("平臺通知登出")


def test_a_screen_at_the_library_is_agreed_to_on_the_phone(browser: JourneyBrowser, country: Country) -> None:
    holder = Visitor(browser, country, "father")
    holder.sign_in()
    screen = Visitor(browser, country, "father", width="desk")
    screen.go(f"{country.library}/sign-in")
    screen.press("section[aria-labelledby=way-other] a.button")
    number = screen.page.locator(".match-number").inner_text().strip()
    link = screen.page.locator("main a[target=_blank]").get_attribute("href")
    assert link
    holder.go(link)
    holder.look()
    holder.press(f"button[name=number][value='{number}']")
    holder.see("另一個畫面")
    screen.page.wait_for_url(f"{country.library}/**")
    screen.see(screen.facts["name"])
    screen.see("urn:smartgov:acr:aal2")
