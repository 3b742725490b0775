"""A person of the country at a real browser: goes from page to page, and looks each one over in both languages."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.journeys import browser as chromium
from tests.journeys.browser import JourneyBrowser, Passkeys, assert_accessible
from tests.journeys.people import Country

PATIENCE = 60_000
"""Milliseconds; long, because a journey shares a few cores with all processes of the country."""
_NUMBER = re.compile(r"\b[A-Z]+-\d+-[0-9A-Z]+\b")


class Visitor:
    """Somebody with a browser, a phone, and an eye for pages that leave somebody out."""

    def __init__(
        self, browser: JourneyBrowser, country: Country, key: str, *, width: str = "phone", language: str = "zh-hant"
    ) -> None:
        self.browser, self.country, self.key, self.language = browser, country, key, language
        self.facts: dict[str, Any] = country.personas[key]
        self.page = browser.page(width=width, language=language)
        self.page.set_default_timeout(PATIENCE)
        chromium.read_in(self.page.context, language, country.origin)

    # -- going about ----------------------------------------------------------------------------------------------

    def go(self, path: str) -> None:
        """Open a page of the portal, or any address."""
        self.page.goto(path if "://" in path else self.country.origin + path)

    def press(self, where: str | Locator = "main .button.primary") -> None:
        """Press a button or link that leads to another page (or the same one again), and be there."""
        with self.page.expect_navigation():
            (self.page.locator(where) if isinstance(where, str) else where).first.click()

    def tab(self) -> Visitor:
        """A second tab of the same browser, on the same page."""
        other = copy(self)
        other.page = self.page.context.new_page()
        other.page.set_default_timeout(PATIENCE)
        other.go(self.page.url)
        return other

    def see(self, words: str) -> None:
        """The page says so."""
        expect(self.page.locator("main")).to_contain_text(words, timeout=PATIENCE)

    def wait_for(self, where: Locator) -> None:
        """Load the page again until something stands on it."""
        end = time.monotonic() + PATIENCE / 1000
        while not where.count():
            assert time.monotonic() < end, f"{self.page.url} still says:\n{self.page.inner_text('main')}"
            self.page.wait_for_timeout(400)
            self.page.reload()

    def number_of(self, part: str) -> str:
        """The case number of one part, which its agency gives when the timeline at hand reaches it."""
        self.wait_for(self.page.locator(f"#part-{part}", has_text=_NUMBER))
        found = _NUMBER.search(self.page.locator(f"#part-{part}").inner_text())
        assert found
        return found.group()

    @property
    def station(self) -> str:
        """The last word of the page's path: which page of the application this is."""
        return re.split("[?#]", self.page.url)[0].rstrip("/").rsplit("/", 1)[-1]

    # -- looking --------------------------------------------------------------------------------------------------

    def look(self, *, both: bool = True) -> None:
        """axe finds nothing and nothing overflows, in this language and in the other, and the switch keeps the page.

        `both=False` for an answer to a form, which a switch of language would throw away.
        """
        self._examine()
        if not both:
            return
        here, language = self.page.url, self._language()
        self._switch_language()
        assert self._language() != language
        assert self.page.url == here, "the language switch leads away from the page"
        self._examine()
        self._switch_language()
        assert self._language() == language

    def _switch_language(self) -> None:
        self.press("form[action*='language'] button")

    def _examine(self) -> None:
        assert_accessible(self.page)
        assert self.page.title().strip()
        assert self.page.locator("h1").count() == 1, f"{self.page.url} has no single heading"
        self._say_it_in_one_language()

    def _say_it_in_one_language(self) -> None:
        """An English page has no button, heading or label left in Chinese (values may be: names, addresses)."""
        if self._language() != "en":
            return
        foreign = self.page.evaluate(
            """() => [...document.querySelectorAll('main h1, main h2, main button, main a.button, main label, main dt')]
                 .map(e => e.innerText).filter(text => /^[\\u3400-\\u9fff\\s]+$/.test(text))"""
        )
        assert not foreign, f"{self.page.url} is not in English: {foreign}"

    def _language(self) -> str:
        return (self.page.locator("html").get_attribute("lang") or "").lower()[:2]

    # -- signing in and out ---------------------------------------------------------------------------------------

    def sign_in(self, seat: str = "") -> None:
        """By scanning the code with the own phone."""
        chromium.sign_in(self.page, self.country.origin, self.key, seat=seat)

    def sign_out(self) -> None:
        """Press the button at the top."""
        self.press("form[action$='/identity/sign-out'] button")

    def send_push(self) -> str:
        """Have a request sent to the own phone; the number to choose there."""
        self.go("/identity/sign-in")
        self.page.locator("details.more summary").click()
        self.page.locator("input[name=national_id]").fill(self.facts["national_id"])
        self.press("form:has(input[name=way][value=push]) button")
        return self.page.locator(".match-number").inner_text().strip()

    def begin_with_code(self) -> tuple[str, str]:
        """On the sign-in page, have the code shown: the number to choose, and the address in the code."""
        self.press("form:has(input[name=way][value=code]) button")
        address = self.page.locator("main a[target=_blank]").get_attribute("href")
        assert address
        return self.page.locator(".match-number").inner_text().strip(), address

    def sign_in_again(self) -> None:
        """On the sign-in page to which an ended session led: by scanning the code; ends where she was going."""
        number, address = self.begin_with_code()
        with self.phone() as phone:
            scan(phone, address, self.key)
            choose_number(phone, number)
        self.arrive()

    def lose_session(self) -> None:
        """The session ends, as after half an hour."""
        self.page.context.clear_cookies(name=re.compile("^smartgov_session_[0-9]+$"))

    def focused(self) -> str:
        """The name of the field that has the focus."""
        return str(self.page.evaluate("document.activeElement.name || document.activeElement.className"))

    def arrive(self) -> None:
        """The page notices by itself that the phone has answered."""
        self.page.wait_for_url(lambda url: "/identity/mobile/" not in url)

    def passkeys(self) -> Passkeys:
        """Give this device a place for passkeys."""
        return chromium.add_passkeys(self.page)

    @contextmanager
    def phone(self) -> Iterator[Page]:
        """The own phone: another device, which knows nothing of this browser's cookies."""
        context = self.browser.person(width="phone")
        try:
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            yield page
        finally:
            context.close()


