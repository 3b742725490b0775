"""Passkeys in a real browser with Chromium's virtual authenticator: every way in, and every way that must stay shut."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest
from playwright.sync_api import Browser, Page, expect

from smartgov.blocks.identity.models import Account, Passkey, SignIn
from smartgov.blocks.identity.people import metadata, recovery
from smartgov.blocks.identity.tests.factories import a_person, a_seat, signed_in_officer
from smartgov.blocks.identity.tests.makers import Maker, Service
from smartgov.blocks.identity.tests.officers import Officer
from smartgov.blocks.identity.tests.test_browser_process import (
    browser,
    look,
    new_page,
    origin,
    sign_in_as,
)

__all__ = ["browser", "origin"]
pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.process,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


AT_HOME = re.compile(r"^[^?]+/identity/account$")


class Device:
    """A virtual authenticator beside a page; `usb` for a security key, `internal` for the device's own."""

    def __init__(self, page: Page, *, verified: bool = True, transport: str = "internal") -> None:
        self.page, self.tools = page, page.context.new_cdp_session(page)
        self.tools.send("WebAuthn.enable")
        self.id = self._add(verified, transport)

    def _add(self, verified: bool, transport: str) -> str:
        options = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": verified,
            "automaticPresenceSimulation": True,
        }
        added = self.tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return str(added["authenticatorId"])

    def credentials(self) -> list[dict[str, Any]]:
        """What it holds."""
        found = self.tools.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])

    def verify(self, verified: bool) -> None:
        """Whether finger or PIN will be right from now on."""
        self.tools.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": verified})

    def set_count(self, count: int) -> None:
        """Wind the counter, as a copy made earlier would show it."""
        (known,) = self.credentials()
        where = {"authenticatorId": self.id, "credentialId": known["credentialId"]}
        self.tools.send("WebAuthn.removeCredential", where)
        copy = {**known, "signCount": count}
        self.tools.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": copy})


def registered(page: Page, origin: str, subject: str, path: str = "") -> Device:
    """Sign in, make a passkey, and sign out again; `path` adds to the address of the page."""
    sign_in_as(page, origin, subject)
    device = Device(page, transport="usb" if path else "internal")
    page.goto(f"{origin}/identity/account/passkeys/new{path}")
    page.locator("[data-passkey=register] button").click()
    page.wait_for_url(AT_HOME)
    page.get_by_role("button", name="登出", exact=True).first.click()
    page.wait_for_load_state()
    return device


def press(page: Page, origin: str) -> None:
    """Press the passkey button of the sign-in page."""
    page.goto(f"{origin}/identity/sign-in?next=/identity/account")
    page.locator("[data-passkey=sign-in] button").click()


def refused(page: Page) -> None:
    """The page says that it did not work, and nobody is signed in."""
    expect(page.locator("[data-passkey=sign-in] [data-said]")).not_to_be_empty(timeout=60_000)
    assert not SignIn.objects.filter(at__gt=Passkey.objects.latest("created_at").created_at).exists()


def test_without_user_verification_nobody_is_signed_in(browser: Browser, origin: str) -> None:
    page = new_page(browser)
    device = registered(page, origin, a_person())
    device.verify(False)
    press(page, origin)
    refused(page)


def test_without_user_verification_no_passkey_is_made(browser: Browser, origin: str) -> None:
    page = new_page(browser)
    sign_in_as(page, origin, a_person())
    Device(page, verified=False)
    page.goto(f"{origin}/identity/account/passkeys/new")
    page.locator("[data-passkey=register] button").click()
    expect(page.locator("[data-said]")).not_to_be_empty(timeout=60_000)
    assert Passkey.objects.count() == 0


def test_a_cloned_key_is_stopped(browser: Browser, origin: str) -> None:
    page = new_page(browser)
    device = registered(page, origin, a_person())
    device.set_count(50)
    press(page, origin)
    page.wait_for_url(AT_HOME)
    page.get_by_role("button", name="登出", exact=True).first.click()
    page.wait_for_load_state()
    device.set_count(1)
    press(page, origin)
    expect(page.locator("[data-passkey=sign-in] [data-said]")).not_to_be_empty(timeout=60_000)
    assert Passkey.objects.get().suspended_at is not None


def test_a_page_of_another_origin_signs_nobody_in(browser: Browser, origin: str, settings: Any) -> None:
    page = new_page(browser)
    registered(page, origin, a_person())
    settings.ORIGIN = "http://localhost:1"
    press(page, origin)
    refused(page)


def test_another_host_cannot_even_ask(browser: Browser, origin: str) -> None:
    page = new_page(browser)
    registered(page, origin, a_person())
    said = page.evaluate(
        """async () => { try {
            await navigator.credentials.get({publicKey: {challenge: new Uint8Array(32), rpId: "elsewhere.test"}});
            return "given"; } catch (error) { return error.name; } }"""
    )
    assert said == "SecurityError"


