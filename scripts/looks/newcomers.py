"""A service of another house: registered on pages, complained about, mended, approved; and what its readers see."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.journeys import newcomer

from scripts.looks.album import LANGUAGES
from scripts.looks.story import Story
from smartgov.engines.pki import keys
from smartgov.shared.text import Text

CORNER = Text("Reading corner", "閱讀角")
PURPOSE = {"purpose_zh": "以您的姓名辦理借書。", "purpose_en": "To lend you books in your name."}


def newcomers(story: Story) -> None:
    """From the empty list to a service in use, as the integrator, the centre and a reader see it."""
    album = story.album

    def look(page: object, name: str) -> None:
        album.take(page, name, languages=() if name == "newcomer" else LANGUAGES)  # type: ignore[arg-type]

    leaked = {**keys.public_jwk(keys.generate_p256().public_key()), "d": "AAAA"}
    hasty = {
        **PURPOSE,
        "redirect_uris": "http://books.example.test/callback\nhttps://*.example.test/callback",
        "jwks": json.dumps({"keys": [leaked]}),
    }
    with tempfile.TemporaryDirectory() as folder, newcomer.service(Path(folder) / "corner", CORNER) as corner:
        with story.seated("nhi-officer", "系統介接") as integrator:
            newcomer.begin(integrator, CORNER, hasty, look=look)
            look(integrator.page, "party-complaints")
            integrator.press("main a[href$='/edit']")
            look(integrator.page, "party-edit")
            shown = newcomer.shown_by(story.browser, corner, look)
            newcomer.fill(integrator, shown, ticks=("scopes=profile", "mandates=yes"))
            newcomer.fill(integrator, {"mandates_reason": "家長代未滿十四歲的子女借書。"})
            integrator.press()
            look(integrator.page, "party-ready")
            client_id = newcomer.submit(integrator)
            look(integrator.page, "party-submitted")
            newcomer.approve(story.country, story.browser, CORNER, look)
            integrator.page.reload()
            look(integrator.page, "party-approved")
            integrator.go("/identity/parties")
            look(integrator.page, "parties-full")
        newcomer.tell(story.browser, corner, story.country.origin, client_id)
        reader = story.visitor("mother-third-child")
        reader.sign_in()
        reader.go(f"{corner.address}/sign-in")
        reader.page.locator("main button[name=answer][value=agree]").wait_for()
        look(reader.page, "party-consent")
        reader.press("main button[name=answer][value=agree]")
        reader.page.wait_for_url(f"{corner.address}/**")
        album.take(reader.page, "newcomer-reader", languages=())
        reader.go("/openid/services")
        look(reader.page, "party-services")
        reader.page.context.close()
