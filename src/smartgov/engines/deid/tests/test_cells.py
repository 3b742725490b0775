"""Suppressed tables: what the programs say about them is what trying every table says."""

from __future__ import annotations

from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smartgov.engines.deid.cells import (
    TOTAL,
    Cube,
    Rules,
    Tabulated,
    audit,
    intervals,
    primary,
    read_published,
    suppress,
    tabulate,
)
from smartgov.engines.deid.cells.protection import Suppressed, reader_floor
from smartgov.shared.problems import Problem


def with_margins(inner: np.ndarray) -> Cube:
    values = inner.astype(float)
    for axis in range(inner.ndim):
        values = np.concatenate([values, values.sum(axis=axis, keepdims=True)], axis=axis)
    labels = tuple((*(f"{k}{n}" for n in range(size)), TOTAL) for k, size in enumerate(inner.shape))
    return Cube(tuple("abc"[: inner.ndim]), labels, (True,) * inner.ndim, values)


def counted(inner: np.ndarray) -> Tabulated:
    cube = with_margins(inner)
    return Tabulated(cube, cube.values.astype(np.int64), None, counts=True)


def every_table(cube: Cube, mask: np.ndarray, floor: np.ndarray, fixed: np.ndarray | None = None) -> np.ndarray:
    """All tables of whole numbers that fit, by trying every filling of the suppressed inner cells."""
    hidden = mask if fixed is None else mask & ~fixed
    inner = tuple(slice(0, size - 1) for size in cube.shape)
    free = np.argwhere(hidden[inner])
    most = [_most(cube, hidden, tuple(cell)) for cell in free]
    assume(np.prod([float(m + 1) for m in most]) <= 2_000)
    fitting = []
    for filling in product(*(range(m + 1) for m in most)):
        tried = cube.values[inner].copy()
        tried[tuple(free.T)] = filling
        table = with_margins(tried).values
        if np.array_equal(table[~hidden], cube.values[~hidden]) and np.all(table[mask] >= floor[mask]):
            fitting.append(table[mask])
    return np.array(fitting)


def _most(cube: Cube, hidden: np.ndarray, cell: tuple[int, ...]) -> int:
    """No cell exceeds what is left of the grand total, or of a published total of a line of its own."""
    inner = cube.is_total() == 0
    most = cube.values.flat[-1] - cube.values[inner & ~hidden].sum()
    for axis in range(len(cell)):
        line = tuple(slice(None) if k == axis else place for k, place in enumerate(cell))
        if not hidden[line][-1]:
            most = min(most, cube.values[line][-1] - cube.values[line][:-1][~hidden[line][:-1]].sum())
    return int(most)


def small_tables(sizes: list[tuple[int, ...]], most: int = 6) -> st.SearchStrategy[np.ndarray]:
    def filled(shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
        cells = st.lists(st.integers(0, most), min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))
        return cells.map(lambda values: np.array(values).reshape(shape))

    return st.sampled_from(sizes).flatmap(filled)


@settings(max_examples=40, deadline=None)
@given(small_tables([(4,), (2, 3), (3, 2)]), st.data())
def test_intervals_are_what_trying_every_table_finds(inner: np.ndarray, data: st.DataObject) -> None:
    cube = with_margins(inner)
    chosen = data.draw(st.lists(st.integers(0, cube.values.size - 1), max_size=6, unique=True))
    mask = np.zeros(cube.shape, dtype=bool)
    mask.flat[chosen] = True
    mask.flat[-1] = False  # without the grand total nothing bounds the tables that are tried
    assume((mask & (cube.is_total() == 0)).sum() <= 5)
    floor = np.zeros(cube.shape)
    tables = every_table(cube, mask, floor)
    found = intervals(cube, mask, floor)
    assert np.allclose(found.low, tables.min(axis=0) if mask.any() else [])
    assert np.allclose(found.high, tables.max(axis=0) if mask.any() else [])


@settings(max_examples=30, deadline=None)
@given(small_tables([(2, 2, 2)], most=4), st.data())
def test_in_three_dimensions_whole_numbers_lie_within(inner: np.ndarray, data: st.DataObject) -> None:
    cube = with_margins(inner)
    mask = np.zeros(cube.shape, dtype=bool)
    mask.flat[data.draw(st.lists(st.integers(0, cube.values.size - 2), min_size=1, max_size=8, unique=True))] = True
    assume((mask & (cube.is_total() == 0)).sum() <= 5)
    floor = np.zeros(cube.shape)
    tables = every_table(cube, mask, floor)
    loose, whole = (intervals(cube, mask, floor, integer=integer) for integer in (False, True))
    assert np.all(loose.low <= tables.min(axis=0) + 1e-6)
    assert np.all(loose.high >= tables.max(axis=0) - 1e-6)
    assert np.allclose(whole.low, tables.min(axis=0))
    assert np.allclose(whole.high, tables.max(axis=0))


