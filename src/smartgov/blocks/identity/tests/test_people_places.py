"""Where somebody is signed in and with which browsers: seen, told, ended from elsewhere, limited."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory

from smartgov.blocks.identity import api
from smartgov.blocks.identity.models import Account, KnownBrowser, LiveSession, MobileKey, OpenidLogout, SignIn
from smartgov.blocks.identity.openid import logouts
from smartgov.blocks.identity.people import browsers, live, places
from smartgov.blocks.identity.tests.factories import SEEDER, Phone, a_national_id, a_person, signed_in_citizen
from smartgov.blocks.identity.tests.relying import Shop
from smartgov.blocks.ops import api as ops
from smartgov.blocks.ops.models import Event
from smartgov.shared import clock

pytestmark = pytest.mark.django_db


def told(subject: str) -> list[str]:
    rows = Event.objects.filter(name="account_touched", aggregate=subject).order_by("happened_at", "id")
    return [row.payload["what"] for row in rows]


def sid(browser: Client) -> str:
    return str(browser.session["smartgov"]["sid"])


def is_signed_in(browser: Client) -> bool:
    return browser.get("/identity/account").status_code == 200


def test_a_session_is_ended_from_elsewhere_and_the_party_hears_of_it() -> None:
    subject = a_person()
    here, there = signed_in_citizen(subject), signed_in_citizen(subject)
    Shop(backchannel_logout_uri="http://127.0.0.1:9/logout").sign_in(there)
    page = here.get("/identity/account").content.decode()
    assert f"/identity/account/sessions/{sid(there)}/end" in page
    assert here.post(f"/identity/account/sessions/{sid(there)}/end").status_code == 302
    assert [is_signed_in(here), is_signed_in(there)] == [True, False]
    heard: list[bytes] = []
    with logouts.post_replaced(lambda _, body: heard.append(body)):
        ops.dispatch()
    assert len(heard) == 1
    assert OpenidLogout.objects.exclude(arrived_at=None).count() == 1


def test_all_other_sessions_are_ended() -> None:
    subject = a_person()
    mine = [signed_in_citizen(subject) for _ in range(3)]
    stranger = signed_in_citizen()
    assert mine[0].post("/identity/account/sessions/end-others").status_code == 302
    assert [is_signed_in(browser) for browser in mine] == [True, False, False]
    assert is_signed_in(stranger)


def test_nobody_ends_anothers_session() -> None:
    other = signed_in_citizen()
    assert signed_in_citizen().post(f"/identity/account/sessions/{sid(other)}/end").status_code == 404
    assert is_signed_in(other)


def test_the_eleventh_session_ends_the_oldest() -> None:
    subject = a_person()
    opened = []
    for minute in range(live.MOST + 1):
        with clock.travelling(delta=timedelta(seconds=minute)):
            opened.append(signed_in_citizen(subject))
    assert [is_signed_in(browser) for browser in opened] == [False] + [True] * live.MOST


def test_signing_in_again_keeps_the_sid_under_a_new_key_and_another_person_gets_none_of_it() -> None:
    browser, phone = signed_in_citizen(), Phone()
    before, key = sid(browser), browser.cookies[settings.SESSION_COOKIE_NAME].value
    subject = LiveSession.objects.get(sid=before).account.subject
    _sign_in_by_phone(browser, phone, subject)
    assert sid(browser) == before
    assert browser.cookies[settings.SESSION_COOKIE_NAME].value != key
    _sign_in_by_phone(browser, Phone(), a_person())
    assert sid(browser) != before
    assert not LiveSession.objects.filter(sid=before).exists()


def _sign_in_by_phone(browser: Client, phone: Phone, subject: str) -> None:
    from smartgov.blocks.identity import mobile

    api.add_mobile_key(actor=SEEDER, subject=subject, jwk=phone.jwk)
    with mobile.service_replaced(phone):
        waiting = browser.post("/identity/mobile", {"way": "code"}).headers["Location"]
        phone.approve()
        assert browser.get(waiting).status_code == 302


def test_a_closed_account_and_a_sign_out_leave_no_session_behind() -> None:
    subject = a_person()
    first, second = signed_in_citizen(subject), signed_in_citizen(subject)
    first.post("/identity/sign-out")
    assert LiveSession.objects.filter(account__subject=subject).count() == 1
    api.close(actor=SEEDER, subject=subject)
    assert LiveSession.objects.filter(account__subject=subject).count() == 0
    assert not is_signed_in(second)


def test_a_session_moves_with_its_seat() -> None:
    subject = a_person()
    browser = signed_in_citizen(subject)
    browser.post("/identity/seat", {"seat": ""})
    other = signed_in_citizen(subject)
    other.post(f"/identity/account/sessions/{sid(browser)}/end")
    assert not is_signed_in(browser)


def test_a_new_browser_is_told_of_and_a_known_one_is_not() -> None:
    subject, phone = a_person(), Phone()
    home = Client(headers={"User-Agent": "Firefox Linux"})
    _sign_in_by_phone(home, phone, subject)
    assert told(subject) == [], "the first browser is no news"
    home.post("/identity/sign-out")
    _sign_in_by_phone(home, phone, subject)
    assert told(subject) == []
    _sign_in_by_phone(Client(headers={"User-Agent": "Chrome Android"}), phone, subject)
    assert told(subject) == ["new_browser"]
    assert KnownBrowser.objects.filter(account__subject=subject).count() == 2
    newest = SignIn.objects.filter(account__subject=subject).latest("at")
    assert (newest.new_browser, newest.device, newest.place) == (True, "Chrome Android", "local")


def test_a_cookie_in_a_browser_of_another_kind_is_new_and_no_longer_trusted() -> None:
    subject, phone = a_person(), Phone()
    home = Client(headers={"User-Agent": "Firefox Linux"})
    _sign_in_by_phone(home, phone, subject)
    home.post("/identity/account/browsers/trust")
    copied = Client(headers={"User-Agent": "Chrome Windows"})
    copied.cookies[browsers.COOKIE] = home.cookies[browsers.COOKIE].value
    assert 'name="trusted"' not in copied.get("/identity/sign-in").content.decode()
    _sign_in_by_phone(copied, phone, subject)
    assert told(subject) == ["new_browser"]
    assert KnownBrowser.objects.get(account__subject=subject).trusted_until is None


def test_a_trusted_browser_calls_the_phone_without_an_id_and_signs_nobody_in() -> None:
    from smartgov.blocks.identity import mobile

    national_id, phone, browser = a_national_id(), Phone(), Client()
    subject = a_person("林美玲", nid=national_id)
    _sign_in_by_phone(browser, phone, subject)
    browser.post("/identity/account/browsers/trust")
    browser.post("/identity/sign-out")
    assert "通知林美玲的手機" in browser.get("/identity/sign-in").content.decode()
    assert not is_signed_in(browser)
    with mobile.service_replaced(phone):
        for _ in range(11):
            Client().post("/identity/mobile", {"way": "push", "national_id": national_id})
        waiting = browser.post("/identity/mobile", {"way": "push", "trusted": subject}).headers["Location"]
        phone.approve()
        assert browser.get(waiting).status_code == 302
        stranger = Client().post("/identity/mobile", {"way": "push", "trusted": subject})
        assert stranger.headers["Location"].startswith("/identity/sign-in")
    with clock.travelling(delta=timedelta(days=31)):
        assert 'name="trusted"' not in browser.get("/identity/sign-in").content.decode()


def test_a_forgotten_browser_is_new_again() -> None:
    subject, phone, browser = a_person(), Phone(), Client()
    _sign_in_by_phone(browser, phone, subject)
    _sign_in_by_phone(Client(headers={"User-Agent": "Firefox"}), phone, subject)
    row = KnownBrowser.objects.get(account__subject=subject, label="")
    assert browser.post(f"/identity/account/browsers/{row.id}/forget").status_code == 302
    assert signed_in_citizen().post(f"/identity/account/browsers/{row.id}/forget").status_code == 404
    _sign_in_by_phone(browser, phone, subject)
    assert told(subject) == ["new_browser", "new_browser"]


REGISTRY = """2|apnic|20261128|3|19830613|20261128|+1000
apnic|*|ipv4|*|2|summary
# a comment
apnic|TW|ipv4|1.160.0.0|1048576|20100921|allocated
apnic|JP|ipv4|1.0.16.0|4096|20110412|allocated
apnic|TW|ipv6|2001:b000::|20|20041220|allocated
apnic||ipv4|1.1.64.0|256||available
"""


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("1.160.0.0", "TW"),
        ("1.175.255.255", "TW"),
        ("1.176.0.0", ""),
        ("1.0.20.1", "JP"),
        ("1.1.64.9", ""),
        ("2001:b000::1", "TW"),
        ("2001:bfff:ffff:ffff:ffff::1", "TW"),
        ("2001:c000::1", ""),
        ("127.0.0.1", "local"),
        ("10.1.2.3", "local"),
        ("nonsense", ""),
    ],
)
def test_places_come_from_the_registries_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, place: str
) -> None:
    monkeypatch.setattr(places, "table_path", lambda: tmp_path / "places.bin")
    assert places.of(RequestFactory().get("/", REMOTE_ADDR="1.160.0.0")) == "", "without a table"
    file = tmp_path / "delegated-apnic-extended-latest"
    file.write_text(REGISTRY)
    call_command("network_places", str(file))
    assert places.of(RequestFactory().get("/", REMOTE_ADDR=address)) == place


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    for path in (tmp_path / "x", tmp_path / "none"):
        with pytest.raises(CommandError):
            call_command("network_places", str(path))


def test_places_have_names_in_both_languages() -> None:
    assert places.in_words("TW").en == "Taiwan"
    assert places.in_words("XX").zh == "XX"
    assert places.in_words("").zh == "地點不明"


def test_all_sessions_of_a_person_end_by_command(capsys: Any) -> None:
    subject = a_person()
    browser, other = signed_in_citizen(subject), signed_in_citizen()
    call_command("end_sessions", subject=subject)
    assert [is_signed_in(browser), is_signed_in(other)] == [False, True]
    call_command("end_sessions", all=True)
    assert not is_signed_in(other)
    with pytest.raises(CommandError):
        call_command("end_sessions", subject="nobody")
    with pytest.raises(CommandError):
        call_command("end_sessions")


def test_the_history_shows_place_device_and_outcome() -> None:
    subject = a_person()
    browser = signed_in_citizen(subject)
    account = Account.objects.get(subject=subject)
    SignIn.objects.create(account=account, method="password", device="Edge Windows", place="JP", assurance=0, refused=1)
    page = browser.get("/identity/account").content.decode()
    for words in ("日本", "Edge Windows", "未通過", "本地網路", "成功"):
        assert words in page, words


def test_session_keys_are_long_and_new() -> None:
    keys = {signed_in_citizen().cookies[settings.SESSION_COOKIE_NAME].value for _ in range(20)}
    assert len(keys) == 20
    # Django draws 32 signs out of 36 from the system's generator: 165 bits.
    assert all(len(key) == 32 and set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789") for key in keys)


def test_after_a_change_of_means_the_others_can_be_ended() -> None:
    subject = a_person()
    here, there = signed_in_citizen(subject), signed_in_citizen(subject)
    for key in (Phone(), Phone()):
        api.add_mobile_key(actor=SEEDER, subject=subject, jwk=key.jwk)
    removed = MobileKey.objects.filter(account__subject=subject)[0].id
    answer = here.post(f"/identity/account/phones/{removed}/remove", follow=True)
    assert 'action="/identity/account/sessions/end-others"' in answer.content.decode()
    here.post("/identity/account/sessions/end-others")
    assert not is_signed_in(there)


@pytest.mark.parametrize("path", ["/", "/identity/account", "/identity/seat", "/notify/", "/directory/"])
def test_signing_out_is_on_every_page(path: str) -> None:
    page = signed_in_citizen().get(path, follow=True)
    assert page.status_code == 200
    assert 'action="/identity/sign-out"' in page.content.decode()
