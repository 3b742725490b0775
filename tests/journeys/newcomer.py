"""A service of another house that comes to the platform: a program with an empty folder, and pages to register it.

The program runs as a process of its own; what it is to register and what it was given passes through pages only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page

from smartgov.engines.troad.tests.country import free_port
from smartgov.shared.text import Text
from tests.journeys.browser import JourneyBrowser, assert_accessible
from tests.journeys.people import Country
from tests.journeys.visiting import PATIENCE, Visitor

Look = Callable[[Page, str], None]


def nothing(page: Page, name: str) -> None:
    """Look at nothing."""


@dataclass(frozen=True)
class Service:
    """A running program of another house."""

    home: Path
    address: str
    title: Text


@contextmanager
def service(folder: Path, title: Text) -> Iterator[Service]:
    """Start the program with an empty folder, and stop it."""
    port = free_port()
    command = [sys.executable, "-m", "smartgov.simulators.library", "--home", str(folder), "--port", str(port)]
    names = ["--name", title.en, "--name-zh", title.zh]
    process = subprocess.Popen([*command, *names], env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until_it_answers(f"http://localhost:{port}/health")
        yield Service(folder, f"http://localhost:{port}", title)
    finally:
        process.terminate()
        process.wait(20)


def _until_it_answers(address: str) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            with urlopen(address, timeout=5):
                return
        except URLError:
            assert time.monotonic() < end, f"{address} does not answer"
            time.sleep(0.2)


def shown_by(browser: JourneyBrowser, newcomer: Service, look: Look = nothing) -> dict[str, str]:
    """What the program's own page says to register: addresses and public keys."""
    page = browser.page(width="desk")
    page.goto(newcomer.address)
    assert_accessible(page)
    look(page, "newcomer")
    codes = page.locator("dd code").all_inner_texts()
    return {
        "redirect_uris": codes[0],
        "backchannel_logout_uri": codes[1],
        "post_logout_redirect_uris": codes[2],
        "jwks": page.locator("#jwks").inner_text(),
    }


def begin(
    integrator: Visitor, title: Text, given: dict[str, str], ticks: tuple[str, ...] = (), look: Look = nothing
) -> None:
    """Open the empty form, fill it in, and have it read."""
    integrator.go("/identity/parties")
    look(integrator.page, "parties")
    integrator.press("main .actions a.button")
    look(integrator.page, "party-new")
    assert_accessible(integrator.page)
    fill(integrator, {"name_zh": title.zh, "name_en": title.en, **given}, ticks)
    integrator.press()


def fill(integrator: Visitor, given: dict[str, str], ticks: tuple[str, ...] = ()) -> None:
    """Write into the form at hand; `ticks` are checkboxes as name=value."""
    for name, value in given.items():
        integrator.page.locator(f"main [name={name}]").fill(value)
    for tick in ticks:
        name, _, value = tick.partition("=")
        integrator.page.locator(f"main input[name={name}][value='{value}']").check()


def submit(integrator: Visitor) -> str:
    """Hand it in; returns the client_id that the page shows."""
    integrator.press("button[name=decision][value=submit]")
    client_id = integrator.page.url.rstrip("/").rsplit("/", 1)[-1]
    integrator.see(client_id)
    return client_id


def approve(country: Country, browser: JourneyBrowser, title: Text, look: Look = nothing) -> None:
    """Somebody at the centre reads it and approves."""
    operator = Visitor(browser, country, "operator", width="desk")
    operator.sign_in(seat="維運")
    operator.go("/identity/parties")
    look(operator.page, "parties-approver")
    operator.press(operator.page.locator("tbody tr", has_text=title.zh).locator("a"))
    look(operator.page, "party-approve")
    operator.page.locator("[name=reason]").fill("資料完整，用途明確。")
    operator.press("button[name=decision][value=approve]")
    operator.see("已核准")
    operator.page.context.close()


def tell(browser: JourneyBrowser, newcomer: Service, issuer: str, client_id: str) -> None:
    """Back at the program: type what the platform gave."""
    page = browser.page(width="desk")
    page.goto(newcomer.address)
    page.locator("[name=issuer]").fill(issuer)
    page.locator("[name=client_id]").fill(client_id)
    page.locator("form button").click()
    page.locator("a[href='/sign-in']").wait_for()
    assert_accessible(page)
