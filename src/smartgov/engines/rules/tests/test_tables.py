"""Decision tables: overlaps, gaps and idle rows are found with an example; the rows decide as they say."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines import expr
from smartgov.engines.rules.tables import read_table
from smartgov.engines.rules.wording import Term
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

T = Text.of("x")
TERMS = {
    "fact.n": Term(T, "number"),
    "fact.d": Term(T, "date"),
    "fact.y": Term(T, "yesno"),
    "fact.c": Term(T, "text", {"a": T, "b": T, "c": T}),
}


def table(*rows, hit="unique", names=("n",), **more):
    inputs = [{"id": name, "of": {"var": f"fact.{name}"}, **more.get(name, {})} for name in names]
    otherwise = {"otherwise": more["otherwise"]} if "otherwise" in more else {}
    rows = [{"when": when, "then": then} for when, then in rows]
    return read_table({"hit": hit, "inputs": inputs, "rows": rows, **otherwise}, TERMS, "rules/t.yaml")


def decided(found, **facts):
    return expr.evaluate(found.node(), {"fact": facts})


def test_a_table_decides_by_its_rows():
    found = table(({"n": {"<": 3}}, "few"), ({"n": {">=": 3, "<": 10}}, "some"), ({"n": {">=": 10}}, "many"))
    assert [decided(found, n=n) for n in (-5, 2, 3, 9, 10)] == ["few", "few", "some", "some", "many"]
    assert isinstance(decided(found), expr.Unknown)


@pytest.mark.parametrize(
    ("rows", "names", "more", "why"),
    [
        ([({"n": {"<=": 3}}, 1), ({"n": {">=": 3}}, 2)], ("n",), {}, "rows 1 and 2 overlap: both take n = 3"),
        ([({"n": {"<": 3}}, 1), ({"n": {">": 3}}, 2)], ("n",), {}, "gap: no row takes n = 3"),
        ([({"n": [1, 2]}, 1)], ("n",), {"n": {"least": 1, "most": 3}}, "gap: no row takes n = 3"),
        ([({"c": ["a", "b"]}, 1)], ("c",), {}, "gap: no row takes c = c"),
        ([({"y": True}, 1), ({}, 2)], ("y",), {}, "overlap: both take y = True"),
        (
            [({"c": "a", "n": {"<": 2}}, 1), ({"c": ["b", "c"]}, 2), ({"c": "a", "n": {">": 2}}, 3)],
            ("c", "n"),
            {},
            "gap: no row takes c = a, n = 2",
        ),
        (
            [({"d": {"<": date(2026, 1, 1)}}, 1), ({"d": {">": date(2026, 1, 1)}}, 2)],
            ("d",),
            {},
            "gap: no row takes d = 2026-01-01",
        ),
        ([({"n": 1}, 1), ({"n": 1}, 2)], ("n",), {"hit": "first", "otherwise": 0}, "row 2 is never reached"),
        ([({"c": "z"}, 1)], ("c",), {}, "'z', which c cannot be"),
        ([({"n": "z"}, 1)], ("n",), {}, "takes whole numbers or days"),
        ([({"m": 1}, 1)], ("n",), {}, "which are no inputs"),
        ([({"n": {"~": 1}}, 1)], ("n",), {}, "not made of"),
    ],
)
def test_what_is_wrong_is_refused_with_an_example(rows, names, more, why):
    with pytest.raises(Problem) as caught:
        table(*rows, names=names, **more)
    assert caught.value.slug == "rule-invalid"
    assert why in caught.value.why.en


def test_first_takes_the_first_row_and_otherwise_the_rest():
    found = table(({"n": {">": 5}}, "a"), ({"n": {">": 2}}, "b"), hit="first", otherwise="c")
    assert [decided(found, n=n) for n in (6, 5, 2)] == ["a", "b", "c"]


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=6, unique=True), st.integers(-30, 30))
def test_bands_without_gaps_take_every_value_once(cuts, n):
    cuts = sorted(cuts)
    rows = [({"n": {"<": cuts[0]}}, 0)]
    rows += [({"n": {">=": low, "<": high}}, i) for i, (low, high) in enumerate(pairwise(cuts), 1)]
    rows.append(({"n": {">=": cuts[-1]}}, len(cuts)))
    assert decided(table(*rows), n=n) == sum(n >= cut for cut in cuts)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=1, max_size=4))
def test_a_table_that_is_accepted_takes_every_value_exactly_once(bounds):
    rows = [({"n": {">=": low, "<=": high}}, i) for i, (low, high) in enumerate(bounds)]
    hits = {n: [i for i, (low, high) in enumerate(bounds) if low <= n <= high] for n in range(-9, 10)}
    sound = all(len(hit) == 1 for n, hit in hits.items() if -5 <= n <= 5) and all(low <= high for low, high in bounds)
    try:
        found = table(*rows, n={"least": -5, "most": 5})
    except Problem:
        assert not sound
    else:
        assert sound
        assert all(decided(found, n=n) == hits[n][0] for n in range(-5, 6))
