"""As a new relying party would: register by page, be complained to, mend, be approved; then everything people do there.

A person signs in with a scanned code, steps up, signs a document, acts for a child, ends the session from elsewhere; a
code that somebody read on its way is refused, and what it had given ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from smartgov.engines.openid.client import RelyingParty, SignInError
from smartgov.engines.pki import keys
from smartgov.shared.text import Text
from tests.journeys import newcomer, signing
from tests.journeys.browser import JourneyBrowser, assert_accessible, installed
from tests.journeys.newcomer import Service
from tests.journeys.people import Country
from tests.journeys.visiting import Visitor, choose_number, scan

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not installed(), reason="no Chromium; `make test` installs Debian's"),
]
WHO = "mother"
CORNER, KIOSK = Text("Reading corner", "閱讀角"), Text("Book kiosk", "自助借書機")
PURPOSE = {"purpose_zh": "以您的姓名辦理借書。", "purpose_en": "To lend you books in your name."}
HASTY = {
    **PURPOSE,
    "redirect_uris": "http://books.example.test/callback\nhttps://*.example.test/callback",
    "jwks": json.dumps({"keys": [{**keys.public_jwk(keys.generate_p256().public_key()), "d": "AAAA"}]}),
}


@pytest.fixture
def corner(tmp_path: Path) -> Iterator[Service]:
    """A service for which people may act for others."""
    with newcomer.service(tmp_path / "corner", CORNER) as running:
        yield running


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Service]:
    """A service that did not ask for that."""
    with newcomer.service(tmp_path / "kiosk", KIOSK) as running:
        yield running


def test_a_newcomer_and_its_readers(
    browser: JourneyBrowser, country: Country, corner: Service, kiosk: Service, tmp_path: Path
) -> None:
    integrator = Visitor(browser, country, "nhi-officer", width="desk")
    integrator.sign_in(seat="系統介接")
    is_complained_to_and_mends(integrator, corner)
    registers_plainly(integrator, kiosk)
    reader = Visitor(browser, country, WHO)
    signs_in_with_a_code(reader, corner)
    steps_up(reader, corner)
    signs_a_document(reader, tmp_path)
    a_stolen_code_is_worthless(reader, corner, country.home)
    acts_for_her_child(reader, corner, kiosk)
    is_signed_out_from_elsewhere(reader, corner)


def is_complained_to_and_mends(integrator: Visitor, corner: Service) -> None:
    """In a hurry first; then with what the own program says."""
    newcomer.begin(integrator, corner.title, HASTY)
    for complaint in ("網址未加密", "萬用字元", "這把金鑰已外洩", "不會收到通知"):
        integrator.see(complaint)
    assert integrator.page.locator("button[value=submit]").count() == 0, "nothing to hand in while it is wrong"
    integrator.look()
    integrator.press("main a[href$='/edit']")
    shown = newcomer.shown_by(integrator.browser, corner)
    newcomer.fill(integrator, shown, ticks=("scopes=profile", "mandates=yes"))
    integrator.press()
    integrator.see("未說明民眾為何在此代理他人")
    integrator.press("main a[href$='/edit']")
    integrator.look()
    newcomer.fill(integrator, {"mandates_reason": "家長代未滿十四歲的子女借書。"})
    integrator.press()
    assert integrator.page.locator("main").get_by_text("必須", exact=True).count() == 0
    integrator.look()
    approved(integrator, corner)


def registers_plainly(integrator: Visitor, kiosk: Service) -> None:
    """The second time right at once, and without mandates."""
    shown = newcomer.shown_by(integrator.browser, kiosk)
    newcomer.begin(integrator, kiosk.title, {**PURPOSE, **shown}, ticks=("scopes=profile",))
    approved(integrator, kiosk)


def approved(integrator: Visitor, service: Service) -> None:
    """Handed in, approved by somebody else, and told to the own program."""
    client_id = newcomer.submit(integrator)
    newcomer.approve(integrator.country, integrator.browser, service.title)
    newcomer.tell(integrator.browser, service, integrator.country.origin, client_id)


def signs_in_with_a_code(reader: Visitor, corner: Service) -> None:
    """By QR on a window of a phone's size."""
    reader.go(corner.address)
    reader.press("main a[href='/sign-in']")
    reader.see(CORNER.zh)
    number, address = reader.begin_with_code()
    with reader.phone() as phone:
        scan(phone, address, reader.key)
        choose_number(phone, number)
    reader.arrive()
    agrees(reader, corner)
    reader.see(reader.facts["name"])
    reader.see("urn:smartgov:acr:aal2")
    assert_accessible(reader.page)


