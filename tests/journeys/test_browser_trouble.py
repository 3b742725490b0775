"""What goes wrong at a real browser, and what the pages make of it: nothing lost, nothing twice, always a way on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys import applying, birth
from tests.journeys.browser import JourneyBrowser, assert_accessible, installed
from tests.journeys.people import Country
from tests.journeys.visiting import Visitor, choose_number, scan

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not installed(), reason="no Chromium; `make test` installs Debian's"),
]


# -- signing in -------------------------------------------------------------------------------------------------------


def test_a_code_signs_one_browser_in_once(browser: JourneyBrowser, country: Country) -> None:
    auditor = Visitor(browser, country, "auditor", language="en")
    auditor.go("/identity/sign-in")
    number, address = auditor.begin_with_code()
    waiting = auditor.page.url
    stranger = Visitor(browser, country, "father", language="en")
    stranger.go(waiting)
    expect(stranger.page.locator(".match-number")).to_have_count(0)
    with auditor.phone() as phone:
        scan(phone, address, "auditor")
        choose_number(phone, number)
    auditor.arrive()
    auditor.look()  # which seat
    auditor.sign_out()
    auditor.go(waiting)
    assert auditor.page.locator(".who-name").count() == 0
    auditor.see("not found")


def test_a_used_approval_is_refused(browser: JourneyBrowser, country: Country) -> None:
    operator = Visitor(browser, country, "operator", language="en")
    operator.go("/identity/sign-in")
    number, address = operator.begin_with_code()
    with operator.phone() as phone, operator.phone() as twin:
        scan(phone, address, "operator")
        twin.goto(phone.url)
        choose_number(phone, number)
        operator.arrive()
        with twin.expect_navigation() as again:
            twin.locator(f"button[name=number][value='{number}']").click()
        assert again.value.status == 409
        assert_accessible(twin)
        with phone.expect_navigation() as scanned:
            phone.goto(address)
        assert scanned.value.status == 409
        assert_accessible(phone)


def test_a_wrong_number_signs_nobody_in(browser: JourneyBrowser, country: Country) -> None:
    father = Visitor(browser, country, "father", language="en")
    number = father.send_push()
    with father.phone() as phone:
        phone.goto(f"{country.phones}/phones/father")
        phone.locator("a[href*='/requests/']").first.click()  # the newest
        phone.locator(f"button[name=number]:not([value='{number}'])").first.click()
        phone.locator("[role=status]").wait_for()
    father.see("Start again and compare the number on both screens.")
    father.look()
    father.press()
    father.see("With your mobile identity")


def test_an_unknown_person_learns_nothing(browser: JourneyBrowser, country: Country) -> None:
    nobody = Visitor(browser, country, "father", language="en")
    nobody.facts = {**nobody.facts, "national_id": "A199999999"}
    nobody.send_push()
    nobody.see("If this person has a mobile identity, the request is on their phone now.")


# -- the hospital's form ----------------------------------------------------------------------------------------------


def test_a_wrong_birth_date_leads_to_its_field(browser: JourneyBrowser, country: Country) -> None:
    registrar = Visitor(browser, country, "registrar", width="desk", language="en")
    registrar.sign_in(seat="ospital")
    registrar.go("/cases/births/")
    registrar.look()
    registrar.go("/cases/births/new")
    registrar.look()
    page = registrar.page
    page.locator("input[name=mother_id]").fill("A200021003")
    for part, value in {"y": "115", "m": "2", "d": "30"}.items():
        page.locator(f"input[name=born_on_{part}]").fill(value)
    registrar.press()
    assert "error-summary" in registrar.focused()
    for field, name in {"mother_id": "mother_id", "born_on": "born_on_y"}.items():
        page.locator(f".error-summary a[href='#f-{field}']").click()
        assert registrar.focused() == name
        assert page.locator(f"input[name={name}]").get_attribute("aria-invalid") == "true"
    assert page.locator("input[name=born_on_d]").input_value() == "30"
    registrar.look(both=False)


# -- an application on a bad day --------------------------------------------------------------------------------------


def test_an_application_on_a_bad_day_is_handed_in_once(browser: JourneyBrowser, country: Country) -> None:
    mother = Visitor(browser, country, "mother-premature", language="en")
    mother.sign_in()
    applying.start(mother)
    applying.fill_in(mother, until="surname")
    post_out_of_order(mother)
    save_in_two_tabs(mother)
    go_back_and_change(mother)
    lose_the_session(mother)
    applying.fill_in(mother, until="account")
    mistype_the_account(mother)
    applying.fill_in(mother, until=applying.LAST)
    mother.see("安安")
    hand_in_twice(mother)
    finish(country, mother)


def post_out_of_order(mother: Visitor) -> None:
    """Whoever jumps ahead, by address or by a form, is led back to the first open question and told why."""
    ahead = mother.page.url.replace("/pages/surname", "/pages/contact")
    mother.go(ahead)
    assert mother.station == "surname"
    mother.see("That page comes later.")
    mother.look()
    applying.answer(mother)
    mother.page.locator("main form").evaluate("(form, address) => { form.action = address; }", ahead)
    mother.press()
    assert mother.station == "surname"
    mother.see("That page comes later.")


def save_in_two_tabs(mother: Visitor) -> None:
    """The second tab's save overwrites nothing: both answers are shown, and she chooses."""
    second = mother.tab()
    applying.answer(mother)
    mother.press()
    assert mother.station == "name"
    second.page.locator("input[name=surname_from][value=father]").check()
    second.press()
    second.see("This page was changed in another window")
    second.see("The mother's")
    second.see("The father's")
    second.look(both=False)
    second.press("main .button.secondary")
    assert second.page.locator("input[name=surname_from][value=mother]").is_checked()
    second.page.close()


