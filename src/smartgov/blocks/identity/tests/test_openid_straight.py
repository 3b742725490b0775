"""The way back at once, before Django: for those alone who are signed in and have agreed, and as the view decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from smartgov.blocks.audit.models import Entry
from smartgov.blocks.identity import accounts, sessions
from smartgov.blocks.identity.models import Account, OpenidAuthorization
from smartgov.blocks.identity.tests.factories import SEEDER, a_person, signed_in_citizen, signed_in_officer
from smartgov.blocks.identity.tests.relying import CALLBACK, Shop, registered
from smartgov.blocks.identity.web.openid import straight_back
from smartgov.engines.httpd import Request
from smartgov.engines.pki import keys
from smartgov.shared import clock, ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop()


def arrival(browser: Client, address: str, **more: Any) -> Request:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
    parts = urlsplit(address)
    return Request("GET", parts.path, parts.query, {"cookie": cookies, **more})


def agreed(shop: Shop, subject: str | None = None) -> Client:
    """A browser of somebody who has agreed before."""
    browser = signed_in_citizen(subject)
    shop.sign_in(browser)
    return browser


def test_who_has_agreed_before_is_back_at_once(shop: Shop) -> None:
    browser = agreed(shop)
    address, kept = shop.rp.begin()
    answer = straight_back(arrival(browser, address))
    assert answer is not None
    assert answer.status == 302
    assert answer.headers["location"].startswith(f"{CALLBACK}?code=")
    done = shop.rp.finish(urlsplit(answer.headers["location"]).query, kept)
    assert shop.rp.userinfo(done.access_token)["name"] == "林美玲"
    assert Entry.objects.filter(action="openid.granted").count() == 2
    assert straight_back(arrival(browser, address)) is None, "used up"


def signed_out(subject: str, browser: Client) -> None:
    browser.post("/identity/sign-out")


def signed_out_everywhere(subject: str, browser: Client) -> None:
    Account.objects.filter(subject=subject).update(session_epoch=ids.uuid7())


def closed(subject: str, browser: Client) -> None:
    accounts.close(actor=SEEDER, subject=subject)


def another_cookie(subject: str, browser: Client) -> None:
    browser.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32


def no_cookie(subject: str, browser: Client) -> None:
    del browser.cookies[settings.SESSION_COOKIE_NAME]


def changed_data(subject: str, browser: Client) -> None:
    from django.contrib.sessions.models import Session

    row = Session.objects.get(session_key=browser.cookies[settings.SESSION_COOKIE_NAME].value)
    Session.objects.filter(pk=row.pk).update(session_data=row.session_data[:-2] + "xx")


def withdrawn(subject: str, browser: Client) -> None:
    relation = browser.get("/openid/services").context["rows"][0]
    browser.post(f"/openid/services/{relation.id}/withdraw")


def has_begun_to_act_for_another(subject: str, browser: Client) -> None:
    session = browser.session
    session["smartgov"] = {**session["smartgov"], "acting": [a_person(), "mandate"]}
    session.save()


ENDINGS = [
    signed_out,
    signed_out_everywhere,
    closed,
    another_cookie,
    no_cookie,
    changed_data,
    withdrawn,
    has_begun_to_act_for_another,
]


@pytest.mark.parametrize("ends", ENDINGS, ids=lambda ends: ends.__name__)
def test_whoever_is_no_longer_signed_in_comes_to_a_page(shop: Shop, ends: Callable[[str, Client], None]) -> None:
    subject = a_person()
    browser = agreed(shop, subject)
    ends(subject, browser)
    address, _ = shop.rp.begin()
    assert straight_back(arrival(browser, address)) is None
    assert OpenidAuthorization.objects.filter(state="pushed").count() == 1, "nothing has happened"


@pytest.mark.parametrize("later", [timedelta(seconds=90), timedelta(minutes=31), timedelta(hours=13)])
def test_an_idle_session_is_for_a_page_to_look_at(shop: Shop, later: timedelta) -> None:
    browser = agreed(shop)
    with clock.travelling(delta=later):
        shop.rp._nonce = ""
        address, _ = shop.rp.begin()
        assert straight_back(arrival(browser, address)) is None


def test_a_seat_is_for_a_page_to_look_at(shop: Shop) -> None:
    browser = signed_in_officer("ris", "exchange_officer")
    address, _ = shop.rp.begin()
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert sessions.of_key(key) is None
    assert straight_back(arrival(browser, address)) is None


def test_what_must_be_asked_is_asked_on_a_page(shop: Shop) -> None:
    browser = agreed(shop)
    for wanted in ({"prompt": "consent"}, {"prompt": "login"}, {"scope": "openid email"}, {"max_age": "5"}):
        with clock.travelling(delta=timedelta(seconds=30)):
            address, _ = shop.rp.begin(**wanted)
            assert straight_back(arrival(browser, address)) is None, wanted


def test_what_cannot_be_believed_is_told_on_a_page(shop: Shop) -> None:
    browser = agreed(shop)
    address, _ = shop.rp.begin()
    for wrong in (address.replace(shop.row.id, "nobody"), f"{address}&client_id=b", address[:-2], f"{address}%FF"):
        assert straight_back(arrival(browser, wrong)) is None
    posted = arrival(browser, address)
    posted.method = "POST"
    assert straight_back(posted) is None


def test_plain_requests_are_pages(shop: Shop) -> None:
    browser = signed_in_citizen()
    row = registered(keys.generate_p256(), profile="plain", sunset="2099-01-01", sender="none")
    query = f"client_id={row.id}&response_type=code&scope=openid&redirect_uri={CALLBACK}&code_challenge={'a' * 43}"
    before = OpenidAuthorization.objects.count()
    assert straight_back(arrival(browser, f"/openid/authorize?{query}&code_challenge_method=S256")) is None
    assert OpenidAuthorization.objects.count() == before


def test_the_view_would_have_said_the_same(shop: Shop) -> None:
    browser = agreed(shop)
    first, second = (shop.rp.begin(state="s" * 22)[0] for _ in range(2))
    answer = straight_back(arrival(browser, first))
    assert answer is not None
    parts = urlsplit(second)
    page = browser.get(f"{parts.path}?{parts.query}")
    ours, theirs = (urlsplit(address) for address in (answer.headers["location"], page.headers["Location"]))
    assert (answer.status, ours[:3]) == (page.status_code, theirs[:3])
    assert {**parse_qs(ours.query), "code": []} == {**parse_qs(theirs.query), "code": []}
