"""Pictures for the README and the manuals: `make screenshots` raises a country of its own and tells the whole story.

    python scripts/screenshots.py [--url http://localhost:8000] [--out docs/pictures] [--language zh-hant]

The mother applies on her phone, an officer approves, two people pay, and the mother looks who looked. With `--url` it
happens in the demo that runs there, whose mother has then no birth left to apply for.
"""

from __future__ import annotations

import argparse
import base64
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.journeys.browser import JourneyBrowser, chromium, read_in, sign_in  # noqa: E402

from smartgov.site.country import raise_country  # noqa: E402
from smartgov.site.country.ports import Ports  # noqa: E402
from smartgov.site.supervise import Country  # noqa: E402

ANSWERS = {
    "birth_confirmed": "yes",
    "given_name": "安安",
    "surname_from": "father",
    "household_of": "mother",
    "contact_email": "mother@mail.example",
    "contact_phone": "0900000000",
}
SEATS = {
    "zh-hant": {"officer": "承辦人員", "preparer": "經辦", "releaser": "核准"},
    "en": {"officer": "officer", "preparer": "preparer", "releaser": "releaser"},
}
PHONE, DESK = (390, 844), (1280, 860)
QUALITY = 72
PATIENCE_S = 90


@dataclass
class Studio:
    """Where the demo is, in which language, and where pictures go."""

    browser: JourneyBrowser
    url: str
    out: Path
    language: str

    @contextmanager
    def person(self, key: str, seat: str = "", size: tuple[int, int] = DESK) -> Iterator[Page]:
        """Somebody signed in, with a screen of that size (phones have twice the dots)."""
        context = self.browser.chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=2 if size == PHONE else 1,
            locale="en-GB" if self.language == "en" else "zh-TW",
            timezone_id="Asia/Taipei",
        )
        read_in(context, self.language, self.url)
        page = context.new_page()
        sign_in(page, self.url, key, seat=SEATS[self.language].get(seat, ""))
        try:
            yield page
        finally:
            context.close()

    def take(self, page: Page, name: str, tall: int = 1100) -> None:
        """The page from its head, at most `tall` high, as WebP."""
        size = page.viewport_size or {"width": 1280, "height": 860}
        page.evaluate("document.activeElement && document.activeElement.blur(); scrollTo(0, 0)")
        high = int(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": size["width"], "height": min(max(high, 300), tall)})
        shot = {"format": "webp", "quality": QUALITY}
        answer = page.context.new_cdp_session(page).send("Page.captureScreenshot", shot)
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        self.write(f"{name}.webp", base64.b64decode(answer["data"]))

    def write(self, name: str, content: bytes) -> None:
        """Keep a picture and say how large it is."""
        (self.out / name).write_bytes(content)
        print(f"{name} {len(content) // 1024} KB")


def main() -> int:
    """Tell the story once and take its pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", help="a running demo; without it, one of its own is raised and stopped again")
    parser.add_argument("--port", type=int, default=9500, help="first of 60 ports of the country of its own")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--language", default="zh-hant", choices=list(SEATS))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with place(options.url, options.port) as url, chromium() as browser:
        studio = Studio(browser, url, options.out, options.language)
        with studio.person("mother", size=PHONE) as mother:
            address = apply(studio, mother)
            approve(studio)
            pay(studio)
            afterwards(studio, mother, address)
    return 0


@contextmanager
def place(url: str | None, port: int) -> Iterator[str]:
    """The address of the demo to take pictures of."""
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="smartgov-pictures-") as folder:
        home = Path(folder) / "country"
        raise_country(home, ports=Ports(port))
        with Country(home, port=port) as country:
            yield country.url


def apply(studio: Studio, page: Page) -> str:
    """The mother's way from her wall to the receipt; the address of the timeline."""
    wait_for(page, f"{studio.url}/", "main form[action$='/services/start'] .button.primary")
    studio.take(page, "wall")
    press_on(page)
    for _ in range(30):
        if page.url.rstrip("/").rsplit("/", 2)[-2] == "applications":
            return page.url
        if page.locator(".saved").count() and page.url.endswith("/facts"):
            studio.take(page, "facts")
        answer(page)
        press_on(page)
    raise RuntimeError(f"the application does not end; it stands at {page.url}")


def approve(studio: Studio) -> None:
    """The household officer's list and case, and her decision."""
    with studio.person("ris-officer", "officer") as page:
        wait_for(page, f"{studio.url}/cases/", "main tbody a")
        studio.take(page, "work-list", tall=560)
        page.locator("main tbody a").first.click()
        studio.take(page, "case", tall=900)
        page.locator("input[name=decision][value=approve]").check()
        page.locator("textarea[name=reason]").fill("資料相符。")
        press_on(page)


def pay(studio: Studio) -> None:
    """One person prepares the batch, another releases it."""
    with studio.person("sfaa-preparer", "preparer") as page:
        wait_for(page, f"{studio.url}/payments/", "form[action$='batches/new'] button")
        page.locator("form[action$='batches/new'] button").click()
        page.wait_for_load_state()
        batch = page.url
    with studio.person("sfaa-releaser", "releaser") as page:
        page.goto(batch)
        studio.take(page, "batch", tall=640)
        page.locator("form[action$='release'] button").click()
        page.wait_for_load_state()


def afterwards(studio: Studio, page: Page, address: str) -> None:
    """Timeline, trail and certificate, when the certificate is there."""
    wait_for(page, address, "a[href*='/services/certificates/']")
    studio.take(page, "timeline", tall=1300)
    with page.expect_download() as download:
        page.locator("a[href*='/services/certificates/']").first.click()
    certificate(studio, download.value.path())
    page.goto(f"{studio.url}/mydata/?who=people")
    page.locator(".trail summary").first.click()
    studio.take(page, "trail")


def certificate(studio: Studio, document: Path) -> None:
    """The first page of the PDF, by poppler."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "certificate"
        command = ["pdftoppm", "-png", "-singlefile", "-scale-to", "900", str(document), str(target)]
        subprocess.run(command, check=True)
        picture = base64.b64encode(target.with_suffix(".png").read_bytes()).decode()
    page = studio.browser.page(width="desk")
    page.set_content(f"<style>body{{margin:0}}img{{display:block}}</style><img src='data:image/png;base64,{picture}'>")
    box = page.locator("img").bounding_box() or {"width": 636, "height": 900}
    page.set_viewport_size({"width": int(box["width"]), "height": int(box["height"])})
    shot = {"format": "webp", "quality": QUALITY}
    answer = page.context.new_cdp_session(page).send("Page.captureScreenshot", shot)
    studio.write("certificate.webp", base64.b64decode(answer["data"]))


def wait_for(page: Page, url: str, selector: str) -> None:
    """Load the page again until it has what is waited for."""
    end = time.monotonic() + PATIENCE_S
    page.goto(url)
    while not page.locator(selector).count():
        if time.monotonic() > end:
            raise RuntimeError(f"{url} has no {selector}")
        time.sleep(1)
        page.goto(url)


def press_on(page: Page) -> None:
    """Press the page's one primary button."""
    page.locator("main .button.primary").first.click()
    page.wait_for_load_state()


def answer(page: Page) -> None:
    """Fill in what is not filled in: the known answers, else the first choice, and every consent."""
    for group in page.locator("main fieldset:has(input[type=radio])").all():
        if not group.locator("input:checked").count():
            choose(group)
    unticked = page.locator("main input[type=checkbox]:enabled:not(:checked)")
    while unticked.count():
        unticked.first.check()
    for name, value in ANSWERS.items():
        box = page.locator(f"main input[name='{name}']:not([type=radio], [type=hidden])")
        if box.count() and not box.input_value():
            box.fill(value)


def choose(group: Locator) -> None:
    """The known answer of a choice, else its first possibility."""
    name = group.locator("input").first.get_attribute("name") or ""
    known = group.locator(f"input[value='{ANSWERS.get(name, '')}']:enabled")
    (known if known.count() else group.locator("input:enabled")).first.check()


if __name__ == "__main__":
    raise SystemExit(main())