def test_a_passkey_is_not_made_twice_on_one_device(browser: Browser, origin: str) -> None:
    page, subject = new_page(browser), a_person()
    registered(page, origin, subject)
    sign_in_as(page, origin, subject)
    page.goto(f"{origin}/identity/account/passkeys/new")
    page.locator("[data-passkey=register] button").click()
    expect(page.locator("[data-said]")).not_to_be_empty(timeout=60_000)
    assert Passkey.objects.count() == 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(metadata, "_folder", lambda: tmp_path / "fido")
    yield tmp_path / "fido"
    metadata._loaded.cache_clear()


def test_a_security_key_whose_model_is_listed_reaches_the_highest_level(
    browser: Browser, origin: str, folder: Path
) -> None:
    """Chromium's authenticator signs its attestations with one key; its certificate stands in for the maker's root."""
    page, subject = new_page(browser), a_person()
    seen: list[dict[str, Any]] = []
    page.on(
        "request", lambda request: seen.append(request.post_data_json) if request.url.endswith("/register") else None
    )
    registered(page, origin, subject, "?kind=security-key")
    assert not Passkey.objects.get().attested, "no list of models yet"
    raw = seen[0]["response"]["attestationObject"]
    attestation = cbor2.loads(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    assert attestation["fmt"] == "packed"
    service, maker = Service(), Maker()
    entry = maker.entry("FIDO_CERTIFIED_L1", roots=[attestation["attStmt"]["x5c"][0]])
    entry["aaguid"] = entry["metadataStatement"]["aaguid"] = Passkey.objects.get().aaguid
    metadata.take(service.blob(entry), service.root_der)
    Passkey.objects.all().delete()
    other = new_page(browser)
    registered(other, origin, a_person(), "?kind=security-key")
    assert Passkey.objects.get().attested
    press(other, origin)
    other.wait_for_url(AT_HOME)
    assert SignIn.objects.filter(method="fidokey", assurance=3).count() == 1
    look(other)


def test_a_passkey_is_made_in_a_recovery(browser: Browser, origin: str) -> None:
    page, subject = new_page(browser), a_person()
    account = Account.objects.get(subject=subject)
    page.goto(f"{origin}/identity/recover")
    look(page)
    page.locator("input[name=national_id]").fill(account.national_id)
    page.locator("main .button.primary").click()
    page.wait_for_url("**/identity/recover/mine")
    look(page)
    reference = page.locator(".match-number").inner_text()
    counter = signed_in_officer("ris", "counter_officer")
    form = {"do": "prove", "reference": reference, "national_id": account.national_id, "seen": "yes"}
    assert counter.post("/identity/counter", form).status_code == 200
    Device(page)
    page.reload()
    look(page)
    page.locator("[data-passkey=register] button").click()
    page.get_by_role("heading", name="已建立").wait_for()
    assert Passkey.objects.get().recovery
    press(page, origin)
    page.wait_for_url(AT_HOME)
    look(page)
    assert SignIn.objects.get(account=account, method="passkey").assurance == 1


def test_the_pages_of_people_satisfy_axe(browser: Browser, origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTGOV_OFFICER_PASSWORDS", "yes")
    officer = Officer()
    recovery.begin(browser="b", national_id=officer.national_id)
    stop = recovery.stop_word(officer.account.recoveries.get().id)
    page = new_page(browser)
    sign_in_as(page, origin, officer.subject)
    paths = ["account", *(f"account/{name}" for name in ("app", "recovery-codes", "password"))]
    paths.append("account/passkeys/new?kind=security-key")
    for language in ("zh-hant", "en"):
        page.context.add_cookies([{"name": "smartgov_language", "value": language, "url": origin}])
        for path in (*paths, "password", "recover", f"recover/stop/{stop}", "sign-in?next=/"):
            page.goto(f"{origin}/identity/{path}")
            look(page)
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
    page.goto(f"{origin}/identity/account/recovery-codes")
    page.locator("main .button.primary").click()
    look(page)


def test_the_counter_satisfies_axe(browser: Browser, origin: str) -> None:
    page, subject = new_page(browser), a_person()
    a_seat("ris", "counter_officer", subject)
    sign_in_as(page, origin, subject)
    page.goto(f"{origin}/identity/counter")
    page.get_by_role("radio").nth(1).check()
    page.locator("main form button").click()
    page.wait_for_url("**/identity/counter")
    look(page)
    page.locator("#prove").locator("xpath=..").locator("button").click()
    look(page)


def test_signing_out_of_another_session_reaches_it(browser: Browser, origin: str) -> None:
    here, there, subject = new_page(browser), new_page(browser), a_person()
    sign_in_as(there, origin, subject)
    there.goto(f"{origin}/identity/account")
    sign_in_as(here, origin, subject)
    here.goto(f"{origin}/identity/account")
    here.get_by_role("button", name="結束此登入").first.click()
    here.wait_for_load_state()
    there.goto(f"{origin}/identity/account")
    assert "/identity/sign-in" in there.url
