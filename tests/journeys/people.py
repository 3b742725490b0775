"""The people of a journey: each with a browser without script and a phone with a real key."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.journeys.plain_browser import Page, PlainBrowser

T = TypeVar("T")


class Country:
    """The addresses and people of a running country."""

    def __init__(self, home: Path, base: int) -> None:
        self.home, self.base = home, base
        self.personas: dict[str, dict[str, Any]] = {}
        raw = json.loads((home / "personas.json").read_text())
        for row in raw if isinstance(raw, list) else raw.values():
            self.personas[row["key"]] = row

    @property
    def origin(self) -> str:
        """The address of the portal's web process."""
        return f"http://localhost:{self.base}"

    @property
    def phones(self) -> str:
        """The address of the mobile-identity service."""
        return f"http://localhost:{self.base + 24}"

    @property
    def library(self) -> str:
        """The address of the city library, a relying party."""
        return f"http://localhost:{self.base + 29}"

    @property
    def wallets(self) -> str:
        """The address of people's wallets."""
        return f"http://localhost:{self.base + 22}"

    @property
    def mailbox(self) -> str:
        """The address of the page that shows e-mail."""
        return f"http://localhost:{self.base + 27}"


class Person:
    """Somebody with a browser and a phone."""

    def __init__(self, country: Country, key: str, language: str = "en", origin: str | None = None) -> None:
        self.country, self.key = country, key
        self.facts = country.personas[key]
        self.browser = PlainBrowser(origin or country.origin, language)

    @property
    def page(self) -> Page:
        """The page at hand."""
        return self.browser.page

    def get(self, url: str) -> Page:
        """Open an address."""
        return self.browser.get(url)

    def submit(self, *arguments: Any, **values: Any) -> Page:
        """Send a form of the page at hand."""
        return self.browser.submit(*arguments, **values)

    def sign_in(self) -> Page:
        """Have the request pushed to the phone, choose the number that the page shows, and come back signed in."""
        page = self.get("/identity/sign-in")
        page = self.submit(page.form_with("national_id"), national_id=self.facts["national_id"])
        shown = re.search(r"Choose this number on the phone: (\d+)", page.text)
        assert shown, page.text
        waiting = page.url
        self.approve(shown.group(1))
        return until(lambda: self.get(waiting), lambda page: "/identity/mobile/" not in page.url)

    def approve(self, number: str) -> Page:
        """On the phone: open the request that offers `number`, and choose it."""
        phone = PlainBrowser(self.country.phones)
        waiting = until(lambda: phone.get(f"/phones/{self.key}"), lambda page: "/requests/" in str(page.links))
        for link, _ in [found for found in waiting.links if "/requests/" in found[0]]:  # the newest first
            page = phone.get(link)
            for form in page.forms:
                if ("number", number, number) in form.buttons:
                    return phone.submit(form, button=("number", number))
        raise AssertionError(f"no request offers {number}")

    def take_seat(self, agency: str, role: str) -> Page:
        """Act in a seat from here on; `agency` and `role` are words of its label."""
        form = self.get("/identity/seat").form_with("seat")
        return self.submit(form, seat=form.choice("seat", agency, role))


def until(get: Callable[[], T], good: Callable[[T], bool], seconds: float = 120) -> T:
    """Look again until `good`; what was seen last is in the error."""
    end = time.monotonic() + seconds
    while True:
        seen = get()
        if good(seen):
            return seen
        if time.monotonic() > end:
            shown = f"{seen.url}\n{seen.text[:3000]}" if isinstance(seen, Page) else repr(seen)
            raise AssertionError(f"did not change in time: {shown}")
        time.sleep(0.5)
