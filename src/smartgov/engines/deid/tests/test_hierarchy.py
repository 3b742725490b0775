"""Hierarchies: nested and complete, or refused with the value that is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.shared.problems import Problem


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=40, unique=True))
def test_groups_are_runs_and_steps_compose(table: list[tuple[int, int, int]]) -> None:
    rows = [[f"{a}.{b}.{c}", f"{a}.{b}", f"{a}", "*"] for a, b, c in table]
    tree = Hierarchy.of("x", rows)
    for level in range(tree.levels):
        assert (np.diff(tree.codes[level]) >= 0).all()
        assert (np.diff(np.unique(tree.codes[level])) == 1).all()
    for low in range(tree.levels):
        for high in range(low, tree.levels):
            assert (tree.step(low, high)[tree.codes[low]] == tree.codes[high]).all()
    assert tree.leaves(tree.height).sum() == len(rows)
    assert {row[0]: row[1:] for row in tree.as_rows()} == {row[0]: row[1:] for row in rows}


def test_a_hierarchy_that_is_not_nested_is_refused_with_the_value() -> None:
    with pytest.raises(Problem) as caught:
        Hierarchy.of("occupation", [["a", "g1", "p1", "*"], ["b", "g1", "p2", "*"]])
    assert caught.value.slug == "deid-hierarchy-not-nested"
    assert "'g1'" in caught.value.why.en
    assert "'p1'" in caught.value.why.en
    assert caught.value.extra == {"attribute": "occupation", "level": 1}


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([], "empty"),
        ([["a", "*"], ["a", "*"]], "twice"),
        ([["a", "*"], ["b"]], "long"),
    ],
)
def test_a_hierarchy_without_sense_is_refused(rows: list[list[str]], word: str) -> None:
    with pytest.raises(Problem) as caught:
        Hierarchy.of("x", rows)
    assert word in caught.value.why.en


@pytest.mark.parametrize("cell", ["\ufffd", "a\ue000", "x\x00"])
def test_mixed_encodings_are_refused(cell: str) -> None:
    with pytest.raises(Problem) as caught:
        Hierarchy.of("x", [[cell, "*"]])
    assert caught.value.slug == "deid-mixed-encoding"


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "town.csv"
    path.write_bytes("臺北市;北部\n".encode("big5"))
    with pytest.raises(Problem) as caught:
        Hierarchy.of_csv("town", path)
    assert "UTF-8" in caught.value.why.en


def test_intervals_days_and_prefixes() -> None:
    ages = Hierarchy.intervals("age", 0, 104, [5, 15])
    rows = {row[0]: row for row in ages.rows}
    assert rows["17"] == ("17", "15-19", "15-29", "*")
    assert rows["104"] == ("104", "100-104", "90-104", "*")
    days = Hierarchy.dates("born", [date(2026, 2, 28), date(1999, 12, 31)])
    assert ("2026-02-28", "2026-02", "2026-Q1", "2026", "2020s", "*") in days.rows
    posts = Hierarchy.prefixes("post", ["10048", "10055", "80001"], [3, 1])
    assert ("10048", "100**", "1****", "*") in posts.rows


def test_widths_that_do_not_divide_are_refused() -> None:
    with pytest.raises(Problem):
        Hierarchy.intervals("age", 0, 99, [5, 12])
