"""Signing in on the real pages with the real programs: first use, later uses, and everything that must not open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from smartgov.blocks.identity.means import connected, standing
from smartgov.blocks.identity.models import Account, CitizenCertificate, Proving, SignIn
from smartgov.blocks.identity.openid.service import event_of
from smartgov.blocks.identity.tests import outside
from smartgov.blocks.identity.tests.factories import a_person, signed_in_citizen
from smartgov.blocks.identity.tests.outside import Outside
from smartgov.engines.openid.levels import AAL2, AAL3, PHR, PHRH, satisfies
from smartgov.shared import clock
from smartgov.shared.tw import national_id
from smartgov.simulators.moica import home as ministry

pytestmark = [pytest.mark.enable_socket, pytest.mark.process, pytest.mark.django_db]
IDS = {"mother": national_id.make(910_001, 2), "father": national_id.make(910_002, 1)}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside.running(tmp_path_factory.mktemp("proving"), IDS) as found:
        yield found


@pytest.fixture
def programs(running: Outside, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Outside:
    outside.met(running, monkeypatch, settings)
    return running


@pytest.fixture
def cards(programs: Outside) -> Outside:
    if not programs.cards:
        pytest.skip("NOT RUN: softhsm2 is absent (bash scripts/system.sh hsm)")
    return programs


@pytest.fixture
def people() -> dict[str, str]:
    return {key: a_person(name, nid=IDS[key]) for key, (name, _) in outside.PEOPLE.items()}


def begin_app(client: Client, persona: str, way: str = "push") -> str:
    form = {"id_num": IDS[persona], "way": way}
    return client.post("/identity/prove/with/twfido", form).headers["Location"]


def later(seconds: float = 5) -> None:
    """The service wants four seconds between two looks; for the row they have passed."""
    for row in Proving.objects.exclude(looked_at=None):
        row.looked_at = clock.now() - timedelta(seconds=seconds)
        row.save()


def signed_in_as(client: Client) -> str | None:
    return str(client.session.get("_auth_user_id")) if "_auth_user_id" in client.session else None


def account(subject: str) -> str:
    return str(Account.objects.get(subject=subject).pk)


def test_the_page_offers_both_where_they_are_connected(client: Client, programs: Outside) -> None:
    page = client.get("/identity/sign-in").content.decode()
    assert "way-twfido" in page
    assert "way-card" in page
    (programs.home / "means" / "anchors.pem").rename(programs.home / "means" / "away.pem")
    try:
        assert connected.ready() == []
        assert "way-card" not in client.get("/identity/sign-in").content.decode()
        assert client.post("/identity/prove/with/card").status_code == 404
    finally:
        (programs.home / "means" / "away.pem").rename(programs.home / "means" / "anchors.pem")


def test_a_card_asks_whose_it_is_once(client: Client, cards: Outside, people: dict[str, str]) -> None:
    waiting = outside.use_card(client, "mother")
    page = client.get(waiting).content.decode()
    assert 'name="national_id"' in page
    assert IDS["mother"] not in page
    done = client.post(f"{waiting}/person", {"national_id": IDS["mother"]})
    assert (done.status_code, signed_in_as(client)) == (302, account(people["mother"]))
    assert SignIn.objects.get().assurance == 3
    again = Client()
    assert again.get(outside.use_card(again, "mother")).headers["Location"] == "/"
    assert signed_in_as(again) == account(people["mother"])
    assert CitizenCertificate.objects.count() == 1
    listed = again.get("/identity/account").content.decode()
    assert "IC 卡" in listed


def test_a_card_reaches_the_highest_levels(client: Client, cards: Outside, people: dict[str, str]) -> None:
    waiting = outside.use_card(client, "mother")
    client.get(waiting)
    request = client.post(f"{waiting}/person", {"national_id": IDS["mother"]}).wsgi_request
    event = event_of(request)
    assert event is not None
    assert all(satisfies(event, acr) for acr in (AAL2, AAL3, PHR, PHRH))
    assert set(event.amr) == {"sc", "hwk", "pin", "mfa"}


def test_a_card_does_not_open_another_persons_account(client: Client, cards: Outside, people: dict[str, str]) -> None:
    waiting = outside.use_card(client, "mother")
    for wrong in (IDS["father"], national_id.make(910_077, 2), "", "A123456789"):
        answer = client.post(f"{waiting}/person", {"national_id": wrong})
        assert (answer.status_code, signed_in_as(client)) == (403, None), wrong
    assert not CitizenCertificate.objects.exists()


def test_an_answer_is_good_for_one_request_and_one_session(
    client: Client, cards: Outside, people: dict[str, str]
) -> None:
    waiting, address, request = outside.begin_card(client)
    answer = outside.with_card(address, request, "mother")
    other = Client()
    elsewhere, _, _ = outside.begin_card(other)
    outside.bring(other, elsewhere, answer)  # stolen on its way: it was made for another nonce
    assert other.get(elsewhere).status_code == 403
    outside.bring(client, waiting, answer)
    assert client.post(f"{waiting}/person", {"national_id": IDS["mother"]}).status_code == 302
    assert client.get(waiting).status_code == 404  # the session was renewed, and the request belongs to the old one
    thief = Client()
    assert thief.get(waiting).status_code == 404
    assert thief.post(f"{waiting}/person", {"national_id": IDS["mother"]}).status_code == 404


def test_too_late_is_too_late(client: Client, cards: Outside, people: dict[str, str]) -> None:
    waiting, address, request = outside.begin_card(client)
    answer = outside.with_card(address, request, "mother")
    Proving.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    outside.bring(client, waiting, answer)
    assert client.get(waiting).status_code == 410
    assert not Proving.objects.get().delivered


def test_cancelling_and_a_locked_card_are_told(client: Client, cards: Outside, people: dict[str, str]) -> None:
    waiting, address, request = outside.begin_card(client)
    outside.bring(client, waiting, outside.with_card(address, request, "mother", cancel=True))
    assert "您已取消" in client.get(waiting).content.decode()
    for _ in range(3):
        waiting, address, request = outside.begin_card(client)
        answer = outside.with_card(address, request, "father", pin="999999")
    outside.bring(client, waiting, answer)
    page = client.get(waiting).content.decode()
    assert "卡片已鎖定" in page
    assert "戶政事務所" in page
    outside.post(f"{cards.helper}/unlock/father", {})


@pytest.mark.parametrize("way", ["push", "code", "app"])
def test_the_app_signs_in(client: Client, programs: Outside, people: dict[str, str], way: str) -> None:
    waiting = begin_app(client, "mother", way)
    page = client.get(waiting).content.decode()
    number = Proving.objects.get().number
    assert number in page
    assert client.get(f"{waiting}/state").json() == {"waiting": True}
    if way == "push":
        outside.on_phone(programs, "mother")
    else:
        link = re.search(r'href="([^"]*(?:verifySign|scan)\?[^"]*)"', page) if way == "app" else None
        address = unescape(link[1]) if link else _scan(programs)
        outside.in_app(programs, outside.scanned(address, "mother"))
    later()
    assert client.get(f"{waiting}/state").json() == {"waiting": False}
    assert client.get(waiting).headers["Location"] == "/"
    assert signed_in_as(client) == account(people["mother"])
    assert SignIn.objects.get().assurance == 2


def _scan(programs: Outside) -> str:
    """What a phone's camera sees: the ticket in the code."""
    import json

    shown = json.loads(Proving.objects.get().opened)
    return f"{programs.moica}/scan?sp_ticket={shown['code']}"