def open_case(desk: Visitor, number: str) -> str:
    """Find a case on the work list by its number, and open it; its address."""
    desk.go("/cases/")
    row = desk.page.locator("tr", has_text=number)
    desk.wait_for(row)
    desk.look()
    desk.press(row.locator("a"))
    return desk.page.url


def approve_push(phone: Page, country: Country, key: str, number: str) -> None:
    """On the phone: wait for the request, open it, choose the number."""
    phone.goto(f"{country.phones}/phones/{key}")
    phone.locator("a[href*='/requests/']").first.click()  # the newest
    assert_accessible(phone)
    choose_number(phone, number)


def scan(phone: Page, address: str, key: str) -> None:
    """The phone of this person reads the code."""
    phone.goto(address)
    phone.locator(f"button[name=persona][value='{key}']").click()
    phone.locator("button[name=number]").first.wait_for()


def choose_number(phone: Page, number: str) -> None:
    """Press a number of the request at hand; the phone says what came of it."""
    phone.locator(f"button[name=number][value='{number}']").click()
    phone.locator("[role=status]").wait_for()


def mail_of(visitor: Visitor, words: str) -> Page:
    """The newest message to this person whose subject has `words`, opened on the mailbox's page."""
    page = visitor.browser.page(width="phone")
    page.set_default_timeout(PATIENCE)
    page.goto(f"{visitor.country.mailbox}/")
    row = page.locator("tr", has_text=visitor.facts["email"]).filter(has_text=words).first
    row.wait_for()  # the list loads itself again
    page.goto(f"{visitor.country.mailbox}/?still=1")  # and from here on no longer
    assert_accessible(page)
    row.locator("a").click()
    return page
