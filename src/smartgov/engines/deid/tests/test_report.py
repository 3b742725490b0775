"""The evidence pack: whole in both languages, self-contained, strict, and without anybody's data."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from smartgov.engines.deid import attacks, report
from smartgov.engines.deid.attacks import Thresholds
from smartgov.engines.deid.report import About, Pack, document, page, sections
from smartgov.engines.deid.tests import plants
from smartgov.shared.problems import Problem

ABOUT = About.parse(
    {"title": {"en": "Visits <2026>", "zh": "就醫紀錄<115>"}, "review_on": "2027-01-01", "population": 9000}
)


def pack(good: bool = True) -> Pack:
    source = plants.town()
    release = plants.released(source, shuffle=good)
    target = plants.target(release=release, thresholds=Thresholds(k=5 if good else 150))
    return report.measured(target, ABOUT, attacks.run_all(target))


@pytest.fixture(scope="module")
def good() -> Pack:
    return pack()


@pytest.fixture(scope="module")
def bad() -> Pack:
    return pack(good=False)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_strict_and_self_contained(good: Pack, language: str) -> None:
    html = page.render(good, language)
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style
    assert f"'sha256-{b64encode(sha256(style[1].encode()).digest()).decode()}'" in html
    assert "default-src 'none'" in html
    assert not re.search(r"<script|<link|<img|\sstyle=|\son\w+=|url\((?!#)|@import", html)
    assert set(re.findall(r"https?://[^\"' ]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert html.count("<h1") == 1
    anchors = set(re.findall(r'href="#([a-z]+)"', html))
    assert anchors <= set(re.findall(r'id="([a-z]+)"', html))
    assert "&lt;" in html
    assert "<2026>" not in html


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pictures_are_well_formed_and_have_a_name_and_a_table(good: Pack, language: str) -> None:
    html = page.render(good, language)
    drawn = re.findall(r"<figure>(<svg.*?</svg>)", html, re.DOTALL)
    assert len(drawn) == 3
    for svg in drawn:
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        assert root.get("aria-label")
    assert html.count("<details>") == 3


def test_every_chapter_of_the_standard_is_there(good: Pack) -> None:
    assert [one.key for one in sections.sections(good)] == [
        "scope", "roles", "inventory", "thresholds", "method", "result", "test", "utility", "approval", "review",
        "integrity",
    ]  # fmt: skip


def test_nobodys_values_are_in_it(good: Pack, bad: Pack) -> None:
    source = plants.town()
    told = page.render(good, "zh") + page.render(bad, "en") + json.dumps(report.facts(bad), ensure_ascii=False)
    for name in ("id", "name"):
        assert not any(value in told for value in source[name].to_pylist())


def test_the_verdict_follows_the_findings(good: Pack, bad: Pack) -> None:
    assert good.passed
    assert sections.headline(good)[1].en == "All attacks failed"
    assert not bad.passed
    verdict, why = sections.headline(bad)[1:]
    assert verdict.zh == "不得釋出"
    assert "Row order" in why.en
    assert "verdict bad" in page.render(bad, "zh")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_document_is_pdf_a(good: Pack, language: str) -> None:
    made = document.render(good, language)
    assert made.startswith(b"%PDF-1.7")
    assert b"pdfaid" in made


def test_all_files_are_written_and_the_json_has_the_ledgers_digest(good: Pack, tmp_path: Path) -> None:
    names = [path.name for path in report.write(good, tmp_path)]
    assert names == ["evidence.zh.html", "evidence.zh.pdf", "evidence.en.html", "evidence.en.pdf", "evidence.json"]
    plain = json.loads((tmp_path / "evidence.json").read_text())
    assert plain["findings_digest"] == good.findings_digest
    assert plain["k"] == good.risk.k
    assert plain["population"] == 9000


@pytest.mark.parametrize("value", [{"titel": "x"}, {"title": {"en": "only"}}, {"population": "many"}])
def test_an_unknown_word_about_the_release_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(Problem, match="about-invalid"):
        About.parse(value)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (1, "100%"), (0.2, "20%"), (0.123, "12%"), (0.0123, "1.2%"), (0.000045, "0.0045%"), (0.9999, "99.9%")],
)
def test_shares_are_written_with_two_telling_digits(share: float, text: str) -> None:
    assert sections.percent(share) == text