def agrees(reader: Visitor, service: Service) -> None:
    """On the page that says what the service will get."""
    reader.page.locator("main button[name=answer][value=agree]").wait_for()
    reader.look()
    reader.press("main button[name=answer][value=agree]")
    reader.page.wait_for_url(f"{service.address}/**")


def steps_up(reader: Visitor, corner: Service) -> None:
    """A passkey is made, then asked for."""
    reader.passkeys()
    reader.go("/identity/account/passkeys/new")
    reader.press("[data-passkey=register] button")
    reader.go(f"{corner.address}/sign-in?passkey=1")
    reader.press("main .actions a.button")
    with reader.page.expect_navigation(url=f"{corner.address}/**"):
        reader.page.locator("[data-passkey=sign-in] button").click()
    reader.see("phr")


def signs_a_document(reader: Visitor, folder: Path) -> None:
    """At the desk, with her own key."""
    signing.certificate(reader)
    pdf = signing.sign(reader, signing.paper(folder))
    assert "可信賴" in signing.check(reader, "signed.pdf", pdf)


def a_stolen_code_is_worthless(reader: Visitor, corner: Service, home: Path) -> None:
    """Somebody reads the code on its way back, and tries it from another service, then with the corner's own key."""
    seen: list[str] = []
    reader.page.on("request", lambda request: seen.append(request.url) if "code=" in request.url else None)
    reader.go(f"{corner.address}/sign-in")
    reader.see(reader.facts["name"])
    (query,) = [urlsplit(address).query for address in seen]
    other, same = thief(home / "library"), thief(corner.home)
    assert refused(other, query) == "the code is not known for this client"
    reader.go(f"{corner.address}/again")
    reader.see(reader.facts["name"])  # a stranger's try takes nothing from her
    same.proof_key = keys.generate_p256()
    assert refused(same, query) == "the code was used before; what it gave is revoked"
    reader.go(f"{corner.address}/again")
    reader.see("invalid_token")
    reader.go(corner.address)
    reader.page.locator("main a[href='/sign-in']").first.wait_for()


def thief(folder: Path) -> RelyingParty:
    """Somebody with the key of a registered service, on another machine."""
    known = json.loads((folder / "party.json").read_text())
    return RelyingParty(
        known["issuer"], known["client_id"], keys.load_p256(folder / "key.pem"), known["redirect_uri"], "openid"
    )


def refused(who: RelyingParty, query: str) -> str:
    """What the provider says to a code that was not given to them, whatever verifier they make up."""
    given = dict(part.split("=", 1) for part in query.split("&"))
    form = {"grant_type": "authorization_code", "code": given["code"], "redirect_uri": who.redirect_uri}
    with pytest.raises(SignInError) as caught:
        who.post("token_endpoint", {**form, "code_verifier": "a" * 43})
    assert caught.value.code == "invalid_grant"
    return caught.value.description


def acts_for_her_child(reader: Visitor, corner: Service, kiosk: Service) -> None:
    """By the household register's word; only a service that is registered for it learns of it."""
    reader.go("/mandates/")
    reader.press("main form[action=''] button, main form:not([action]) button")
    reader.look(both=False)
    child = reader.page.locator("main article h3").first.inner_text().strip()
    reader.press("main article form[action$='/act'] button")
    reader.go(f"{kiosk.address}/sign-in")
    reader.see("access_denied")
    reader.go(f"{corner.address}/sign-in")
    agrees(reader, corner)
    reader.see(child)
    reader.see("由代理人代為辦理")
    assert reader.facts["name"] not in reader.page.locator("main").inner_text()
    assert_accessible(reader.page)
    reader.go(f"{corner.address}/again")
    reader.see(child)


def is_signed_out_from_elsewhere(reader: Visitor, corner: Service) -> None:
    """From another device she ends the session of the first, and the corner hears of it by itself."""
    elsewhere = Visitor(reader.browser, reader.country, WHO, width="desk")
    elsewhere.sign_in()
    elsewhere.go("/identity/account")
    elsewhere.press(elsewhere.page.get_by_role("button", name="結束此登入").first)
    reader.go(corner.address)
    reader.wait_for(reader.page.locator("main a[href='/sign-in']"))
    reader.see("平臺通知登出")
    reader.go("/identity/account")
    assert "/identity/sign-in" in reader.page.url
