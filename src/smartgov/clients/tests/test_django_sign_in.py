"""A Django site of another house with the helper, against the real provider: in, out, and told from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory

from smartgov.blocks.identity.openid import logouts
from smartgov.blocks.identity.tests.factories import signed_in_citizen
from smartgov.blocks.identity.tests.relying import CALLBACK, Shop, send_to_site
from smartgov.blocks.ops import api as ops
from smartgov.clients import django_sign_in
from smartgov.engines.pki import keys

pytestmark = pytest.mark.django_db


class Site:
    """The other house's site: its views, called as Django would, and a browser's session there."""

    def __init__(self) -> None:
        self.session = SessionStore()

    def call(self, view: Any, method: str, address: str, data: dict[str, str] | None = None) -> Any:
        """One request of the browser."""
        request = getattr(RequestFactory(), method)(address, data)
        request.session = self.session
        answer = view(request)
        self.session = request.session
        return answer

    @property
    def person(self) -> Any:
        """Who is signed in here."""
        request = RequestFactory().get("/")
        request.session = self.session
        return django_sign_in.person(request)

    def sign_in(self, shop: Shop, browser: Client, query: str = "") -> Any:
        """To the platform and back."""
        begun = self.call(django_sign_in.sign_in, "get", f"/sign-in/{query}")
        page = browser.get(begun["Location"].removeprefix(shop.rp.issuer))
        while page.status_code == 302 and not page["Location"].startswith(CALLBACK):
            page = browser.get(page["Location"])
        answer = shop.agree(browser, page) if page.status_code == 200 else page
        back = urlsplit(answer["Location"]).query
        return self.call(django_sign_in.callback, "get", f"/sign-in/callback?{back}")


@pytest.fixture
def shop() -> Shop:
    return Shop(backchannel_logout_uri="https://shop.example.test/sign-in/logout")


@pytest.fixture
def site(shop: Shop, settings: Any, tmp_path: Any) -> Iterator[Site]:
    keys.save_private(tmp_path / "key.pem", shop.rp.key)
    settings.SMARTGOV_SIGN_IN = {
        "issuer": shop.rp.issuer,
        "client_id": shop.row.id,
        "key_file": tmp_path / "key.pem",
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "send": send_to_site,
    }
    django_sign_in.party.cache_clear()
    yield Site()
    django_sign_in.party.cache_clear()


def test_a_person_signs_in_and_goes_where_they_were_going(shop: Shop, site: Site) -> None:
    before = site.session.session_key
    assert site.sign_in(shop, signed_in_citizen(), "?next=/books/7")["Location"] == "/books/7"
    assert site.person["name"] == "林美玲"
    assert site.person["acr"] == "urn:smartgov:acr:aal2"
    assert site.session.session_key != before


def test_the_platforms_word_ends_the_session_in_every_process(shop: Shop, site: Site) -> None:
    browser = signed_in_citizen()
    site.sign_in(shop, browser)
    browser.post("/identity/sign-out")
    heard: list[bytes] = []
    with logouts.post_replaced(lambda _, body: heard.append(body)):
        ops.dispatch()
    token = parse_qs(heard[0].decode())["logout_token"][0]
    other_process = Site()
    for _ in range(2):
        heard_there = other_process.call(django_sign_in.logout, "post", "/sign-in/logout", {"logout_token": token})
        assert heard_there.status_code == 200
    assert site.person is None
    for forged in ("", "a.b.c", token[:-4] + "AAAA"):
        answer = other_process.call(django_sign_in.logout, "post", "/sign-in/logout", {"logout_token": forged})
        assert answer.status_code == 400


def test_a_stolen_answer_opens_nothing(shop: Shop, site: Site) -> None:
    begun = site.call(django_sign_in.sign_in, "get", "/sign-in/")
    browser = signed_in_citizen()
    page = browser.get(begun["Location"].removeprefix(shop.rp.issuer))
    page = browser.get(page["Location"])
    back = urlsplit(shop.agree(browser, page)["Location"]).query
    thief = Site()
    assert thief.call(django_sign_in.callback, "get", f"/sign-in/callback?{back}").content == b"sign-in: untrusted"
    assert thief.person is None
    assert site.call(django_sign_in.callback, "get", f"/sign-in/callback?{back}").status_code == 302
    again = site.call(django_sign_in.callback, "get", f"/sign-in/callback?{back}")
    assert again.status_code == 400, "once only"


def test_nobody_is_led_to_another_house(shop: Shop, site: Site) -> None:
    assert site.sign_in(shop, signed_in_citizen(), "?next=//evil.test/")["Location"] == "/"


def test_leaving_asks_the_platform_too(shop: Shop, site: Site) -> None:
    site.sign_in(shop, signed_in_citizen())
    gone = site.call(django_sign_in.sign_out, "post", "/sign-in/out")
    assert gone["Location"].startswith(f"{shop.rp.issuer}/openid/end-session?id_token_hint=")
    assert site.person is None
