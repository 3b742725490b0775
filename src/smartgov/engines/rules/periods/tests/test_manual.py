"""The manual's page on formulas by period is run: its inputs, formulas and situation give what it prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smartgov.engines import rules
from smartgov.engines.expr import as_json
from smartgov.engines.rules.commands import accounted
from smartgov.engines.rules.periods import Span
from smartgov.shared import content

PAGE = Path(__file__).parents[6] / "docs" / "manuals" / "designer" / "periods.md"
BLOCKS = re.findall(r"^```(\w+) ([^\n]+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
ACCOUNTS = [(head.split(), text) for kind, head, text in BLOCKS if kind == "text"]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> rules.RuleBook:
    folder = tmp_path_factory.mktemp("page")
    (folder / "formulas").mkdir()
    for kind, head, text in BLOCKS:
        if (kind, head) == ("yaml", "inputs"):
            (folder / "inputs.yaml").write_text(text, encoding="utf-8")
        if (kind, head) == ("yaml", "formula"):
            (folder / "formulas" / f"{content.parse(text)['id']}.yaml").write_text(text, encoding="utf-8")
    return rules.load(folder)


@pytest.mark.parametrize(("head", "text"), ACCOUNTS)
def test_the_page_says_what_the_command_prints(book: rules.RuleBook, head: list[str], text: str) -> None:
    (raw,) = [each for kind, name, each in BLOCKS if name == "situation"]
    formula, period, who = head
    found = book.calculate(formula, book.situation(as_json(content.parse(raw))), Span.of(period), who)
    assert "\n".join(accounted(found, "en")) + "\n" == text


def test_the_page_has_accounts() -> None:
    assert len(ACCOUNTS) == 2
