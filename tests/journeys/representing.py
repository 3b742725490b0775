"""What people do who act for others: a proxy given and accepted, a child represented; for journeys and for pictures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page

from smartgov.shared import clock
from tests.journeys.visiting import Visitor

Look = Callable[[Page, str], None]


def nothing(page: Page, name: str) -> None:
    """Look at nothing."""


def gives_a_proxy(mother: Visitor, to: dict[str, str], look: Look = nothing) -> None:
    """She writes it down and approves it with a passkey."""
    mother.passkeys()
    mother.go("/identity/account/passkeys/new")
    mother.press("[data-passkey=register] button")
    mother.go("/mandates/give")
    look(mother.page, "mandate-give")
    page, until = mother.page, clock.today() + timedelta(days=30)
    page.locator("input[name=kind][value=proxy]").check()
    page.locator("input[name=to_name]").fill(to["name"])
    page.locator("input[name=to]").fill(to["national_id"])
    for scope in ("applications", "messages"):
        page.locator(f"input[name=scope][value={scope}]").check()
    page.locator("input[name=until]").fill(until.isoformat())
    mother.press()
    mother.look()
    look(mother.page, "mandate-draft")
    mother.press("[data-passkey=act] button")
    mother.see(to["name"])


def accepts_and_acts(father: Visitor, represented: str, look: Look = nothing) -> None:
    """He reads it, accepts, and begins to act; every page then says for whom."""
    father.go("/mandates/")
    father.press(father.page.locator("article", has_text=represented).locator("a.button"))
    father.look()
    look(father.page, "mandate-offered")
    father.press("button[name=do][value=accept]")
    father.press("form[action$='/act'] button")
    assert represented in father.page.locator("body").inner_text()


def leaves(father: Visitor) -> Visitor:
    """He acts for himself again."""
    father.press("form[action$='/leave'] button")
    return father


def draws(mother: Visitor, look: Look = nothing) -> list[str]:
    """She asks the registers; the names for whom she may act."""
    mother.go("/mandates/")
    mother.look()
    look(mother.page, "mandates-none")
    mother.press("main form:not([action]) button")
    look(mother.page, "mandates-drawn")
    return [name.strip() for name in mother.page.locator("main article h3").all_inner_texts()]


def acts_for(mother: Visitor, child: str) -> None:
    """She acts for one of them."""
    mother.go("/mandates/")
    mother.press(mother.page.locator("article", has_text=child).locator("form[action$='/act'] button"))
    assert child in mother.page.locator("body").inner_text()
