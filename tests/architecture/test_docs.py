"""Documentation that stays true: links lead somewhere, verbs exist, generated pages are up to date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scripts import settings_page

from smartgov import cli
from smartgov.site.blocks import OPTIONAL, REQUIRED

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/README.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_verbs_exist(page: Path) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)`", page.read_text())) <= verbs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_smartgov_exist(page: Path) -> None:
    for verb in re.findall(r"`smartgov ([a-z]+)", page.read_text()):
        with pytest.raises(SystemExit) as end:
            cli.main([verb, "--help"])
        assert end.value.code == 0, f"{page.name}: smartgov {verb}"


def test_the_readmes_are_twins() -> None:
    english, chinese = (ROOT / name for name in ("README.md", "README.zh-Hant.md"))
    pictures = [re.findall(r"docs/pictures/[\w.-]+", page.read_text()) for page in (english, chinese)]
    assert pictures[0] == pictures[1]
    commands = [re.findall(r"^make \w+", page.read_text(), re.MULTILINE) for page in (english, chinese)]
    assert commands[0] == commands[1]


def test_the_settings_page_is_up_to_date() -> None:
    assert (ROOT / "docs/manuals/operator/settings.md").read_text() == settings_page.page()


@pytest.mark.parametrize("name", [*REQUIRED, *OPTIONAL])
def test_every_block_says_what_it_is(name: str) -> None:
    assert (ROOT / "src/smartgov/blocks" / name / "README.md").exists()


def test_every_engine_says_what_it_is() -> None:
    for folder in (ROOT / "src/smartgov/engines").iterdir():
        if folder.is_dir() and not folder.name.startswith("_"):
            assert (folder / "README.md").exists(), folder.name


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/decisions").glob("0*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
