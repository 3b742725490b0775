"""The application, page by page: a fact that is missing, errors, a lost session, an agency that is down."""

from __future__ import annotations

import re

from tests.journeys import applying, blows

from scripts.looks.story import Story

CLOSED = "1234567890000"


_ASK_AGAIN = "main form button.quiet"


def applying_page_by_page(story: Story) -> None:
    """From the wall to the receipt: each page, a missing fact, errors, a lost session."""
    mother, album = story.mother, story.album
    mother.go("/")
    mother.wait_for(mother.page.locator("form[action$='/services/start'] button"))
    album.take(mother.page, "wall-birth")
    applying.start(mother)
    taken: set[str] = set()
    for _ in range(24):
        name = "consent" if "/mydata/requests/" in mother.page.url else mother.station
        if name not in taken:
            album.take(mother.page, f"apply-{len(taken) + 1:02}-{name}")
        taken.add(name)
        if name == applying.LAST:
            break
        if name == "facts" and "facts-asked" not in taken:
            taken.add("facts-asked")
            _facts_with_a_register_down(story)
            continue
        _go_wrong(story, name)
        applying.answer(mother)
        mother.press()
    album.take_if_new(mother.page, "apply-before-hand-in")
    mother.go("/")
    album.take(mother.page, "wall-saved")


def _facts_with_a_register_down(story: Story) -> None:
    mother = story.mother
    with blows.down(story.running, "register-nhi"):
        mother.press()
        story.album.take(mother.page, "facts-missing")
    with blows.foreign_message_key(story.running, "hpa"):
        mother.press(_ASK_AGAIN)
        story.album.take(mother.page, "facts-unproven")
    mother.press(_ASK_AGAIN)
    story.album.take(mother.page, "facts")


def _go_wrong(story: Story, station: str) -> None:
    """An error with its summary, and a session that ends, each in both languages."""
    mother, here = story.mother, story.mother.page.url

    def send_wrong() -> None:
        mother.go(here)
        if station == "account":
            mother.page.locator("input[name=bank_account_account]").fill("12-34")
        mother.press()

    if station in {"surname", "account"}:
        story.album.in_both(mother.page, f"error-{station}", send_wrong)
        mother.go(here)
    if station == "name":
        applying.answer(mother)
        mother.lose_session()
        mother.press()
        story.album.take(mother.page, "session-expired")
        mother.sign_in_again()
        story.album.take(mother.page, "session-kept")
        mother.press()
        mother.go(here)


def handing_in(story: Story) -> None:
    """The receipt, with the household agency's gateway down and then up again."""
    mother, album = story.mother, story.album
    applying.start(mother)
    mother.go(re.sub("/(check|pages/[a-z]+)$", "/pages/account", re.split("[?#]", mother.page.url)[0]))
    mother.page.locator("input[name=bank_account_account]").fill(CLOSED)
    mother.press()
    for _ in range(10):
        if mother.station == applying.LAST:
            break
        applying.answer(mother)
        mother.press()
    with blows.down(story.running, "gateway-ris"):
        story.timeline = applying.hand_in(mother)
        album.take(mother.page, "timeline-handed-in")
        mother.wait_for(mother.page.locator("main", has_text="機關暫無回應"))
        album.take(mother.page, "timeline-agency-down")
    mother.number_of("registration")
    mother.wait_for(mother.page.locator("#part-registration", has_text="審核中"))
    album.take(mother.page, "timeline-in-review")
    mother.go(f"{story.timeline}withdraw")
    album.take(mother.page, "withdraw")
