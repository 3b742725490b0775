"""What a person does on the signing desk, for the journey and for the pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import typst
from playwright.sync_api import Page

from tests.journeys.visiting import Visitor, approve_push

Look = Callable[[Page, str], None]


def nothing(page: Page, name: str) -> None:
    """Look at nothing."""


def paper(folder: Path, name: str = "委託書") -> Path:
    """A PDF on the person's own disk."""
    source = f'#set text(lang: "zh", font: "Noto Serif CJK TC")\n= {name}\n本人同意。示範用合成文件。'
    path = folder / f"{name}.pdf"
    path.write_bytes(typst.compile(source.encode(), format="pdf"))
    return path


def approve(visitor: Visitor, look: Look = nothing, name: str = "") -> str:
    """On the own phone: compare, choose the number; returns what the phone showed. The page goes on by itself."""
    number = visitor.page.locator(".match-number").inner_text().strip()
    with visitor.phone() as phone:
        phone.goto(f"{visitor.country.phones}/phones/{visitor.key}")
        phone.locator("a[href*='/requests/']").first.click()  # the newest
        shown = phone.locator("main").inner_text()
        if name:
            look(phone, name)
        approve_push(phone, visitor.country, visitor.key, number)
    visitor.page.wait_for_url(lambda url: "/approvals/" not in url)
    return shown


def certificate(visitor: Visitor, look: Look = nothing) -> None:
    """Get one, and activate it, unless another journey of the same person in this country has done so."""
    visitor.go("/signing/")
    if visitor.page.locator("dl.summary").count():
        return
    look(visitor.page, "signing-none")
    visitor.press()
    look(visitor.page, "signing-approve-key")
    approve(visitor)
    look(visitor.page, "signing-issued")
    visitor.press()
    approve(visitor)


def lay(visitor: Visitor, file: Path, look: Look = nothing) -> str:
    """Lay a document on the desk, and open it; its page."""
    visitor.go("/signing/")
    look(visitor.page, "signing-desk")
    visitor.page.locator("input[type=file]").set_input_files(file)
    visitor.press("form:has(input[type=file]) .button.primary")
    look(visitor.page, "signing-document")
    visitor.page.request.get(visitor.page.url + "/file")  # the browser's own viewer is another program
    visitor.page.locator("input[name=reason]").fill("同意")
    return visitor.page.url


def choose(visitor: Visitor, means: str) -> str:
    """Choose with what to sign, and go on; the number to compare."""
    visitor.page.locator(f"input[name=with][value='{means}']").check()
    visitor.press()
    return visitor.page.locator(".match-number").inner_text().strip()


def fingerprint(visitor: Visitor) -> str:
    """What stands on the waiting page, to be found again on the other screen."""
    return visitor.page.locator("dl.summary strong").inner_text().strip()


def home(visitor: Visitor) -> bytes:
    """The signed document."""
    return bytes(visitor.page.request.get(visitor.page.url + "/signed").body())


def to_the_helper(visitor: Visitor) -> None:
    """From the waiting page to the card's helper, which shows the same number and fingerprint."""
    shown = (visitor.page.locator(".match-number").inner_text().strip(), fingerprint(visitor))
    visitor.press("form[action$='/requests'] button")
    said = visitor.page.locator("main").inner_text()
    assert all(one in said for one in shown), said


def sign(visitor: Visitor, file: Path, look: Look = nothing) -> bytes:
    """Lay a document on the desk, open it, sign it on the phone, take it home."""
    lay(visitor, file, look)
    visitor.press()
    look(visitor.page, "signing-approve")
    assert fingerprint(visitor) in approve(visitor, look, "signing-phone")
    look(visitor.page, "signing-signed")
    return home(visitor)


def check(visitor: Visitor, name: str, content: bytes) -> str:
    """Check a file on the public page; what the page says."""
    visitor.go("/signing/check")
    upload = {"name": name, "mimeType": "application/pdf", "buffer": content}
    visitor.page.locator("input[name=file]").set_input_files(files=[upload])  # type: ignore[list-item]
    visitor.press()
    return visitor.page.locator("main").inner_text()
