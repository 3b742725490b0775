"""The birth application in a real browser, page by page, as a mother who reads each page fills it in."""

from __future__ import annotations

from collections.abc import Callable

from tests.journeys.visiting import Visitor

LAST = "check"


def start(mother: Visitor) -> None:
    """From the wall into the application, or back into it."""
    mother.go("/")
    mother.wait_for(mother.page.locator("form[action$='/services/start'] button"))
    mother.press("form[action$='/services/start'] button")


def answer(mother: Visitor) -> None:
    """Fill in the page at hand."""
    page = mother.page
    known: dict[str, Callable[[], None]] = {
        "child": lambda: page.locator("input[name=birth_confirmed][value=yes]").check(),
        "surname": lambda: page.locator("input[name=surname_from][value=mother]").check(),
        "name": lambda: page.locator("input[name=given_name]").fill("安安"),
        "household": lambda: page.locator("input[name=household_of][value=mother]").check(),
        "contact": lambda: page.locator("input[name=contact_email]").fill(mother.facts["email"]),
        LAST: lambda: page.locator("input[name=declaration]").check(),
    }
    if "/mydata/requests/" in page.url:
        for box in page.locator("input[name=accept]").all():
            box.check()
    elif mother.station in known:
        known[mother.station]()


def fill_in(mother: Visitor, *, until: str, look: Callable[[], None] = lambda: None) -> None:
    """Go on page by page, up to the page `until` (a page's name), which is left untouched."""
    for _ in range(20):
        look()
        if mother.station == until:
            return
        answer(mother)
        mother.press()
    raise AssertionError(f"the application does not come to {until}; it stands at {mother.page.url}")


def hand_in(mother: Visitor) -> str:
    """Declare and send; the address of the timeline."""
    answer(mother)
    mother.press()
    assert mother.station != LAST, mother.page.inner_text("main")
    return mother.page.url
