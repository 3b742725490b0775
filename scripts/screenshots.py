"""Pictures of the main pages for the README and the manuals, from a running demo: `make demo`, then `make screenshots`.

    python scripts/screenshots.py [--url http://localhost:8000] [--out docs/pictures/pages] [--language zh-hant]

The mother's pictures tell the application from its start, so the demo has one application more afterwards.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Locator, Page

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.journeys.browser import JourneyBrowser, chromium, read_in, sign_in  # noqa: E402

ANSWERS = {
    "given_name": "安安",
    "surname_from": "mother",
    "household_of": "mother",
    "contact_email": "mother@mail.example",
    "contact_phone": "0900000000",
}
# Every seat is written "agency – role", and acting for oneself is not: this finds a person's first seat.
SEAT = " – "
# Who, in which seat, how wide, and name → address of each page. None: nobody signed in.
STILLS: tuple[tuple[str | None, str, str, dict[str, str]], ...] = (
    (None, "", "desk", {"home": "/", "services": "/services/", "gallery": "/theme/gallery"}),
    ("mother", "", "phone", {"wall": "/", "notices": "/notify/", "trail": "/mydata/", "consents": "/mydata/consents/"}),
    ("ris-officer", SEAT, "desk", {"worklist": "/cases/"}),
    ("sfaa-releaser", SEAT, "desk", {"payments": "/payments/"}),
    ("operator", SEAT, "desk", {"operations": "/ops/", "members": "/exchange/"}),
)


def main() -> int:
    """Take them all; a page that is not there is named and left out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://localhost:8000")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures" / "pages")
    parser.add_argument("--language", default="zh-hant", choices=["zh-hant", "en"])
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, page in application(browser, options.url, options.language):
            take(page, options.out / f"{name}.png")
        for person, seat, width, pages in STILLS:
            stills(browser, options, person, seat, width, pages)
    return 0


def stills(
    browser: JourneyBrowser,
    options: argparse.Namespace,
    person: str | None,
    seat: str,
    width: str,
    pages: dict[str, str],
) -> None:
    """The pages of one person, each as it opens."""
    page = browser.page(width=width, language=options.language)
    read_in(page.context, options.language, options.url)
    if person:
        sign_in(page, options.url, person, seat=seat)
    for name, path in pages.items():
        answer = page.goto(options.url + path)
        if answer is None or not answer.ok:
            print(f"{name}: {path} is not there", file=sys.stderr)
            continue
        take(page, options.out / f"{name}.png")
    page.context.close()


def application(browser: JourneyBrowser, url: str, language: str) -> Iterator[tuple[str, Page]]:
    """Each page of an application as the mother meets it on her phone, then its timeline."""
    page = browser.page(width="phone", language=language)
    read_in(page.context, language, url)
    sign_in(page, url, "mother")
    page.goto(f"{url}/services/birth/")
    yield "birth", page
    if not page.locator("main .button.primary").count():
        print("birth: the hospital's notification has not arrived, so there is nothing to start", file=sys.stderr)
        return
    for number in range(1, 30):
        press_on(page)
        if page.url.rstrip("/").rsplit("/", 2)[-2] == "applications":
            yield "timeline", page
            return
        yield f"birth-{number:02}-{page.url.rstrip('/').rsplit('/', 1)[-1]}", page
        answer(page)
    raise RuntimeError(f"the application does not end; it stands at {page.url}")


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


def take(page: Page, path: Path) -> None:
    """The whole page, without the cursor."""
    page.screenshot(path=str(path), full_page=True, animations="disabled", caret="hide")
    print(path)


if __name__ == "__main__":
    raise SystemExit(main())
