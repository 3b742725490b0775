"""A real browser: a passkey made and used, the phone without scripts, and axe over every page of signing in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from playwright.sync_api import Browser, Page, sync_playwright

from smartgov.blocks.identity import api, mobile
from smartgov.blocks.identity.models import Passkey, SignIn
from smartgov.blocks.identity.tests.factories import SEEDER, Phone, a_person, a_seat, signed_in_citizen

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.process,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


@pytest.fixture
def origin(live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the running site, which is also the one that keys sign for."""
    # Playwright's own loop runs in this thread; the database is used here and in the server's thread only.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    settings.ORIGIN = live_server.url
    return str(live_server.url)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def new_page(browser: Browser, *, scripts: bool = True) -> Page:
    """A page of somebody in Taiwan."""
    page = browser.new_context(locale="zh-TW", java_script_enabled=scripts).new_page()
    page.set_default_timeout(60_000)
    return page


def look(page: Page) -> None:
    """Axe finds nothing on the page."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def sign_in_as(page: Page, origin: str, subject: str) -> None:
    """Give the browser the session of a signed-in person."""
    for name, morsel in signed_in_citizen(subject).cookies.items():
        page.context.add_cookies([{"name": name, "value": morsel.value, "url": origin}])


def with_authenticator(page: Page) -> None:
    """A platform authenticator that verifies its user at once."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_made_and_opens_the_next_session(browser: Browser, origin: str) -> None:
    page = new_page(browser)
    subject = a_person()
    sign_in_as(page, origin, subject)
    with_authenticator(page)
    page.goto(f"{origin}/identity/account")
    look(page)
    page.get_by_role("link", name="在這部裝置建立通行密鑰").click()
    look(page)
    page.get_by_role("button", name="建立通行密鑰").click()
    page.wait_for_url("**/identity/account")
    assert Passkey.objects.get().account.subject == subject

    page.locator("#main").get_by_role("button", name="登出", exact=True).click()
    page.goto(f"{origin}/identity/account")
    look(page)
    page.get_by_role("button", name="以通行密鑰登入").click()
    page.wait_for_url("**/identity/account")
    assert SignIn.objects.filter(account__subject=subject, method="passkey").count() == 2


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_phone_opens_a_session(browser: Browser, origin: str, scripts: bool) -> None:
    page, phone = new_page(browser, scripts=scripts), Phone()
    subject = a_person()
    api.add_mobile_key(actor=SEEDER, subject=subject, jwk=phone.jwk)
    a_seat("ris", "case_officer", subject)
    with mobile.service_replaced(phone):
        page.goto(f"{origin}/identity/account")
        page.get_by_role("button", name="顯示行動條碼").click()
        assert page.locator(".match-number").inner_text() == list(phone.requests.values())[-1]["number"]
        if scripts:
            look(page)
        phone.approve()
        page.wait_for_url("**/identity/seat?next=*")
    if scripts:
        look(page)
    page.get_by_role("radio", name="內政部戶政司").check()
    page.locator("main form button").click()
    page.wait_for_url("**/identity/account")
    assert "承辦人員" in page.locator("body").inner_text()
    assert django_settings.SESSION_COOKIE_HTTPONLY


def test_public_pages_satisfy_axe_in_both_languages(browser: Browser, origin: str, settings: Any) -> None:
    settings.DEMO = True
    page = new_page(browser)
    for path in ("/identity/sign-in", "/identity/personas", "/directory/"):
        for language in ("zh-hant", "en"):
            page.context.add_cookies([{"name": "smartgov_language", "value": language, "url": origin}])
            page.goto(origin + path)
            look(page)


def test_officers_pages_satisfy_axe(browser: Browser, origin: str) -> None:
    for agency, role, path in (("portal", "operator", "/ops/"), ("ris", "auditor", "/audit/")):
        page, subject = new_page(browser), a_person()
        a_seat(agency, role, subject)
        sign_in_as(page, origin, subject)
        page.goto(origin + path)
        page.get_by_role("radio").nth(1).check()
        page.locator("main form button").click()
        page.wait_for_url(f"**{path}")
        look(page)
