"""What a person does with the Ministry's certificates, for the journey and for the pictures: card and TW FidO."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from smartgov.simulators.card.home import DEMO_PIN
from tests.journeys.browser import assert_accessible
from tests.journeys.visiting import PATIENCE, Visitor

Look = Callable[[Page, str], None]


def nothing(page: Page, name: str) -> None:
    """Look at nothing."""


def ministry(visitor: Visitor) -> str:
    """The address of the Ministry."""
    return f"http://localhost:{visitor.country.base + 21}"


def to_the_card(visitor: Visitor, look: Look = nothing, following: str = "/") -> str:
    """From the sign-in page to the helper's; the number that the site shows, which the helper shows too."""
    visitor.go(f"/identity/sign-in?next={following}")
    visitor.press("section[aria-labelledby=way-card] button")
    look(visitor.page, "card")
    number = visitor.page.locator(".match-number").inner_text().strip()
    visitor.press("form[action$='/requests'] button")
    assert number in visitor.page.locator("main").inner_text()
    return number


def forget_card(visitor: Visitor) -> None:
    """Let the account forget the card, if another journey of the same person in this country has linked it."""
    visitor.sign_in()
    visitor.go("/identity/account")
    linked = visitor.page.locator("li", has_text="IC 卡").locator("form[action$='/remove'] button")
    if linked.count():
        visitor.press(linked)
    visitor.sign_out()


def type_pin(visitor: Visitor, look: Look = nothing, *, pin: str = DEMO_PIN, name: str = "card-helper") -> None:
    """In the helper: choose the own card, type the PIN."""
    page = visitor.page
    page.locator(f"input[name=card][value='{visitor.key}']").check()
    page.locator("input[name=pin]").fill(pin)
    assert_accessible(page)
    look(page, name)
    visitor.press("form:has(input[name=pin]) button")


def back_from_helper(visitor: Visitor, look: Look = nothing) -> None:
    """From the helper's last page to the site's."""
    assert_accessible(visitor.page)
    look(visitor.page, "card-helper-done")
    visitor.press("form:has(input[name=answer]) button")


def say_who(visitor: Visitor, look: Look = nothing) -> None:
    """The first time: type the national id."""
    look(visitor.page, "card-whose")
    visitor.page.locator("input[name=national_id]").fill(visitor.facts["national_id"])
    visitor.press()


def with_card(visitor: Visitor, look: Look = nothing, *, first: bool) -> None:
    """Sign in with the card."""
    to_the_card(visitor, look)
    type_pin(visitor, look)
    back_from_helper(visitor, look)
    if first:
        say_who(visitor, look)


def to_the_app(visitor: Visitor, way: str = "push") -> str:
    """From the sign-in page to the waiting one; the number to compare."""
    visitor.go("/identity/sign-in")
    visitor.page.locator("input[name=id_num]").fill(visitor.facts["national_id"])
    visitor.press(f"section[aria-labelledby=way-twfido] button[value={way}]")
    return visitor.page.locator(".match-number").inner_text().strip()


def in_the_app(visitor: Visitor, number: str, look: Look = nothing, *, cancel: bool = False) -> None:
    """On the phone: open the request, compare, confirm or cancel."""
    with visitor.phone() as phone:
        phone.goto(f"{ministry(visitor)}/phones/{visitor.key}")
        look(phone, "twfido-phone")
        phone.locator("a[href*='/requests/']").first.click()  # the newest
        assert number in phone.locator("main").inner_text()
        assert_accessible(phone)
        look(phone, "twfido-request")
        phone.locator(f"form button{'.quiet' if cancel else ':not(.quiet)'}").click()
        phone.locator("[role=status]").wait_for()
        look(phone, "twfido-answered")


def arrive(visitor: Visitor) -> None:
    """The page notices by itself that the app has answered."""
    visitor.page.wait_for_url(lambda url: "/identity/prove/" not in url, timeout=PATIENCE)
