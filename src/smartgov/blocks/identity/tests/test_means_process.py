"""The conformance suite on the card, TW FidO in four modes and the own phone in two, each with its real program."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smartgov.blocks.identity import domain
from smartgov.blocks.identity.adapters.card import CardHelper
from smartgov.blocks.identity.adapters.phone import PhoneCode, PhonePush
from smartgov.blocks.identity.adapters.twfido import TwFido
from smartgov.blocks.identity.means.proving import signer_of
from smartgov.blocks.identity.ports import Answer, Asked, Opened
from smartgov.blocks.identity.tests import conformance, outside
from smartgov.blocks.identity.tests.conformance import Subject
from smartgov.blocks.identity.tests.outside import Outside
from smartgov.engines.httpd import sync
from smartgov.engines.pki import citizen, keys
from smartgov.shared.tw import national_id
from smartgov.simulators.moica import home as ministry
from smartgov.simulators.phone import home as phones

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
IDS = {"mother": national_id.make(900_001, 2), "father": national_id.make(900_002, 1)}
WAYS = ["card", "own-push", "own-code", "push", "code", "app", "native"]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside.running(tmp_path_factory.mktemp("outside"), IDS) as found:
        yield found


@pytest.fixture(params=WAYS)
def subject(request: pytest.FixtureRequest, programs: Outside, monkeypatch: pytest.MonkeyPatch) -> Subject:
    for name, value in outside.environment(programs).items():
        monkeypatch.setenv(name, value)
    if request.param == "card":
        if not programs.cards:
            pytest.skip("NOT RUN: softhsm2 is absent (bash scripts/system.sh hsm)")
        return of_card(programs)
    made = of_phone if request.param.startswith("own-") else of_twfido
    return made(programs, request.param, monkeypatch)


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_every_means(check: Callable[[Subject], None], subject: Subject) -> None:
    check(subject)


def of_card(programs: Outside) -> Subject:
    def answered(opened: Opened, persona: str, **how: Any) -> bytes:
        return outside.with_card(opened.form_to, opened.form_request, persona, **how).encode()

    return Subject(
        CardHelper(),
        lambda asked, _: asked,
        answered,
        lambda opened, persona: answered(opened, persona, cancel=True),
        lambda asked, answer: by_certificate(programs, asked, answer),
        lambda: None,
    )


def of_twfido(programs: Outside, way: str, monkeypatch: pytest.MonkeyPatch) -> Subject:
    def act(opened: Opened, persona: str, number: int) -> bytes:
        if way == "push":
            outside.on_phone(programs, persona, number=number)
            return b""
        link = opened.played_at or opened.link
        ended = outside.in_app(programs, outside.scanned(link, persona), number=number)
        if opened.link:  # the app leads back to the page that opened it, with the value that it was given
            assert re.search(r'href="http://localhost:8000/back\?rtn_val=[\w-]+"', ended), ended
        return b""

    return Subject(
        TwFido(),
        lambda asked, persona: replace(asked, national_id=IDS[persona], way=way),
        lambda opened, persona: act(opened, persona, 0),
        lambda opened, persona: act(opened, persona, 1),
        lambda asked, answer: by_certificate(programs, asked, answer),
        lambda: moved(monkeypatch, "SMARTGOV_TWFIDO_URL"),
    )


def of_phone(programs: Outside, way: str, monkeypatch: pytest.MonkeyPatch) -> Subject:
    people = {one.id: one for one in phones.personas(programs.home / "phone")}

    def act(opened: Opened, persona: str, **pressed: str) -> bytes:
        if opened.code:
            outside.press(opened.code, outside.page(opened.code), 0, persona=persona)
        url = f"{programs.phone}/phones/{persona}/requests/{opened.kept['ticket']}"
        outside.press(url, outside.page(url), 0, **pressed)
        return b""

    def proves(asked: Asked, answer: Answer) -> str | None:
        owner = next(one for one in people.values() if one.key_id == answer.key_id)
        key = domain.public_key(owner.public_jwk)
        return owner.id if keys.verify_der(key, answer.signature, asked.content(answer.issued)) else None

    pushed = way == "own-push"
    return Subject(
        PhonePush() if pushed else PhoneCode(),
        lambda asked, persona: replace(asked, key_ids=(people[persona].key_id,)) if pushed else asked,
        lambda opened, persona: act(opened, persona, number="47"),
        lambda opened, persona: act(opened, persona, refuse="1"),
        proves,
        lambda: moved(monkeypatch, "SMARTGOV_PHONE_URL"),
    )


def by_certificate(programs: Outside, asked: Asked, answer: Answer) -> str | None:
    """Whose certificate signed what was asked, by the number that the Ministry gave the person."""
    try:
        holder = citizen.holder_of(signer_of(answer, asked.content()))
    except citizen.NotProvenError:
        return None
    assert holder.last_four in {number[-4:] for number in IDS.values()}
    return next(one.persona for one in ministry.issued(programs.home / "moica") if one.number == holder.serial)


@contextmanager
def moved(monkeypatch: pytest.MonkeyPatch, setting: str) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv(setting, "http://127.0.0.1:9")
        yield


def test_a_foreign_page_gets_nothing_from_the_card(programs: Outside, tmp_path: Path) -> None:
    if not programs.cards:
        pytest.skip("NOT RUN: softhsm2 is absent (bash scripts/system.sh hsm)")
    asked = of_card(programs).asked()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in outside.environment(programs).items():
            patch.setenv(name, value)
        opened = CardHelper().open(asked)
    for origin in ("https://evil.example", "null", ""):
        said = outside.post(opened.form_to, {"request": opened.form_request}, {"origin": origin})
        assert 'name="pin"' not in said, origin
    rebound = {"origin": outside.ORIGIN, "host": "evil.example:8022"}
    assert 'name="pin"' not in outside.post(opened.form_to, {"request": opened.form_request}, rebound)
    answer = sync.request("POST", f"{programs.helper}/requests/none", {"origin": outside.ORIGIN}, b"pin=246810&code=x")
    assert answer.status == 403


def test_three_wrong_pins_lock_the_card_and_say_so(programs: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    if not programs.cards:
        pytest.skip("NOT RUN: softhsm2 is absent (bash scripts/system.sh hsm)")
    for name, value in outside.environment(programs).items():
        monkeypatch.setenv(name, value)
    subject = of_card(programs)
    opened = subject.means.open(subject.asked())
    page = outside.post(opened.form_to, {"request": opened.form_request}, {"origin": outside.ORIGIN})
    page = outside.press(opened.form_to, page, 0, card="father", pin="000000")
    assert "PIN 碼錯誤，請確認後再試" in page
    page = outside.press(opened.form_to, page, 0, card="father", pin="000000")
    assert "剩餘一次機會" in page
    page = outside.press(opened.form_to, page, 0, card="father", pin="000000")
    assert "卡片已鎖定" in page
    answer = re.search(r'name="answer" value="([^"]*)"', page)
    assert answer is not None
    found = subject.means.read(opened.kept, answer[1].encode())
    assert (found.state, found.reason) == ("refused", "pin-locked")
    locked = outside.with_card(opened.form_to, opened.form_request, "father")  # the right PIN, too late
    assert subject.means.read(opened.kept, locked.encode()).reason == "pin-locked"
    outside.post(f"{programs.helper}/unlock/father", {})
    good = outside.with_card(opened.form_to, opened.form_request, "father")
    assert subject.means.read(opened.kept, good.encode()).state == "given"
