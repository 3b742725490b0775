"""Signing in by phone and by passkey, seats, the end of a session, and other people's devices."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from smartgov.blocks.identity import api, mobile
from smartgov.blocks.identity.models import Account, KeptPost, LoginRequest, MobileKey, Passkey, SignIn
from smartgov.blocks.identity.tests.authenticator import Authenticator
from smartgov.blocks.identity.tests.factories import (
    SEEDER,
    Phone,
    a_national_id,
    a_person,
    a_seat,
    signed_in_citizen,
    signed_in_officer,
)
from smartgov.shared import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone() -> Iterator[Phone]:
    made = Phone()
    with mobile.service_replaced(made):
        yield made


@pytest.fixture
def owner(phone: Phone) -> str:
    subject = a_person(nid=a_national_id())
    api.add_mobile_key(actor=SEEDER, subject=subject, jwk=phone.jwk)
    return subject


def begin(browser: Client, following: str = "/identity/account", **form: str) -> str:
    """Begin to sign in by phone; returns the address of the waiting page."""
    answer = browser.post("/identity/mobile", {"way": "code", "next": following, **form})
    assert answer.status_code == 302, answer.content
    return answer.headers["Location"]


def is_signed_in(browser: Client) -> bool:
    return browser.get("/identity/account").status_code == 200


def test_a_stranger_is_sent_to_sign_in_and_comes_back(client: Client) -> None:
    answer = client.get("/identity/account?x=1")
    assert answer.headers["Location"] == "/identity/sign-in?next=%2Fidentity%2Faccount%3Fx%3D1"
    assert 'value="/identity/account?x=1"' in client.get(answer.headers["Location"]).content.decode()


@pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test/", "javascript:alert(1)", "\\\\evil.test"])
def test_nobody_is_sent_to_another_site(client: Client, owner: str, phone: Phone, elsewhere: str) -> None:
    waiting = begin(client, elsewhere)
    phone.approve()
    assert client.get(waiting).headers["Location"] == "/"


def test_the_phone_signs_in_without_scripts(client: Client, owner: str, phone: Phone) -> None:
    waiting = begin(client)
    page = client.get(waiting).content.decode()
    number = str(list(phone.requests.values())[-1]["number"])
    assert number in page
    assert "data:image/svg+xml" in page
    assert client.get(f"{waiting}/state").json() == {"waiting": True}
    phone.approve()
    assert client.get(f"{waiting}/state").json() == {"waiting": False}
    answer = client.get(waiting)
    assert answer.headers["Location"] == "/identity/account"
    assert is_signed_in(client)
    row = SignIn.objects.get(account__subject=owner)
    assert (row.method, row.assurance) == ("mobile", 2)


def test_signing_in_changes_the_session_key(client: Client, owner: str, phone: Phone) -> None:
    waiting = begin(client)
    before = client.cookies[settings.SESSION_COOKIE_NAME].value
    phone.approve()
    client.get(waiting)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before


def test_an_approval_opens_one_session_only(client: Client, owner: str, phone: Phone) -> None:
    waiting = begin(client)
    phone.approve()
    client.get(waiting)
    login = LoginRequest.objects.get()
    assert login.used_at is not None
    session = client.session
    session["identity_login"] = {"browser": "x", "next": "/"}
    session.save()
    assert client.get(waiting).status_code == 404


def test_a_used_request_says_so_to_its_own_browser(client: Client, owner: str, phone: Phone) -> None:
    waiting = begin(client)
    phone.approve()
    LoginRequest.objects.update(used_at=clock.now())
    assert client.get(waiting).status_code == 410
    assert not is_signed_in(client)


def test_an_approval_signed_for_one_request_does_not_open_another(client: Client, owner: str, phone: Phone) -> None:
    begin(client)
    phone.approve()
    first = list(phone.answers.values())[-1]
    waiting = begin(client)
    phone.answers[list(phone.requests)[-1]] = first
    assert client.get(waiting).status_code == 403
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "other",
    [
        {"origin": "https://evil.test"},
        {"nonce": "another"},
        {"number": "00"},
        {"text": {"en": "Pay", "zh": "付款"}},
    ],
)
def test_a_signature_over_anything_else_is_refused(
    client: Client, owner: str, phone: Phone, other: dict[str, object]
) -> None:
    waiting = begin(client)
    phone.approve(**other)  # type: ignore[arg-type]
    assert client.get(waiting).status_code == 403
    assert not is_signed_in(client)


def test_an_old_signature_is_refused(client: Client, owner: str, phone: Phone) -> None:
    waiting = begin(client)
    phone.approve(issued=(clock.now() - timedelta(minutes=5)).isoformat())
    assert client.get(waiting).status_code == 403


def test_an_unknown_phone_is_refused(client: Client, phone: Phone) -> None:
    waiting = begin(client)
    phone.approve()
    assert client.get(waiting).status_code == 403


def test_a_refusal_on_the_phone_signs_nobody_in(client: Client, owner: str, phone: Phone) -> None:
    waiting = begin(client)
    phone.refuse()
    assert client.get(waiting).status_code == 403
    assert not is_signed_in(client)


def test_a_request_ends_after_two_minutes(client: Client, owner: str, phone: Phone) -> None:
    waiting = begin(client)
    with clock.travelling(delta=timedelta(seconds=121)):
        phone.approve()
        assert client.get(waiting).status_code == 410
        assert client.get(f"{waiting}/state").json() == {"waiting": False}


def test_another_browser_cannot_wait_for_the_answer(client: Client, owner: str, phone: Phone) -> None:
    waiting = begin(client)
    phone.approve()
    other = Client()
    begin(other)
    assert other.get(waiting).status_code == 404
    assert Client().get(waiting).status_code == 404


def test_push_reaches_the_owners_phone_only(client: Client, phone: Phone) -> None:
    nid = a_national_id()
    api.add_mobile_key(actor=SEEDER, subject=a_person(nid=nid), jwk=phone.jwk)
    waiting = begin(client, way="push", national_id=nid.lower())
    assert "data:image/svg+xml" not in client.get(waiting).content.decode()
    phone.approve()
    assert client.get(waiting).status_code == 302


def test_push_approved_by_another_persons_phone_is_refused(client: Client, phone: Phone, owner: str) -> None:
    nid = a_national_id()
    api.add_mobile_key(actor=SEEDER, subject=a_person(nid=nid), jwk=Phone().jwk)
    waiting = begin(client, way="push", national_id=nid)
    phone.approve()
    assert client.get(waiting).status_code == 403


def test_push_tells_nobody_who_has_an_account(client: Client, phone: Phone) -> None:
    unknown, known = a_national_id(), a_national_id()
    api.add_mobile_key(actor=SEEDER, subject=a_person(nid=known), jwk=phone.jwk)
    pages = [client.get(begin(client, way="push", national_id=nid)).content.decode() for nid in (unknown, known)]
    blank = [re.sub(r'[0-9a-f-]{36}|>\d\d<|value="[^"]{64}"|\d+ 秒', "", page) for page in pages]
    assert blank[0] == blank[1]
    assert len(phone.requests) == 1


def test_push_is_throttled_for_each_person_and_forgiven_after_success(client: Client, phone: Phone) -> None:
    nid = a_national_id()
    api.add_mobile_key(actor=SEEDER, subject=a_person(nid=nid), jwk=phone.jwk)
    for _ in range(9):
        begin(client, way="push", national_id=nid)
    waiting = begin(client, way="push", national_id=nid)
    form = {"way": "push", "national_id": nid}
    assert client.post("/identity/mobile", form).status_code == 429
    phone.approve()
    client.get(waiting)
    assert client.post("/identity/mobile", form).status_code == 302


def make_passkey(browser: Client, device: Authenticator) -> Any:
    options = browser.post("/identity/account/passkeys/new/options").json()
    return browser.post(
        "/identity/account/passkeys/new/register", json.dumps(device.create(options)), content_type="application/json"
    )


def use_passkey(browser: Client, device: Authenticator, following: str = "/") -> Any:
    options = browser.post("/identity/passkey/options").json()
    return browser.post(
        f"/identity/passkey/sign-in?next={following}", json.dumps(device.get(options)), content_type="application/json"
    )


def test_a_passkey_is_made_and_signs_in(client: Client) -> None:
    subject, device = a_person(), Authenticator(settings.ORIGIN)
    assert make_passkey(signed_in_citizen(subject), device).json() == {"next": "/identity/account"}
    answer = use_passkey(client, device, "/identity/account")
    assert answer.json() == {"next": "/identity/account"}
    assert is_signed_in(client)
    assert Passkey.objects.get().sign_count == 1


def test_a_passkey_answer_cannot_be_used_twice(client: Client) -> None:
    device = Authenticator(settings.ORIGIN)
    make_passkey(signed_in_citizen(), device)
    options = client.post("/identity/passkey/options").json()
    body = json.dumps(device.get(options))
    send = {"data": body, "content_type": "application/json"}
    assert client.post("/identity/passkey/sign-in", **send).status_code == 200
    client.post("/identity/sign-out")
    client.post("/identity/passkey/options")
    assert client.post("/identity/passkey/sign-in", **send).status_code == 403


@pytest.mark.parametrize(
    "device", [{"origin": "https://evil.test"}, {"verifies": False}, {"rp_id": "evil.test"}], ids=str
)
def test_a_passkey_of_elsewhere_or_without_verification_is_refused(device: dict[str, Any]) -> None:
    bad = Authenticator(**{"origin": settings.ORIGIN, **device})
    assert make_passkey(signed_in_citizen(), bad).status_code == 403
    assert Passkey.objects.count() == 0


def test_signing_in_needs_verification_each_time_and_a_rising_counter(client: Client) -> None:
    device = Authenticator(settings.ORIGIN)
    make_passkey(signed_in_citizen(), device)
    flags, device.flags = device.flags, 0x01
    assert use_passkey(client, device).status_code == 403
    device.flags, device.count = flags, 7
    assert use_passkey(client, device).status_code == 200
    device.count = 3
    assert use_passkey(Client(), device).status_code == 403


def test_an_unknown_passkey_and_nonsense_are_refused_alike(client: Client) -> None:
    assert use_passkey(client, Authenticator(settings.ORIGIN)).status_code == 403
    for body in ("", "[]", "{}", '{"id": 1}'):
        client.post("/identity/passkey/options")
        answer = client.post("/identity/passkey/sign-in", body, content_type="application/json")
        assert answer.status_code == 403, body


def test_a_challenge_runs_out(client: Client) -> None:
    device = Authenticator(settings.ORIGIN)
    make_passkey(signed_in_citizen(), device)
    options = client.post("/identity/passkey/options").json()
    with clock.travelling(delta=timedelta(seconds=121)):
        answer = client.post(
            "/identity/passkey/sign-in", json.dumps(device.get(options)), content_type="application/json"
        )
    assert answer.status_code == 403


def test_making_a_passkey_needs_a_recent_sign_in() -> None:
    browser = signed_in_citizen()
    assert browser.get("/identity/account/passkeys/new").status_code == 200
    with clock.travelling(delta=timedelta(minutes=16)):
        assert browser.get("/identity/account/passkeys/new").status_code == 302
        assert browser.post("/identity/account/passkeys/new/options").status_code == 302


def test_people_with_seats_choose_how_they_act(client: Client, phone: Phone, owner: str) -> None:
    seat = a_seat("ris", "case_officer", owner)
    waiting = begin(client, "/wanted")
    phone.approve()
    answer = client.get(waiting)
    assert answer.headers["Location"] == "/identity/seat?next=%2Fwanted"
    page = client.get(answer.headers["Location"]).content.decode()
    assert "戶政司" in page
    assert "承辦人員" in page
    assert client.post("/identity/seat", {"seat": seat, "next": "/wanted"}).headers["Location"] == "/wanted"


def test_another_persons_seat_cannot_be_taken() -> None:
    seat = a_seat("ris", "case_officer")
    assert signed_in_citizen().post("/identity/seat", {"seat": seat}).status_code == 404


def test_an_ended_seat_ends_at_once() -> None:
    subject = a_person()
    browser = signed_in_officer("portal", "operator", subject)
    assert browser.get("/ops/").status_code == 200
    api.end_seat(actor=SEEDER, seat=api.seats_of(subject)[0].id)
    assert browser.get("/ops/").status_code == 403


def test_a_page_of_another_seat_leads_to_the_choice() -> None:
    subject = a_person()
    a_seat("portal", "operator", subject)
    assert signed_in_citizen(subject).get("/ops/").headers["Location"] == "/identity/seat?next=%2Fops%2F"


@pytest.mark.parametrize("idle", [timedelta(minutes=31), timedelta(hours=9)])
def test_a_session_ends_when_idle(idle: timedelta) -> None:
    browser = signed_in_citizen()
    with clock.travelling(delta=idle):
        assert not is_signed_in(browser)


def test_a_session_ends_after_eight_hours_of_use() -> None:
    browser = signed_in_citizen()
    for minutes in range(25, 480, 25):
        with clock.travelling(delta=timedelta(minutes=minutes)):
            assert is_signed_in(browser)
    with clock.travelling(delta=timedelta(minutes=485)):
        assert not is_signed_in(browser)


def kept_address(answer: Any) -> str:
    return "/identity/kept/" + KeptPost.objects.get().id if "kept" in answer.headers["Location"] else ""


def test_answers_of_an_ended_session_are_kept_for_their_writer(phone: Phone, owner: str) -> None:
    browser = signed_in_citizen(owner)
    with clock.travelling(delta=timedelta(minutes=31)):
        answer = browser.post("/identity/seat", {"seat": "<written>", "also": ["a", "b"]})
        address = kept_address(answer)
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM identity_keptpost")
            assert "written" not in str(cursor.fetchall())
        waiting = begin(browser, address)
        phone.approve()
        assert browser.get(waiting).headers["Location"] == address
        page = browser.get(address).content.decode()
    for part in ('action="/identity/seat"', 'value="&lt;written&gt;"', 'value="a"', 'value="b"'):
        assert part in page


def test_answers_are_kept_when_the_session_cookie_is_gone() -> None:
    browser = signed_in_citizen()
    del browser.cookies[settings.SESSION_COOKIE_NAME]
    assert kept_address(browser.post("/identity/seat", {"seat": "x"}))


def test_kept_answers_are_not_shown_to_others_nor_later() -> None:
    subject = a_person()
    browser = signed_in_citizen(subject)
    with clock.travelling(delta=timedelta(minutes=31)):
        address = kept_address(browser.post("/identity/seat", {"seat": "x"}))
        assert signed_in_citizen().get(address).status_code == 404
        assert signed_in_citizen(subject).get(address).status_code == 404, "another browser"
    again = signed_in_citizen(subject)
    again.cookies.update({name: value for name, value in browser.cookies.items() if "browser" in name})
    with clock.travelling(delta=timedelta(minutes=29)):
        assert again.get(address).status_code == 200
    KeptPost.objects.update(expires_at=clock.now())
    assert again.get(address).status_code == 404


def test_nothing_is_kept_of_a_stranger(client: Client) -> None:
    answer = client.post("/identity/seat", {"seat": "x"})
    assert answer.headers["Location"] == "/identity/sign-in?next=%2F"
    client.cookies[f"{settings.SESSION_COOKIE_NAME}_browser"] = "forged"
    client.post("/identity/seat", {"seat": "x"})
    assert KeptPost.objects.count() == 0


def test_kept_answers_can_be_thrown_away() -> None:
    subject = a_person()
    browser = signed_in_citizen(subject)
    with clock.travelling(delta=timedelta(minutes=31)):
        address = kept_address(browser.post("/identity/seat", {"seat": "x"}))
    signed_in_citizen().post(address)
    assert KeptPost.objects.count() == 1
    signed_in_citizen(subject).post(address)
    assert KeptPost.objects.count() == 0


def test_the_account_page_shows_only_the_own_devices() -> None:
    mine, other = a_person(), a_person()
    browser, strange = signed_in_citizen(mine), signed_in_citizen(other)
    make_passkey(browser, Authenticator(settings.ORIGIN))
    api.add_mobile_key(actor=SEEDER, subject=mine, jwk=Phone().jwk)
    passkey, phone = Passkey.objects.get(), MobileKey.objects.get()
    assert passkey.id in browser.get("/identity/account").content.decode()
    assert passkey.id not in strange.get("/identity/account").content.decode()
    for address in (f"passkeys/{passkey.id}", f"phones/{phone.id}"):
        assert strange.post(f"/identity/account/{address}/remove").status_code == 404
    assert browser.post(f"/identity/account/passkeys/{passkey.id}/remove").status_code == 302
    assert browser.post(f"/identity/account/phones/{phone.id}/remove").status_code == 409, "the last way stays"
    assert (Passkey.objects.count(), MobileKey.objects.count()) == (0, 1)


def test_sign_out_ends_the_session_and_forgets_the_browser() -> None:
    browser = signed_in_citizen()
    assert browser.post("/identity/sign-out").status_code == 302
    assert not is_signed_in(browser)
    assert browser.cookies[f"{settings.SESSION_COOKIE_NAME}_browser"].value == ""


def test_sign_out_everywhere_ends_every_session() -> None:
    subject = a_person()
    here, there = signed_in_citizen(subject), signed_in_citizen(subject)
    assert here.post("/identity/account/sign-out-everywhere").status_code == 302
    assert [is_signed_in(browser) for browser in (here, there)] == [False, False]


def test_personas_exist_in_the_demo_only_and_sign_nobody_in(client: Client, settings: Any) -> None:
    settings.DEMO = False
    assert client.get("/identity/personas").status_code == 404
    settings.DEMO = True
    assert client.get("/identity/personas").status_code == 200
    assert not is_signed_in(client)


def test_no_route_signs_in_without_a_proof(client: Client) -> None:
    subject = a_person()
    account = Account.objects.get(subject=subject)
    for address in ("/identity/sign-in", "/identity/mobile", "/identity/passkey/sign-in", "/identity/personas"):
        client.post(address, {"subject": subject, "user": account.pk, "national_id": account.national_id})
        assert not is_signed_in(client)
