"""The table of failures in the protocol: every row names tests that exist, and that strike what they say."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import smartgov

ROOT = Path(smartgov.__file__).parents[2]
PAGE = ROOT / "docs" / "protocols" / "troad-evidence-1.md"
TESTS = ROOT / "src" / "smartgov" / "engines" / "troad" / "tests"
_ROW = re.compile(r"^\| (?P<blow>[^|]+) \| (?P<answer>[^|]+) \| (?P<tests>`[^|]+`) \|$", re.MULTILINE)
_PROCESS = re.compile(r"(process|asking|hasty|story|two)\b: (Process|Story|Two)\b|\bProcess\(")
"""How a test gets a gateway in a process of its own: a fixture, or it starts one."""
_NAMED = re.compile(r"`(\w+)(?:::(\w+))?`")


@dataclass(frozen=True)
class Row:
    """One blow, what the gateway does, and the tests that strike: file and function."""

    blow: str
    answer: str
    tests: tuple[tuple[str, str], ...]


def table() -> list[Row]:
    """The rows of section 5."""
    text = PAGE.read_text(encoding="utf-8").partition("## 5. ")[2].partition("\n## ")[0]
    return [Row(one["blow"], one["answer"], tuple(_NAMED.findall(one["tests"]))) for one in _ROW.finditer(text)]


def functions(name: str) -> dict[str, str]:
    """The tests of a file with their source."""
    source = (TESTS / f"{name}.py").read_text(encoding="utf-8")
    found = [one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {one.name: ast.get_source_segment(source, one) or "" for one in found if one.name.startswith("test_")}


ROWS = table()


def test_the_table_is_read_whole() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("| Blow | What the gateway does | Test |\n|---|---|---|\n")[2]
    lines = section.partition("\n\n")[0].splitlines()
    assert len(ROWS) == len(lines) > 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.blow[:60])
def test_each_blow_has_a_test_that_strikes(row: Row) -> None:
    assert row.tests, "a row without a test is a promise without a proof"
    for file, function in row.tests:
        assert (TESTS / f"{file}.py").exists(), file
        source = functions(file).get(function)
        assert source is not None, f"{file} has no test {function}"
        assert "assert" in source or "pytest.raises" in source, f"{file}::{function} asserts nothing"
        assert "skip" not in source, f"{file}::{function} may be left out"
        assert _PROCESS.search(source), f"{file}::{function} breaks no gateway in a process of its own"
        assert ".hold(" in source, f"{file}::{function} does not hold the logs to what was acknowledged"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.blow[:60])
def test_what_a_gateway_says_is_what_its_test_looks_for(row: Row) -> None:
    """A problem type or alarm in the row stands in one of its tests, or in what their file shares among its tests."""
    said = [one for one in re.findall(r"`([a-z-]+)(?::\{\w+\})?`", row.answer) if "-" in one]
    files = "\n".join((TESTS / f"{file}.py").read_text(encoding="utf-8") for file, _ in row.tests)
    assert [one for one in said if one not in files] == []