def test_the_app_is_no_phishing_resistant_means(client: Client, programs: Outside, people: dict[str, str]) -> None:
    waiting = begin_app(client, "mother")
    outside.on_phone(programs, "mother")
    event = event_of(client.get(waiting).wsgi_request)
    assert event is not None
    assert satisfies(event, AAL2)
    assert not any(satisfies(event, acr) for acr in (AAL3, PHR, PHRH))


def test_a_cancelled_app_says_so(client: Client, programs: Outside, people: dict[str, str]) -> None:
    waiting = begin_app(client, "mother")
    outside.on_phone(programs, "mother", number=1)
    assert "您已取消" in client.get(waiting).content.decode()
    assert signed_in_as(client) is None
    assert client.get(waiting).status_code == 410


def test_cancelling_on_the_page_ends_it(client: Client, programs: Outside, people: dict[str, str]) -> None:
    waiting = begin_app(client, "mother")
    client.post(f"{waiting}/cancel")
    outside.on_phone(programs, "mother")
    assert client.get(waiting).status_code == 410
    assert signed_in_as(client) is None


def test_a_stranger_learns_nothing_from_the_page(client: Client, programs: Outside, people: dict[str, str]) -> None:
    nobody = national_id.make(910_099, 1)
    for way in ("push", "code", "app"):
        known = client.get(begin_app(client, "mother", way)).content.decode()
        form = {"id_num": nobody, "way": way}
        waiting = client.post("/identity/prove/with/twfido", form).headers["Location"]
        unknown = client.get(waiting).content.decode()
        shapes = [re.sub(r'(src|href|value|data-wait|action)="[^"]*"|\d+', "", page) for page in (known, unknown)]
        assert shapes[0] == shapes[1], way
        assert client.get(f"{waiting}/state").json() == {"waiting": True}


