"""The album of `scripts/looks`: takes a page in both languages and widths, and says what is wrong with it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page
from tests.journeys.browser import JourneyBrowser, assert_fits, axe_violations, read_in

LANGUAGES = ("zh-hant", "en")
SIZES = {"phone": (390, 844), "desk": (1280, 860)}
_TALL = 3000
_ENGLISH = re.compile(r"(?<![\w@./:-])[a-z]{3,}(?: [a-z]{2,})+", re.IGNORECASE)
_CHINESE = re.compile(r"[\u3400-\u9fff][\u3400-\u9fff、，。：；「」（）]{4,}")
_RAW = re.compile(
    r"\b[a-z]+_[a-z_]+\b|\b[a-z]+\.[a-z_]+\b(?!\.example)|[0-9a-f]{8}-[0-9a-f]{4}|\bNone\b|\{\w+\}|%\(\w+"
)
_VISIBLE = "() => document.body.innerText"
_SMALL = """() => [...document.querySelectorAll('main button, main a.button, header button, main summary')]
    .filter(e => e.offsetParent && (e.getBoundingClientRect().height < 24 || e.getBoundingClientRect().width < 24))
    .map(e => e.outerHTML.slice(0, 100))"""


class Album:
    """Pictures in a folder, with what was found on each page."""

    def __init__(self, folder: Path, origin: str) -> None:
        self.folder, self.origin, self.findings = folder, origin, 0
        self.taken: list[str] = []
        (folder / "report.txt").write_text("")

    def take(self, page: Page, name: str, languages: tuple[str, ...] = LANGUAGES) -> None:
        """Take the page at hand, loading it in each language; without languages, as it stands."""
        for language in languages:
            read_in(page.context, language, self.origin)
            page.reload()
            self._take(page, f"{name}.{language}", language)
        if languages:
            read_in(page.context, LANGUAGES[0], self.origin)
            page.reload()
        else:
            self._take(page, f"{name}.as-is", "")

    def take_if_new(self, page: Page, name: str) -> None:
        """Take it unless a page of that name is there."""
        if not any(taken.startswith(f"{name}.") for taken in self.taken):
            self.take(page, name)

    def in_both(self, page: Page, name: str, reach: Callable[[], None]) -> None:
        """An answer to a form: `reach` it in each language anew."""
        for language in LANGUAGES:
            read_in(page.context, language, self.origin)
            reach()
            self._take(page, f"{name}.{language}", language)
        read_in(page.context, LANGUAGES[0], self.origin)

    def note(self, name: str, kind: str, text: str) -> None:
        """Write a finding down."""
        self.findings += 1
        with (self.folder / "report.txt").open("a") as report:
            report.write(f"{name}: {kind}: {text}\n")
        print(f"{name}: {kind}: {text[:300]}", flush=True)

    def _take(self, page: Page, name: str, language: str) -> None:
        before = page.viewport_size
        for size, (wide, high) in SIZES.items():
            page.set_viewport_size({"width": wide, "height": high})
            try:
                assert_fits(page)
            except AssertionError as wide_parts:
                self.note(f"{name}.{size}", "too wide", str(wide_parts))
            for finding in axe_violations(page):
                self.note(f"{name}.{size}", "axe", finding)
            for small in page.evaluate(_SMALL):
                self.note(f"{name}.{size}", "small", small)
            self._picture(page, f"{name}.{size}", wide)
        if before:
            page.set_viewport_size(before)
        text = str(page.evaluate(_VISIBLE))
        (self.folder / f"{name}.txt").write_text(f"{page.url}\n{page.title()}\n\n{text}\n")
        self._read(name, language, text)
        self.taken.append(name)

    def _read(self, name: str, language: str, text: str) -> None:
        patterns = {"zh-hant": _ENGLISH, "en": _CHINESE}
        foreign = {found.group().strip() for found in patterns[language].finditer(text)} if language else set()
        for kind, words in {"foreign": foreign, "raw": {found.group() for found in _RAW.finditer(text)}}.items():
            words -= {"English", "繁體中文"}
            if words:
                self.note(name, kind, " | ".join(sorted(words)))

    def _picture(self, page: Page, name: str, wide: int) -> None:
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=self.folder / f"{name}.png", full_page=True, type="png")

    def bind(self, browser: JourneyBrowser) -> None:
        """Contact sheets: four phones, or two desks, side by side."""
        for size, row in {"phone": 5, "desk": 3}.items():
            files = [self.folder / f"{name}.{size}.png" for name in self.taken]
            for start in range(0, len(files), row):
                self._sheet(browser, f"sheet-{size}-{start // row + 1:02}", files[start : start + row], size)

    def _sheet(self, browser: JourneyBrowser, name: str, files: list[Path], size: str) -> None:
        cells = "".join(
            f"<figure><figcaption>{file.name}</figcaption><img src='data:image/png;base64,"
            f"{base64.b64encode(file.read_bytes()).decode()}'></figure>"
            for file in files
        )
        wide = 390 if size == "phone" else 760
        page = browser.page(width="desk")
        page.set_viewport_size({"width": (wide + 10) * len(files), "height": 400})
        page.set_content(
            "<style>body{margin:0;display:flex;gap:10px;align-items:start;background:#888;font:14px sans-serif}"
            f"figure{{margin:0;max-height:{_TALL}px;overflow:hidden}}img{{width:{wide}px;display:block}}</style>{cells}"
        )
        page.screenshot(path=self.folder / f"{name}.png", full_page=True, type="png")
        page.context.close()
