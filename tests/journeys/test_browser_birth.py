"""J1, J4 and J5 in a real browser: a mother on her phone in Chinese, officers at their desks in English."""

from __future__ import annotations

import pytest

from tests.journeys import applying
from tests.journeys.browser import JourneyBrowser, installed
from tests.journeys.people import Country
from tests.journeys.visiting import Visitor, approve_push, mail_of, open_case

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not installed(), reason="no Chromium; `make test` installs Debian's"),
]
QUESTION = "Is the given name written with these two characters?"
ANSWER = "是，就是這兩個字。"


def test_one_birth_from_passkey_to_certificate(browser: JourneyBrowser, country: Country) -> None:
    mother = Visitor(browser, country, "mother-third-child")
    sign_in_by_push(mother)
    make_and_use_a_passkey(mother)
    timeline = apply(mother)
    desk = Visitor(browser, country, "ris-officer", width="desk", language="en")
    case = ask_for_a_supplement(desk, mother)
    answer_the_question(mother, timeline)
    approve(desk, case)
    refuse_the_benefit(browser, country, mother)
    see_what_was_decided(mother, timeline)
    pay_the_allowance(browser, country)
    check_the_certificate(browser, country)
    mother.go(timeline)
    download_the_certificate(mother)
    see_who_looked(mother)


def sign_in_by_push(mother: Visitor) -> None:
    """The request comes to the phone; she chooses there the number that stands here."""
    mother.go("/")
    mother.look()
    mother.go("/identity/sign-in")
    mother.look()
    number = mother.send_push()
    mother.look()
    with mother.phone() as phone:
        approve_push(phone, mother.country, mother.key, number)
    mother.arrive()
    mother.see("我的")


def make_and_use_a_passkey(mother: Visitor) -> None:
    """Made once after the mobile identity, it signs her in alone."""
    device = mother.passkeys()
    mother.go("/identity/account")
    mother.look()
    mother.press("main a[href$='/passkeys/new']")
    mother.look()
    mother.press("[data-passkey=register] button")
    assert len(device.credentials) == 1
    mother.look()
    mother.sign_out()
    mother.go("/identity/sign-in")
    mother.press("[data-passkey=sign-in] button")
    assert mother.page.locator(".who-name").inner_text().strip() == mother.facts["name"]


def apply(mother: Visitor) -> str:
    """From the wall to the receipt, every page looked over; nothing is uploaded."""
    mother.go("/services/birth/")
    mother.look()
    mother.go("/")
    mother.wait_for(mother.page.locator("form[action$='/services/start'] button"))
    mother.look()
    applying.start(mother)
    applying.fill_in(mother, until=applying.LAST, look=lambda: look_for_no_upload(mother))
    address = applying.hand_in(mother)
    mother.look()
    return address


def look_for_no_upload(mother: Visitor) -> None:
    """A page of the application asks for no file; facts stand beside source and time."""
    assert mother.page.locator("input[type=file]").count() == 0
    mother.look()
    if mother.station == "facts" and mother.page.locator(".fact").count():
        mother.see("國民健康署")


def ask_for_a_supplement(desk: Visitor, mother: Visitor) -> str:
    """The officer finds the case on the work list, reads it, and asks one thing."""
    number = mother.number_of("registration")
    desk.sign_in(seat="Case officer")
    case = open_case(desk, number)
    desk.see("What the published rule says")
    desk.look()
    desk.page.locator("details", has=desk.page.locator("textarea[name=question]")).locator("summary").click()
    desk.page.locator("textarea[name=question]").fill(QUESTION)
    desk.press("form[action$='/supplement'] button")
    desk.see(QUESTION)
    return case


