"""One birth and its mishaps, told in parts; what an earlier part made, a later one finds in the story."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page
from tests.journeys.browser import JourneyBrowser
from tests.journeys.people import Country
from tests.journeys.visiting import Visitor

from scripts.looks.album import Album
from smartgov.site.supervise import Country as Running


class Story:
    """One birth and its mishaps, told in parts; what an earlier part made, a later one finds here."""

    def __init__(self, running: Running, browser: JourneyBrowser, album: Album) -> None:
        self.running, self.browser, self.album = running, browser, album
        self.country = Country(running.home, running.ports.web)
        self.mother = self.visitor("mother")
        self.timeline = ""

    def visitor(self, key: str, seat: str = "") -> Visitor:
        """Somebody at a browser, signed in when a seat is named."""
        found = Visitor(self.browser, self.country, key, width="desk")
        if seat:
            found.sign_in(seat=seat)
        return found

    @contextmanager
    def seated(self, key: str, seat: str) -> Iterator[Visitor]:
        """Somebody in a seat, for a while."""
        found = self.visitor(key, seat)
        try:
            yield found
        finally:
            found.page.context.close()


def send_nothing(visitor: Visitor, path: str, button: str = "main .button.primary") -> None:
    """Open a form and send it as it is."""
    visitor.go(path)
    visitor.page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
    visitor.press(button)


def on_a_simulator(story: Story, name: str, url: str, then: str = "") -> None:
    """A page of a simulator, which speaks both languages at once."""
    page: Page = story.browser.page(width="desk")
    page.goto(url)
    story.album.take(page, name, languages=())
    if then and page.locator(then).count():
        page.locator(then).first.click()
        story.album.take(page, f"{name}-one", languages=())
    page.context.close()
