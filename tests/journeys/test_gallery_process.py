"""Every component in a real browser: phone, tablet, desk, both languages; axe finds nothing, nothing overflows."""

from __future__ import annotations

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.journeys.browser import WIDTHS, add_passkeys, assert_accessible, assert_fits, chromium, installed, read_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.enable_socket,
    pytest.mark.skipif(not installed(), reason="no Chromium; `make test` installs Debian's"),
]
PAGES = ("gallery", "gallery?as=officer", "gallery/question", "gallery/problem")


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_components_are_accessible(live_server: LiveServer, language: str) -> None:
    with chromium() as browser:
        for width in WIDTHS:
            page = browser.page(width=width, language=language)
            read_in(page.context, language, live_server.url)
            for path in PAGES:
                page.goto(f"{live_server.url}/theme/{path}")
                assert_accessible(page)
        browser.assert_quiet()


def test_on_paper_there_is_the_text_and_nothing_to_press(live_server: LiveServer) -> None:
    with chromium() as browser:
        page = browser.page(width="desk", language="zh-hant")
        page.goto(f"{live_server.url}/theme/gallery")
        page.emulate_media(media="print")
        for part in (".skip", ".menu", ".frame-top form", "main button"):
            assert not any(one.is_visible() for one in page.locator(part).all()), part
        assert page.locator("main h1").is_visible()


@pytest.mark.parametrize("wide", [320, 640])
def test_enlarged_two_and_four_times_nothing_is_cut_off(live_server: LiveServer, wide: int) -> None:
    with chromium() as browser:
        page = browser.page(width="desk", language="en")
        page.set_viewport_size({"width": wide, "height": 512})
        for path in PAGES:
            page.goto(f"{live_server.url}/theme/{path}")
            assert_fits(page)


def test_error_leads_to_its_field(live_server: LiveServer) -> None:
    with chromium() as browser:
        page = browser.page(width="phone", language="en")
        page.goto(f"{live_server.url}/theme/gallery/question")
        page.get_by_role("alert").get_by_role("link").first.click()
        assert page.evaluate("document.activeElement.name") == "given_name"


def test_pages_work_without_script(live_server: LiveServer) -> None:
    with chromium() as browser:
        page = browser.page(width="phone", language="en", script=False)
        page.goto(f"{live_server.url}/theme/gallery")
        page.get_by_role("button", name="繁體中文").click()
        assert page.get_by_role("heading", level=1).inner_text() == "元件展示"
        assert not page.get_by_role("button", name="複製").count()


def test_device_can_hold_a_passkey(live_server: LiveServer) -> None:
    with chromium() as browser:
        page = browser.page()
        page.goto(f"{live_server.url.replace('127.0.0.1', 'localhost')}/theme/gallery")
        device = add_passkeys(page)
        page.evaluate(
            """() => navigator.credentials.create({publicKey: {
                 challenge: new Uint8Array(32), rp: {name: 'x', id: 'localhost'},
                 user: {id: new Uint8Array(8), name: 'a', displayName: 'a'},
                 pubKeyCredParams: [{type: 'public-key', alg: -7}]}}).then(made => made.id)"""
        )
        assert len(device.credentials) == 1
