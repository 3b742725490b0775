"""A real browser for journeys: Debian's Chromium at a phone's or a desk's width, axe, and a passkey it can hold.

    with chromium() as browser:
        page = browser.page(width="phone", language="zh-hant")
        page.goto(url)
        assert_accessible(page)

Everything stays on loopback: the browser is told to leave its own services alone, and a page that asks another host
for anything fails the journey.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, CDPSession, ConsoleMessage, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

CHROMIUM = Path("/usr/bin/chromium")
WIDTHS = {"phone": (390, 844), "tablet": (820, 1180), "desk": (1280, 900)}
LANGUAGE_COOKIE = "smartgov_language"
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_FLAGS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)
_OURS = {"localhost", "127.0.0.1"}


@dataclass
class Watched:
    """What went wrong inside the pages of one browser, for the test to read at the end."""

    console_errors: list[str] = field(default_factory=list)
    foreign_requests: list[str] = field(default_factory=list)


@dataclass
class JourneyBrowser:
    """Chromium, and the people who sit at it: each `person` has cookies of her own."""

    chromium: Browser
    watched: Watched = field(default_factory=Watched)

    def person(self, *, width: str = "desk", language: str = "zh-hant", script: bool = True) -> BrowserContext:
        """A fresh profile at `width` (phone, tablet, desk), reading `language`, with or without JavaScript."""
        wide, high = WIDTHS[width]
        context = self.chromium.new_context(
            viewport={"width": wide, "height": high},
            locale="en-GB" if language == "en" else "zh-TW",
            timezone_id="Asia/Taipei",
            java_script_enabled=script,
            has_touch=width != "desk",
            accept_downloads=True,
        )
        context.on("request", lambda request: self._watch_request(request.url))
        context.on("console", self._watch_console)
        return context

    def page(self, *, width: str = "desk", language: str = "zh-hant", script: bool = True) -> Page:
        """A page of a new person; its context is `page.context`."""
        return self.person(width=width, language=language, script=script).new_page()

    def assert_quiet(self) -> None:
        """No page logged an error (a broken content policy is one) or asked another host for anything."""
        assert not self.watched.foreign_requests, f"asked other hosts: {self.watched.foreign_requests}"
        assert not self.watched.console_errors, f"the console says: {self.watched.console_errors}"

    def _watch_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in _OURS:
            self.watched.foreign_requests.append(url)

    def _watch_console(self, message: ConsoleMessage) -> None:
        # A problem page's own status is logged by the browser as an error; the journey asked for that page.
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            self.watched.console_errors.append(message.text)


@contextmanager
def chromium() -> Iterator[JourneyBrowser]:
    """Start Debian's Chromium, and end it."""
    flags = [*_FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(_FLAGS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        try:
            yield JourneyBrowser(browser)
        finally:
            browser.close()


def installed() -> bool:
    """Whether this machine has the browser."""
    return CHROMIUM.exists()


def read_in(context: BrowserContext, language: str, origin: str) -> None:
    """Let a person read our pages in `language` from now on, as the switch in the header does."""
    context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": origin}])


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def axe_violations(page: Page) -> list[str]:
    """What axe finds on the page as it stands, one line for each element (WCAG 2.2 A and AA, and good practice)."""
    for _ in range(5):
        try:
            return _axe_violations(page)
        except PlaywrightError as error:
            # Some pages load themselves again, which may be just now.
            if not re.search("Execution context was destroyed|axe is not defined", error.message):
                raise
            page.wait_for_load_state()
    return _axe_violations(page)


def _axe_violations(page: Page) -> list[str]:
    # Through the debugger, because the pages' content policy rightly refuses a script that is not ours.
    page.evaluate(_axe())
    result: dict[str, Any] = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", list(WCAG)
    )
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['html'][:160]} {node['failureSummary']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]


def assert_accessible(page: Page) -> None:
    """axe finds nothing, and nothing is wider than the screen."""
    found = axe_violations(page)
    assert not found, f"{page.url}\n" + "\n".join(found)
    assert_fits(page)


def assert_fits(page: Page) -> None:
    """The page does not scroll sideways."""
    too_wide: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
            [...document.querySelectorAll('body *')]
              .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
              .slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert not too_wide, f"{page.url} is wider than the screen: {too_wide}"


@dataclass
class Passkeys:
    """The device's own authenticator, played by Chromium: platform, resident keys, the person always verified."""

    session: CDPSession
    authenticator: str

    @property
    def credentials(self) -> list[dict[str, Any]]:
        """The passkeys that it holds."""
        answer = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})
        return list(answer["credentials"])

    def refuse_person(self) -> None:
        """From now on the finger is not the person's."""
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.authenticator, "isUserVerified": False})


def add_passkeys(page: Page) -> Passkeys:
    """Give the page's device a place for passkeys (`navigator.credentials` works from here on)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    answer = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return Passkeys(session, answer["authenticatorId"])


def sign_in(page: Page, origin: str, persona: str, *, seat: str = "") -> None:
    """Sign in as a person of the demo: show the code, scan it with that person's phone, choose the number.

    `seat` is a part of the seat's words, in the language of the page; empty leaves her acting for herself.
    """
    page.goto(f"{origin}/identity/sign-in")
    page.locator("form:has(input[name=way][value=code]) button").click()
    number = page.locator(".match-number").inner_text().strip()
    phone_address = page.locator("main a[target=_blank]").get_attribute("href")
    assert phone_address, "the page does not lead to the simulated phone; is SMARTGOV_DEMO on?"
    with _phone(page, phone_address) as phone:
        phone.locator(f"button[name=persona][value='{persona}']").click()
        phone.locator(f"button[name=number][value='{number}']").click()
        phone.locator("[role=status]").wait_for()
    page.wait_for_url(lambda url: "/identity/mobile/" not in url)
    if seat:
        take_seat(page, origin, seat)


def take_seat(page: Page, origin: str, seat: str) -> None:
    """Act in the seat whose words contain `seat`."""
    page.goto(f"{origin}/identity/seat")
    page.locator("label.choice", has_text=seat).first.click()
    page.locator("main .button.primary").click()


@contextmanager
def _phone(page: Page, address: str) -> Iterator[Page]:
    """The other device: nothing of the first one's cookies is on it."""
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-TW")
    try:
        other = context.new_page()
        other.set_default_timeout(60_000)
        other.goto(address)
        yield other
    finally:
        context.close()