def test_a_revoked_certificate_signs_nobody_in(client: Client, programs: Outside, people: dict[str, str]) -> None:
    waiting = begin_app(client, "father")
    outside.on_phone(programs, "father")
    moica = programs.home / "moica"
    serial = ministry.of_kind(moica, "father", "mobile")[0].serial
    before = (moica / "issued.json").read_bytes()
    ministry.revoke(moica, serial)
    try:
        page = client.get(waiting)
        assert (page.status_code, signed_in_as(client)) == (403, None)
        assert "已廢止" in page.content.decode()
    finally:
        (moica / "issued.json").write_bytes(before)


class Silent:
    """An authority whose responder and list are away; the rest is the real one's."""

    def __init__(self, real: object, *, crl: bool) -> None:
        self.real, self.with_list = real, crl

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def ocsp(self, question: bytes) -> bytes:
        raise ConnectionError

    def crl(self) -> bytes:
        if not self.with_list:
            raise ConnectionError
        return self.real.crl()  # type: ignore[attr-defined,no-any-return]


def test_without_answers_the_list_decides_and_without_both_the_level_falls(
    cards: Outside, people: dict[str, str]
) -> None:
    first = Client()
    first.post(f"{outside.use_card(first, 'mother')}/person", {"national_id": IDS["mother"]})
    real = connected.current().certifier
    for with_list, level in ((True, 3), (False, 2)):
        standing.forget()
        with connected.replaced(certifier=Silent(real, crl=with_list)):
            browser = Client()
            browser.get(outside.use_card(browser, "mother"))
            assert signed_in_as(browser) == account(people["mother"])
        assert SignIn.objects.order_by("-at")[0].assurance == level


def test_a_forgotten_card_has_to_be_bound_anew(cards: Outside, people: dict[str, str]) -> None:
    first = Client()
    first.post(f"{outside.use_card(first, 'mother')}/person", {"national_id": IDS["mother"]})
    bound = CitizenCertificate.objects.get()
    alone = first.post(f"/identity/account/certificates/{bound.id}/remove")
    assert alone.status_code == 409  # it is the only way to sign in
    second = signed_in_citizen(people["father"])
    assert second.post(f"/identity/account/certificates/{bound.id}/remove").status_code == 404
