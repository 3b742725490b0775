"""A phone is lost and the account recovered without scripts; somebody else's try is stopped from the mail."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.journeys.birth import officer
from tests.journeys.browser import JourneyBrowser, installed
from tests.journeys.conftest import raised
from tests.journeys.people import Country, Person, until
from tests.journeys.plain_browser import Page, PlainBrowser
from tests.journeys.visiting import Visitor

WHO = "mother-premature"


@pytest.fixture(scope="module")
def village() -> Iterator[Country]:
    """A small country of its own: a phone that was lost here is missed by no other test."""
    for running in raised(size=4000):
        yield Country(running.home, running.ports.web)


def test_a_lost_phone_is_recovered(village: Country) -> None:
    owner = Person(village, WHO)
    new_phone(village)
    reference = begun(owner)
    counter = officer_at_the_counter(village)
    proven(counter, reference, owner.facts["national_id"])
    page = owner.get("/identity/recover/mine")
    assert "You have proven who you are" in page.text
    owner.submit(page.form_to("/phone/invite"))
    scanned(village, owner.page)
    page = until(lambda: owner.get("/identity/recover/mine/phone"), lambda page: page.url.endswith("/mine"))
    assert "Made so far" in page.text
    home = owner.sign_in()
    assert "/identity/mobile/" not in home.url
    assert "Until the waiting period is over" in owner.get("/identity/account").text
    assert owner.get("/signing/").status == 403
    assert owner.get("/identity/account/recovery-codes").status == 403
    told = mail(village, owner.facts["email"], "New means may now be made")
    assert "/identity/recover/stop/" in told.text


def test_it_was_not_the_owner_and_the_mail_stops_it(village: Country) -> None:
    stranger, owner = Person(village, "father"), Person(village, "father")
    reference = begun(stranger)
    told = mail(village, owner.facts["email"], "Somebody began to recover your account")
    found = re.search(r"http://\S+/identity/recover/stop/\S+", told.text)
    assert found
    page = owner.get(found.group())
    page = owner.submit(page.forms[-1])
    assert "The recovery is stopped" in page.text
    counter = officer_at_the_counter(village)
    assert proven(counter, reference, owner.facts["national_id"], ok=False).status == 404
    assert stranger.get("/identity/recover/mine").status == 404
    assert "/identity/mobile/" not in owner.sign_in().url, "the own phone works as before"


@pytest.mark.browser
@pytest.mark.skipif(not installed(), reason="no Chromium; `make test` installs Debian's")
def test_a_session_is_ended_from_elsewhere_and_the_library_hears_of_it(
    browser: JourneyBrowser, village: Country
) -> None:
    reader = Visitor(browser, village, "mother")
    reader.go(f"{village.library}/")
    reader.press("main a[href='/sign-in']")
    reader.sign_in_again()
    reader.page.locator("main button[name=answer][value=agree]").wait_for()
    reader.press("main button[name=answer][value=agree]")
    reader.page.wait_for_url(f"{village.library}/**")
    reader.see(reader.facts["name"])
    elsewhere = Visitor(browser, village, "mother", width="desk")
    elsewhere.sign_in()
    elsewhere.go("/identity/account")
    elsewhere.look()
    assert elsewhere.page.locator("form[action$='/end']").count() == 2
    elsewhere.press(elsewhere.page.get_by_role("button", name="結束此登入"))
    assert elsewhere.page.locator("form[action$='/end']").count() == 1
    reader.go("/identity/account")
    assert "/identity/sign-in" in reader.page.url
    reader.go(f"{village.library}/")
    reader.wait_for(reader.page.locator("main a[href='/sign-in']"))
    reader.see("平臺通知登出")


def new_phone(village: Country) -> None:
    """The phone is gone; the new one has a key that nobody knows."""
    phone = PlainBrowser(village.phones)
    page = phone.get(f"/phones/{WHO}")
    assert phone.submit(page.form_to("/lost")).status == 200


def begun(person: Person) -> str:
    """Begin a recovery; the number for the counter."""
    page = person.get("/identity/recover")
    page = person.submit(page.form_with("national_id"), national_id=person.facts["national_id"])
    found = re.search(r"\b[2-9A-HJ-NP-Z]{8}\b", page.text)
    assert found, page.text
    return found.group()


def officer_at_the_counter(village: Country) -> Person:
    """The household officer, at the counter."""
    return officer_in(village, "ounter officer")


def officer_in(village: Country, role: str) -> Person:
    """The household officer in a seat."""
    person = officer(village, "ris-officer", "Household")
    person.take_seat("Household", role)
    return person


def proven(counter: Person, reference: str, national_id: str, *, ok: bool = True) -> Page:
    """The officer has seen the person and the document."""
    page = counter.get("/identity/counter")
    form = page.form_with("reference")
    page = counter.submit(form, reference=reference, national_id=national_id, seen="yes", suspend="yes")
    assert ("The person is proven" in page.text) == ok, page.text
    return page


def scanned(village: Country, page: Page) -> None:
    """The new phone scans the code and its owner chooses the number."""
    number = re.search(r"Choose this number on the phone: (\d+)", page.text)
    assert number, page.text
    phone = PlainBrowser(village.phones)
    asked = phone.get(page.link("/scan?ticket="))
    form = next(form for form in asked.forms if any(value == WHO for _, value, _ in form.buttons))
    asked = phone.submit(form, button=("persona", WHO))
    form = next(form for form in asked.forms if ("number", number.group(1), number.group(1)) in form.buttons)
    phone.submit(form, button=("number", number.group(1)))


def mail(village: Country, address: str, subject: str) -> Page:
    """The message to this person with this subject, once it has come."""
    box = PlainBrowser(village.mailbox)

    def arrived() -> list[str]:
        listed = json.loads(box.get("/messages.json?limit=1000").body)
        return [one["id"] for one in listed if address in one["recipients"] and subject in one["subject"]]

    return box.get(f"/messages/{until(arrived, bool)[0]}")
