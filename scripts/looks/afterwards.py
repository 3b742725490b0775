"""What remains: notices, mail, consents, certificates checked and tampered with, and the trail."""

from __future__ import annotations

import sqlite3

from tests.journeys import blows
from tests.journeys.visiting import Visitor

from scripts.looks.story import Story, on_a_simulator
from smartgov.site.supervise import Country as Running


def afterwards(story: Story) -> None:
    """The timeline at its end, notices, mail, consents, the certificate and its public pages."""
    mother, album = story.mother, story.album
    mother.go(story.timeline)
    link = mother.page.locator("a[href*='/services/certificates/']")
    mother.wait_for(link)
    album.take(mother.page, "timeline-done")
    with mother.page.expect_download() as download:
        link.first.click()
    paper = download.value.path().read_bytes()
    for name, path in {"wall-done": "/", "notices": "/notify/", "consents": "/mydata/consents/"}.items():
        mother.go(path)
        album.take(mother.page, name)
    mother.go("/mydata/consents/")
    mother.press("main a[href$='/revoke']")
    album.take(mother.page, "consent-revoke")
    mother.press("main .button.danger")
    album.take(mother.page, "consents-revoked")
    on_a_simulator(story, "mailbox", f"{story.country.mailbox}/", then="main table a")
    certificates(story, paper)


def certificates(story: Story, paper: bytes) -> None:
    """Valid, checked, tampered with, managed, revoked."""
    album, stranger = story.album, story.visitor("father")
    with story.seated("ris-officer", "證書") as desk:
        desk.go("/credentials/")
        album.take(desk.page, "certificates")
        desk.press("main tbody a")
        album.take(desk.page, "certificate-manage")
        code = desk.station
        stranger.go(f"/credentials/verify/{code}")
        album.take(stranger.page, "certificate-valid")
        for name, content in {
            "certificate-file-good": paper,
            "certificate-file-tampered": paper[:2000] + bytes([paper[2000] ^ 1]) + paper[2001:],
        }.items():
            album.in_both(stranger.page, name, lambda content=content: _check_file(stranger, content))  # type: ignore[misc]
        desk.page.locator("input[name=reason]").first.check()
        desk.press("main button.danger")
        album.take(desk.page, "certificate-manage-revoked")
        stranger.go(f"/credentials/verify/{code}")
        album.take(stranger.page, "certificate-revoked")
        album.in_both(stranger.page, "certificate-file-revoked", lambda: _check_file(stranger, paper))
    stranger.page.context.close()


def _check_file(stranger: Visitor, content: bytes) -> None:
    stranger.go("/credentials/check")
    file = {"name": "certificate.pdf", "mimeType": "application/pdf", "buffer": content}
    stranger.page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    stranger.press()


def trail(story: Story) -> None:
    """Proven; with entries opened; a gateway that does not answer; a log that somebody changed."""
    mother, album = story.mother, story.album
    mother.go("/mydata/")
    album.take(mother.page, "trail")
    mother.go("/mydata/?who=people")
    mother.page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    album.take(mother.page, "trail-opened", languages=())
    with blows.down(story.running, "gateway-nhi"):
        mother.go("/mydata/")
        album.take(mother.page, "trail-gateway-down")
    _change_log(story.running, "hpa")
    mother.go("/mydata/")
    album.take(mother.page, "trail-red")


def _change_log(running: Running, agency: str) -> None:
    """Change what a gateway has recorded, as its owner could; it cannot prove its entries from then on."""
    with blows.down(running, f"gateway-{agency}"):
        with sqlite3.connect(running.home / "gateways" / agency / "log.sqlite3") as log:
            changed = log.execute(
                "UPDATE ledger_record SET record = CAST(replace(CAST(record AS TEXT), 'births', 'b1rths') AS BLOB)"
                " WHERE instr(CAST(record AS TEXT), 'births') > 0"
            )
        if not changed.rowcount:
            raise RuntimeError("no record was changed")
