"""People sign in with what the state gave them: the card in a reader, and the certificate on the phone."""

from __future__ import annotations

import pytest

from smartgov.simulators.card.home import library
from tests.journeys import proving
from tests.journeys.browser import JourneyBrowser
from tests.journeys.people import Country
from tests.journeys.visiting import Visitor

needs_cards = pytest.mark.skipif(library() is None, reason="NOT RUN: softhsm2 is absent (bash scripts/system.sh hsm)")


@needs_cards
def test_a_card_says_whose_it_is_once_and_signs_in_ever_after(country: Country, browser: JourneyBrowser) -> None:
    mother = Visitor(browser, country, "mother", width="desk")
    proving.forget_card(mother)
    proving.to_the_card(mother)
    proving.type_pin(mother, pin="000000")
    assert "PIN 碼錯誤" in mother.page.locator("[role=alert]").inner_text()
    proving.type_pin(mother)
    proving.back_from_helper(mother)
    mother.look()
    proving.say_who(mother)
    mother.go("/identity/account")
    mother.see("IC 卡 · 首次使用")
    mother.look()
    again = Visitor(browser, country, "mother", language="en")
    proving.with_card(again, first=False)
    again.go("/identity/account")
    again.see("Citizen certificate card")


@needs_cards
def test_a_card_that_was_locked_says_so_and_where_to_go(country: Country, browser: JourneyBrowser) -> None:
    officer = Visitor(browser, country, "ris-officer", width="desk")
    proving.to_the_card(officer)
    for _ in range(3):
        proving.type_pin(officer, pin="999999")
    assert "卡片已鎖定" in officer.page.locator("main").inner_text()
    proving.back_from_helper(officer)
    officer.see("戶政事務所")
    officer.look(both=False)


def test_the_app_confirms_and_the_page_goes_on_by_itself(country: Country, browser: JourneyBrowser) -> None:
    father = Visitor(browser, country, "father")
    number = proving.to_the_app(father)
    father.look()
    proving.in_the_app(father, number, cancel=True)
    father.see("您已取消")
    number = proving.to_the_app(father)
    proving.in_the_app(father, number)
    proving.arrive(father)
    father.go("/identity/account")
    father.see("行動自然人憑證")


def test_a_code_and_a_link_open_the_app(country: Country, browser: JourneyBrowser) -> None:
    father = Visitor(browser, country, "father")
    proving.to_the_app(father, "code")
    father.look()
    with father.phone() as phone:
        phone.goto(father.page.locator("main a[target=_blank]").get_attribute("href") or "")
        phone.locator("a[href*='/phones/father/requests/']").click()
        phone.locator("form button:not(.quiet)").click()
        phone.locator("[role=status]").wait_for()
    proving.arrive(father)
    same = Visitor(browser, country, "father")
    proving.to_the_app(same, "app")
    same.press("main a.button[href*='verifySign']")
    same.page.locator("a[href*='/phones/father/requests/']").click()
    same.page.locator("form button:not(.quiet)").click()
    same.page.locator("a[href*='/identity/prove/']").click()
    proving.arrive(same)