def answer_the_question(mother: Visitor, timeline: str) -> None:
    """Her wall and her e-mail tell her; she answers."""
    mother.go("/")
    mother.wait_for(mother.page.locator(".notice", has_text="等候您的回答"))
    mother.look()
    mail = mail_of(mother, "補充說明")
    assert mother.facts["name"] not in mail.title()
    mother.go(timeline)
    mother.look()
    mother.press("main a.button[href*='/services/questions/']")
    mother.see(QUESTION)
    mother.look()
    mother.page.locator("main textarea").first.fill(ANSWER)
    mother.press()
    mother.look()


def approve(desk: Visitor, case: str) -> None:
    """The answer has come back to the officer, who decides."""
    desk.go(case)
    desk.wait_for(desk.page.locator("main", has_text=ANSWER))
    desk.page.locator("input[name=decision][value=approve]").check()
    desk.page.locator("textarea[name=reason]").fill("The facts agree.")
    desk.press("form[action$='/decision'] button")
    assert "days left" not in desk.page.inner_text(".title-row"), "a decided case has no deadline any more"
    desk.look()


def refuse_the_benefit(browser: JourneyBrowser, country: Country, mother: Visitor) -> None:
    """The rule says no for want of insured days; a person at the insurer signs that."""
    desk = Visitor(browser, country, "bli-officer", width="desk", language="en")
    number = mother.number_of("maternity")
    desk.sign_in(seat="Case officer")
    open_case(desk, number)
    desk.see("280 days")
    desk.look()
    desk.page.locator("input[name=decision][value=refuse]").check()
    desk.page.locator("textarea[name=reason]").fill("Insured for 200 days; 280 are needed.")
    desk.press("form[action$='/decision'] button")


def see_what_was_decided(mother: Visitor, timeline: str) -> None:
    """Three parts are granted; one is refused, with the condition, the law and the value that decided it."""
    mother.go(timeline)
    mother.wait_for(mother.page.locator("#part-maternity", has_text="未核准"))
    for part in ("registration", "nhi", "allowance"):
        mother.wait_for(mother.page.locator(f"#part-{part}", has_text="已核准"))
    mother.see("勞工保險條例")
    mother.look()


def pay_the_allowance(browser: JourneyBrowser, country: Country) -> None:
    """One person prepares the batch, another person releases it over its digest."""
    first = Visitor(browser, country, "sfaa-preparer", width="desk", language="en")
    first.sign_in(seat="Payment preparer")
    first.go("/payments/")
    first.wait_for(first.page.locator("form[action$='/batches/new']"))
    first.look()
    first.press("form[action$='/batches/new'] button")
    first.look()
    second = Visitor(browser, country, "sfaa-releaser", width="desk", language="en")
    second.sign_in(seat="Payment releaser")
    second.go(first.page.url)
    second.look()
    second.press("form[action$='/release'] button")
    second.wait_for(second.page.get_by_text("Result applied"))
    second.look()


def check_the_certificate(browser: JourneyBrowser, country: Country) -> None:
    """The agency's list leads to the certificate; its public page is open to a stranger."""
    desk = Visitor(browser, country, "ris-officer", width="desk", language="en")
    desk.sign_in(seat="Certificate manager")
    desk.go("/credentials/")
    desk.look()
    desk.press("main tbody a")
    desk.look()
    code = desk.station
    stranger = Visitor(browser, country, "father")
    stranger.go(f"/credentials/verify/{code}")
    stranger.look()


def download_the_certificate(mother: Visitor) -> None:
    """A sealed PDF, on the phone."""
    link = mother.page.locator("a[href*='/services/certificates/']")
    mother.wait_for(link)
    with mother.page.expect_download() as started:
        link.first.click()
    assert started.value.path().read_bytes().startswith(b"%PDF-")


def see_who_looked(mother: Visitor) -> None:
    """Every listed entry is proven, the officers' looks are among them."""
    mother.go("/mydata/")
    mother.wait_for(mother.page.locator(".trail .by-person", has_text="承辦人員"))
    assert mother.page.locator(".notice.bad").count() == 0
    mother.look()
    mother.go("/mydata/consents/")
    mother.look()
    mother.go("/notify/")
    mother.look()