def protected(inner: np.ndarray, **options: bool) -> tuple[Tabulated, Suppressed] | None:
    table = counted(inner)
    try:
        return table, suppress(table, Rules(threshold=3), **options)
    except Problem as problem:
        slug = problem.slug
    assert slug == "cells-unprotectable"
    return None


@settings(max_examples=40, deadline=None)
@given(small_tables([(4,), (5,), (3, 3), (2, 4)], most=5), st.booleans())
def test_no_reader_works_out_a_small_cell(inner: np.ndarray, zeros_known: bool) -> None:
    made = protected(inner, zeros_known=zeros_known)
    assume(made is not None)
    table, result = made  # type: ignore[misc]
    mask, cube = result.mask, table.cube
    assume((mask & (cube.is_total() == 0)).sum() <= 6 and not mask.flat[-1])
    floor = reader_floor(table, zeros_known)
    tables = every_table(cube, mask, floor)
    levels = primary(table, Rules(threshold=3))
    small = levels.mask[mask]
    assert small.sum() == ((cube.values > 0) & (cube.values < 3)).sum()
    low, high = tables.min(axis=0, initial=99)[small], tables.max(axis=0, initial=-1)[small]
    value = cube.values[mask][small]
    assert np.all(high >= 3)
    assert np.all(low <= np.maximum(value - 1, np.maximum(floor[mask][small], 1)))
    assert np.allclose(result.feasible.low[small], low)
    assert np.allclose(result.feasible.high[small], high)


@settings(max_examples=40, deadline=None)
@given(small_tables([(5,), (3, 3), (2, 4)], most=5))
def test_nor_do_those_who_are_alone_in_another_cell(inner: np.ndarray) -> None:
    made = protected(inner)
    assume(made is not None)
    table, result = made  # type: ignore[misc]
    cube, mask = table.cube, result.mask
    assume((mask & (cube.is_total() == 0)).sum() <= 6 and not mask.flat[-1])
    inside = cube.is_total() == 0
    floor = reader_floor(table, zeros_known=True)
    for cell in np.argwhere(result.primary.mask & inside):
        alone = mask & inside & (cube.values == 1)
        alone[tuple(cell)] = False
        tables = every_table(cube, mask, floor, fixed=alone)
        place = int(np.flatnonzero(np.flatnonzero(mask) == np.ravel_multi_index(tuple(cell), cube.shape))[0])
        assert tables[:, place].max() >= 3


def test_a_single_small_cell_takes_a_rectangle() -> None:
    inner = np.array([[1, 20, 30], [10, 9, 50], [40, 50, 60]])
    result = suppress(counted(inner), Rules(threshold=5))
    assert np.argwhere(result.mask).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert result.evidence()["primary"] == 1
    assert result.evidence()["complementary"] == 3
    told = result.table("people").to_pylist()
    assert told[0] == {"a": "00", "b": "10", "people": None, "suppressed": True}
    assert told[-1] == {"a": TOTAL, "b": TOTAL, "people": 270, "suppressed": False}
    assert set(told[0]) == {"a", "b", "people", "suppressed"}, "sensitive and cover must look alike"


def test_nothing_small_nothing_suppressed() -> None:
    result = suppress(counted(np.array([[10, 20], [30, 0]])), Rules(threshold=5))
    assert not result.mask.any()
    assert result.evidence()["narrowest_interval"] is None


def test_many_cells_are_proven_without_whole_intervals() -> None:
    inner = np.random.default_rng(5).poisson(9, (40, 12))
    exact, quick = (suppress(counted(inner), Rules(threshold=5), exact=exact) for exact in (True, False))
    assert np.array_equal(exact.mask, quick.mask)
    assert np.all(quick.feasible.low >= exact.feasible.low - 1e-6)
    assert np.all(quick.feasible.high <= exact.feasible.high + 1e-6)
    assert quick.evidence()["intervals_exact"] is False