def go_back_and_change(mother: Visitor) -> None:
    """The browser's own back button shows what was saved, and a change there is no conflict with herself."""
    mother.page.go_back()
    assert mother.station == "surname"
    assert mother.page.locator("input[name=surname_from][value=mother]").is_checked()
    mother.page.locator("input[name=surname_from][value=father]").check()
    mother.press()
    assert mother.station == "name", mother.page.inner_text("main")


def lose_the_session(mother: Visitor) -> None:
    """What she wrote as the session ended waits for her behind the sign-in."""
    applying.answer(mother)
    mother.lose_session()
    mother.press()
    mother.see("What you wrote is kept for 30 minutes")
    mother.look()
    mother.sign_in_again()
    mother.see("Your answers were kept")
    mother.look()
    mother.press()
    assert mother.station == "household", mother.page.inner_text("main")


def mistype_the_account(mother: Visitor) -> None:
    """The page says what is wrong, takes the focus there, and leads to the field; what was typed still stands."""
    account = mother.page.locator("input[name=bank_account_account]")
    known = account.input_value()
    account.fill("12-34")
    mother.press()
    assert "error-summary" in mother.focused()
    mother.look(both=False)
    mother.page.locator(".error-summary a").click()
    assert mother.focused().startswith("bank_account_")
    assert account.input_value() == "12-34"
    account.fill(known)
    mother.press()
    assert mother.station == "contact"


def hand_in_twice(mother: Visitor) -> None:
    """Two tabs send at once, and then once more by the back button: one application."""
    second = mother.tab()
    tabs = (mother, second)
    for tab in tabs:
        applying.answer(tab)
    for tab in tabs:
        tab.page.evaluate("() => { document.querySelector('main form').requestSubmit(); }")
    for tab in tabs:
        tab.page.wait_for_url(re.compile(r"/services/applications/[0-9a-f-]+/(#.*)?$"))
    assert mother.station == second.station
    second.page.go_back()
    if second.station == applying.LAST:
        applying.answer(second)
        second.press()
    assert mother.station == second.station
    second.page.close()
    mother.go("/")
    assert mother.page.locator("article[id^=application-]").count() == 1
    mother.press("article[id^=application-] a")


def finish(country: Country, mother: Visitor) -> None:
    """One case has reached the household agency; it is decided, so that no other journey meets it."""
    number = mother.number_of("registration")
    masked = mother.facts["name"][0] + "○" + mother.facts["name"][-1]
    desk = birth.officer(country, "ris-officer", "Household")
    listed = desk.get("/cases/?show=all")
    assert listed.text.count(masked) == 1
    desk.get(listed.link(number))
    birth.await_review(desk)
    birth.approve(desk)
    mother.wait_for(mother.page.locator("#part-registration", has_text="Approved"))
