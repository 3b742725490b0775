"""What people do with the wallet on a phone, for the journey and for the pictures."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from tests.journeys.browser import assert_accessible
from tests.journeys.visiting import Visitor

Look = Callable[[Page, str], None]


def nothing(page: Page, name: str) -> None:
    """Look at nothing."""


def scan(owner: Visitor, address: str, look: Look = nothing) -> None:
    """The own wallet takes what a page offers in the demo in place of a code."""
    owner.go(address)
    look(owner.page, "wallet-whose")
    owner.press(f"button[name=owner][value='{owner.key}']")
    assert_accessible(owner.page)


def offered(visitor: Visitor) -> str:
    """The address that the page at hand offers to the demo's wallet."""
    address = visitor.page.locator("a[href*='/scan?uri=']").get_attribute("href")
    assert address
    return address


def take_by_sign_in(owner: Visitor, look: Look = nothing) -> str:
    """From the platform's page into the wallet, by signing in and agreeing; what the wallet says at the end."""
    owner.go("/credentials/wallet")
    look(owner.page, "wallet-kinds")
    owner.press("main .plain-list a")
    look(owner.page, "wallet-offer-page")
    scan(owner, offered(owner), look)
    look(owner.page, "wallet-offer")
    owner.press("a.button")
    look(owner.page, "wallet-consent")
    owner.press("button[name=answer][value=agree]")
    owner.page.locator("[role=status]").wait_for()
    assert_accessible(owner.page)
    return owner.page.locator("main").inner_text()


def ask(officer: Visitor, *names: str) -> str:
    """An officer asks for claims by their words; the address of what the wallet scans."""
    officer.go("/credentials/ask")
    for name in names:
        officer.page.get_by_label(name, exact=True).check()
    officer.press()
    return offered(officer)


def show(owner: Visitor, look: Look = nothing) -> str:
    """Agree to show; what was on the page before."""
    seen = owner.page.locator("main").inner_text()
    look(owner.page, "wallet-asked")
    owner.press("form:not(:has([name=refuse])) button")
    owner.page.locator("[role=status]").wait_for()
    return seen
