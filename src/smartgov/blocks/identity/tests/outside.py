"""The programs behind the means, running for a test: the Ministry, a card helper, and the phone; and who uses them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client

from smartgov.blocks.identity.means import standing
from smartgov.engines.httpd import sync
from smartgov.shared import settings
from smartgov.simulators.card import home as cards
from smartgov.simulators.moica import home as ministry
from smartgov.simulators.phone import home as phones

SOURCE = Path(__file__).resolve().parents[4]
ORIGIN = "http://localhost:8000"
PEOPLE = {"mother": ("林美玲", "A280000120"), "father": ("陳志明", "A180000133")}


@dataclass(frozen=True, slots=True)
class Outside:
    """Where everything lies and listens. `cards` is false where SoftHSM2 is absent."""

    home: Path
    moica: str
    helper: str
    phone: str
    cards: bool


@contextmanager
def running(home: Path, ids: dict[str, str]) -> Iterator[Outside]:
    """All three programs; `ids` gives each of PEOPLE a national id."""
    ministry.create(home / "moica")
    for persona, (name, _) in PEOPLE.items():
        ministry.enrol_phone(home / "moica", persona=persona, name=name, national_id=ids[persona])
        phones.enrol(home / "phone", persona=persona, name=name)
    with_cards = cards.library() is not None
    if with_cards:
        rows = [part for persona, (name, _) in PEOPLE.items() for part in ("--person", persona, name, ids[persona])]
        _call("smartgov.simulators.card", "make", "--home", home / "card", "--moica", home / "moica", *rows)
    cards.allow(home / "card", ORIGIN)
    with ExitStack() as stack:
        moica = stack.enter_context(_program("moica", home))
        helper = stack.enter_context(_program("card", home)) if with_cards else "http://127.0.0.1:9"
        phone = stack.enter_context(_program("phone", home))
        connect(home, moica)
        yield Outside(home, moica, helper.replace("127.0.0.1", "localhost"), phone, with_cards)
        sync.close()


def connect(home: Path, moica: str) -> None:
    """What an operator does to connect the platform."""
    folder = home / "means"
    folder.mkdir(exist_ok=True)
    account = ministry.customer(home / "moica")
    given = {"service_id": account["service_id"], "aes_key": account["aes_key"], "app": f"{moica}/a2a/verifySign"}
    given |= {"scan": f"{moica}/scan", "phones": moica}
    (folder / "twfido.json").write_text(json.dumps(given))
    (folder / "confirm").write_text(account["confirm"])
    (folder / "anchors.pem").write_bytes((home / "moica" / "ca.pem").read_bytes())


def environment(outside: Outside) -> dict[str, str]:
    """The settings under which the platform meets them."""
    return {
        "SMARTGOV_DATA_KEY_FILE": settings.get("SMARTGOV_DATA_KEY_FILE"),
        "SMARTGOV_HOME": str(outside.home),
        "SMARTGOV_MOICA_URL": outside.moica,
        "SMARTGOV_TWFIDO_URL": outside.moica,
        "SMARTGOV_CARD_URL": outside.helper,
        "SMARTGOV_PHONE_URL": outside.phone,
    }


@contextmanager
def _program(name: str, home: Path) -> Iterator[str]:
    command = [sys.executable, "-m", f"smartgov.simulators.{name}", "--home", str(home / name), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=_environment()) as process:
        assert process.stderr is not None
        port = None
        while port is None:
            line = process.stderr.readline()
            assert line, f"{name} did not start"
            port = re.search(r'"port": (\d+)', line)
        try:
            yield f"http://127.0.0.1:{port[1]}"
        finally:
            process.send_signal(signal.SIGTERM)


def _call(module: str, *arguments: object) -> None:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, env=_environment())


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SMARTGOV_")}
    return {**ours, "PYTHONPATH": str(SOURCE)}


# -- what hands do ----------------------------------------------------------------------------------------------------


def page(url: str) -> str:
    """Open a page."""
    answer = sync.request("GET", url)
    return answer.body.decode()


def press(url: str, form: str, place: int = 0, headers: dict[str, str] | None = None, **values: str) -> str:
    """Send the form `place` of the page `form`; the page that comes of it."""
    part = form.split("<form")[place + 1].split("</form>", maxsplit=1)[0]
    action = re.search(r'action="([^"]*)"', part)
    assert action is not None
    hidden = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', part)}
    return post(_joined(url, unescape(action[1])), {**hidden, **values}, headers)


def post(url: str, values: dict[str, str], headers: dict[str, str] | None = None) -> str:
    """Post a form, and follow one redirect."""
    kind = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
    answer = sync.request("POST", url, kind, urlencode(values).encode())
    if answer.status == 303:
        return page(_joined(url, answer.headers["location"]))
    return answer.body.decode()


def _joined(url: str, path: str) -> str:
    parts = urlsplit(url)
    return path if path.startswith("http") else f"{parts.scheme}://{parts.netloc}{path}"


def on_phone(outside: Outside, persona: str, *, number: int = 0) -> str:
    """In the Ministry's app: open the newest request, and confirm (0) or cancel (1)."""
    listed = page(f"{outside.moica}/phones/{persona}")
    link = re.search(r'href="(/phones/[^"]+/requests/[^"]+)"', listed)
    assert link is not None, listed
    return in_app(outside, outside.moica + link[1], number=number)