def test_what_cannot_be_hidden_is_refused() -> None:
    with pytest.raises(Problem, match="cells-unprotectable") as caught:
        suppress(counted(np.array([1, 4])), Rules(threshold=5))
    assert caught.value.extra["cell"] == {"a": "00"}


PEOPLE = pa.table(
    {
        "town": ["甲"] * 6 + ["乙"] * 9 + ["丙"] * 8,
        "age": ["young"] * 2 + ["old"] * 4 + ["young"] * 5 + ["old"] * 4 + ["young"] * 4 + ["old"] * 4,
        "firm": [f"f{n}" for n in range(23)],
        "tax": [90, 5, 10, 10, 10, 10] + [20] * 9 + [25] * 8,
    }
)


def test_rows_become_a_table_with_margins() -> None:
    table = tabulate(PEOPLE, ["town", "age"], labels={"town": ["甲", "乙", "丙", "丁"]})
    assert table.cube.labels == (("甲", "乙", "丙", "丁", TOTAL), ("old", "young", TOTAL))
    assert table.cube.values.tolist() == [[4, 2, 6], [4, 5, 9], [4, 4, 8], [0, 0, 0], [12, 11, 23]]
    assert (table.cube.lines(np.arange(15)) @ table.cube.values.ravel()).tolist() == [0.0] * 8


def test_sums_know_their_largest_contributors() -> None:
    table = tabulate(PEOPLE, ["town", "age"], value="tax", unit="firm")
    place = (table.cube.labels[0].index("甲"), table.cube.labels[1].index("young"))
    assert table.cube.values[place] == 95
    assert table.contributors[place] == 2
    assert table.largest is not None
    assert table.largest[place].tolist() == [90, 5]
    sensitive = primary(table, Rules(threshold=None, p=10))
    assert sensitive.mask[place]
    assert sensitive.upper[place] == pytest.approx(9)  # 10 % of 90, less what remains: 0
    assert not primary(table, Rules(threshold=None, dominance=(1, 95))).mask[place]
    assert primary(table, Rules(threshold=None, dominance=(1, 75))).upper[place] == pytest.approx(90 / 0.75 - 95)
    result = suppress(table, Rules(threshold=3, p=10))
    at = np.flatnonzero(np.flatnonzero(result.mask) == np.ravel_multi_index(place, table.cube.shape))[0]
    assert result.feasible.low[at] <= 95 - 19 + 1e-6
    assert result.feasible.high[at] >= 95 + 19 - 1e-6


def test_several_rows_of_one_unit_are_one_contributor() -> None:
    rows = pa.table({"town": ["甲", "甲", "乙"], "firm": ["f", "f", "g"], "tax": [3, 4, 5]})
    table = tabulate(rows, ["town"], value="tax", unit="firm")
    assert table.contributors.tolist() == [1, 1, 2]
    assert table.largest is not None
    assert table.largest.tolist() == [[5, 0], [7, 0], [7, 5]]
    assert tabulate(rows, ["town"], unit="firm").cube.values.tolist() == [1, 1, 2]


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (PEOPLE, {"by": ["nowhere"]}),
        (PEOPLE, {"by": []}),
        (PEOPLE, {"by": ["town", "town"]}),
        (PEOPLE, {"by": ["town"], "labels": {"town": ["甲"]}}),
        (PEOPLE, {"by": ["town"], "total": "甲"}),
        (PEOPLE, {"by": ["town"], "value": "age"}),
        (pa.table({"town": ["甲", None]}), {"by": ["town"]}),
        (pa.table({"town": ["甲"], "tax": [-1]}), {"by": ["town"], "value": "tax"}),
        (pa.table({"town": ["甲"], "tax": [float("nan")]}), {"by": ["town"], "value": "tax"}),
        (pa.table({"town": ["甲", "乙"], "firm": ["f", "f"]}), {"by": ["town"], "unit": "firm"}),
    ],
)
def test_what_nothing_can_be_proven_about_is_refused(rows: pa.Table, options: dict[str, object]) -> None:
    with pytest.raises(Problem, match="cells-invalid"):
        tabulate(rows, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "rules",
    [{"threshold": None}, {"threshold": 1}, {"dominance": (0, 50)}, {"dominance": (1, 100)}, {"p": 0}],
)
def test_odd_rules_are_refused(rules: dict[str, object]) -> None:
    with pytest.raises(Problem, match="cells-rules-invalid"):
        Rules(**rules)  # type: ignore[arg-type]
    with pytest.raises(Problem, match="cells-rules-invalid"):
        primary(counted(np.array([1, 2])), Rules(p=10))


