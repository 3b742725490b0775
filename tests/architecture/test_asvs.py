"""The registers of OWASP ASVS: every requirement has a test that exists, or a written reason."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
REGISTERS = sorted((ROOT / "docs/security").glob("asvs-*.yaml"))
# How many requirements each chapter has, by level.
SIZES = {
    "asvs-5.0-v6": {1: 13, 2: 22, 3: 12},
    "asvs-5.0-v7": {1: 6, 2: 12, 3: 1},
    "asvs-5.0-v8": {1: 4, 2: 3, 3: 6},
    "asvs-5.0-v9": {1: 4, 2: 3, 3: 0},
    "asvs-5.0-v10": {1: 5, 2: 24, 3: 7},
}


def read(path: Path) -> dict[str, Any]:
    """The parsed register."""
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


@lru_cache(maxsize=64)
def names_in(path: Path) -> frozenset[str]:
    """The names of the test functions of a file, or of the files of a folder."""
    if path.is_dir():
        return frozenset().union(*(names_in(file) for file in path.glob("test_*.py")))
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("register", REGISTERS, ids=lambda path: path.stem)
def test_each_requirement_has_a_test_or_a_reason(register: Path) -> None:
    given = read(register)
    for number, row in given["requirements"].items():
        assert row["what"], number
        assert row.get("tests") or row.get("reason"), f"{number} has neither"
        for name in row.get("tests", ()):
            short, _, function = name.partition("::")
            assert function in names_in(ROOT / given["files"][short]), f"{number}: {name}"


@pytest.mark.parametrize("name", SIZES)
def test_no_requirement_is_left_out(name: str) -> None:
    rows = read(ROOT / f"docs/security/{name}.yaml")["requirements"].values()
    assert {level: sum(row["level"] == level for row in rows) for level in (1, 2, 3)} == SIZES[name]


def test_the_page_lists_what_is_only_reasoned() -> None:
    page = (ROOT / "docs/security/README.md").read_text()
    said = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ") and line[2].isdigit()}
    rows = {number: row for path in REGISTERS for number, row in read(path)["requirements"].items()}
    assert said == {number for number, row in rows.items() if not row.get("tests")}