def in_app(outside: Outside, url: str, *, number: int = 0) -> str:
    """In the app on an open request: confirm or cancel."""
    return press(url, page(url), number, **({"cancel": "1"} if number else {}))


def scanned(url: str, persona: str) -> str:
    """Whose phone scans, or is opened: the address of the request on it."""
    found = re.search(rf'href="(/phones/{persona}/requests/[^"]+)"', page(url))
    assert found is not None
    return _joined(url, unescape(found[1]))


def with_card(
    form_to: str, request: str, persona: str, *, pin: str = cards.DEMO_PIN, origin: str = ORIGIN, cancel: bool = False
) -> str:
    """In the helper: the page that asks for the PIN is answered; what comes back, as the site would get it."""
    asked = post(form_to, {"request": request}, {"origin": origin})
    done = press(form_to, asked, 1, cancel="1") if cancel else press(form_to, asked, 0, card=persona, pin=pin)
    found = re.search(r'name="answer" value="([^"]*)"', done)
    return found[1] if found else done


def begin_card(client: Client) -> tuple[str, str, str]:
    """The waiting page, and what its form sends where."""
    waiting = client.post("/identity/prove/with/card").headers["Location"]
    page = client.get(waiting)
    assert "form-action 'self' http://localhost:" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "origin"
    text = page.content.decode()
    form = re.search(r'action="([^"]*/requests)"><input type="hidden" name="request" value="([^"]*)"', text)
    assert form is not None
    return waiting, unescape(form[1]), form[2]


def bring(client: Client, waiting: str, answer: str) -> None:
    """What the helper's page does with the browser: a form from another site, so without our cookies."""
    brought = Client(enforce_csrf_checks=True).post(f"{waiting}/answer", {"answer": answer})
    assert (brought.status_code, brought.headers["Location"]) == (303, waiting)


def use_card(client: Client, persona: str) -> str:
    """Both of them; the waiting page."""
    waiting, address, request = begin_card(client)
    bring(client, waiting, with_card(address, request, persona))
    return waiting


def met(running: Outside, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """For one test, the platform is connected with these programs and remembers none of their answers."""
    settings.ORIGIN = ORIGIN
    for name, value in environment(running).items():
        monkeypatch.setenv(name, value)
    standing.forget()


def first_sign_in(browser: Client, running: Outside, means: str, national_id: str) -> None:
    """The mother signs in for the first time, with her card or with TW FidO; NOT RUN without the card's module."""
    if means == "card":
        if not running.cards:
            pytest.skip("NOT RUN: softhsm2 is absent (bash scripts/system.sh hsm)")
        browser.post(f"{use_card(browser, 'mother')}/person", {"national_id": national_id})
        return
    waiting = browser.post("/identity/prove/with/twfido", {"id_num": national_id, "way": "push"})["Location"]
    on_phone(running, "mother")
    browser.get(waiting)