def published(*values: object) -> tuple[Cube, np.ndarray]:
    places = [(a, b) for a in ("甲", "乙", TOTAL) for b in ("young", "old", TOTAL)]
    rows = {"town": [a for a, _ in places], "age": [b for _, b in places], "people": [str(v) for v in values]}
    return read_published(pa.table(rows), ["town", "age"], value="people")


def test_a_table_of_others_with_one_hole_is_seen_through() -> None:
    cube, mask = published("x", 10, 12, 20, 30, 50, 22, 40, 62)
    (finding,) = audit(cube, mask)
    assert (finding.kind, finding.low, finding.place) == ("exact", 2, {"town": "甲", "age": "young"})
    assert "2" in finding.sentence.zh


def test_a_table_of_others_with_a_rectangle_is_judged_by_its_width() -> None:
    cube, mask = published("*", "*", 4, "*", "*", "1,050", 22, "1,032", "1,054")
    assert audit(cube, mask) == []
    assert {finding.kind for finding in audit(cube, mask, threshold=6)} == {"small"}
    assert {finding.kind for finding in audit(cube, mask, width=10)} == {"narrow"}


def test_contradicting_sums_are_found() -> None:
    with pytest.raises(Problem, match="cells-inconsistent"):
        audit(*published(1, 10, 12, 20, 30, 50, 21, 40, 62))
    with pytest.raises(Problem, match="cells-inconsistent"):
        audit(*published("x", "x", 12, "x", "x", 50, 22, 40, 70))


@pytest.mark.parametrize("value", ["many", -1, "inf"])
def test_values_that_are_no_numbers_are_refused(value: object) -> None:
    with pytest.raises(Problem, match="cells-invalid"):
        published(value, 10, 12, 20, 30, 50, 21, 40, 62)


def test_missing_and_double_cells_are_refused() -> None:
    rows = pa.table({"town": ["甲", "乙", "甲"], "people": [1, 2, 3]})
    with pytest.raises(Problem, match="cells-invalid"):
        read_published(rows, ["town"], value="people")


def test_our_own_tables_pass_the_audit() -> None:
    result = suppress(counted(np.random.default_rng(3).poisson(8, (12, 6))), Rules(threshold=5))
    cube, mask = read_published(result.table("people"), ["a", "b"], value="people")
    assert mask.sum() == result.mask.sum() > 0
    assert [finding for finding in audit(cube, mask, floor=1) if finding.kind == "exact"] == []


def test_where_no_rectangle_exists_a_program_finds_a_longer_way() -> None:
    inner = np.array([[2, 20, 0], [0, 20, 20], [20, 0, 20]])
    result = suppress(counted(inner), Rules(threshold=5), keep_totals=True)
    assert np.array_equal(result.mask[:3, :3], inner > 0)
    assert result.mask.sum() == 6
    assert result.feasible.high[0] >= 5


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(1, 10**9), min_size=1, max_size=4), min_size=6, max_size=6))
def test_sums_are_hidden_as_far_as_the_p_rule_asks(cells: list[list[int]]) -> None:
    rows = [(f"t{k // 3}", f"b{k % 3}", f"f{k}-{n}", v) for k, own in enumerate(cells) for n, v in enumerate(own)]
    columns = dict(zip(("town", "branch", "firm", "tax"), map(list, zip(*rows, strict=True)), strict=True))
    table = tabulate(pa.table(columns), ["town", "branch"], value="tax", unit="firm")
    rules = Rules(threshold=None, p=10)
    try:
        result = suppress(table, rules)
    except Problem as problem:
        slug = problem.slug
    else:
        slug = ""
        told, found = primary(table, rules), result.feasible
        for cell, low, high in zip(found.cells, found.low, found.high, strict=True):
            if told.mask.flat[cell]:
                value, first = table.cube.values.flat[cell], table.largest[cell // 4, cell % 4, 0]  # type: ignore[index]
                second = table.largest[cell // 4, cell % 4, 1]  # type: ignore[index]
                assert high - second - first >= 0.1 * first * (1 - 1e-6), "the second must not know the first to 10 %"
                assert low <= value - told.lower.flat[cell] + 1e-6 * value
    # A refusal releases nothing, whether no cover was found or the proof did not accept the one that was.
    assert slug in {"", "cells-unprotectable", "cells-unproven"}
