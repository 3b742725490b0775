"""What the expression language does, and above all what it does with the unknown."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.expr import Unknown, as_json, check, evaluate, references, trace
from smartgov.shared.problems import Problem

DATA = {"age": 30, "name": "陳怡君", "born": date(2026, 1, 31), "tags": ["a", "b"], "gone": None, "deep": {"x": 1}}


@pytest.mark.parametrize(
    ("node", "value"),
    [
        (5, 5),
        ({"var": "deep.x"}, 1),
        ({"var": ["deep.y", 7]}, 7),
        ({"and": [{">=": [{"var": "age"}, 18]}, {"in": ["a", {"var": "tags"}]}]}, True),
        ({"or": [False, {"==": [{"var": "gone"}, None]}]}, True),
        ({"!": True}, False),
        ({"if": [False, 1, True, 2, 3]}, 2),
        ({"if": [False, 1]}, None),
        ({"+": [1, 2, 3]}, 6),
        ({"/": [{"*": [{"-": [10, 1]}, 2]}, 4]}, Fraction(9, 2)),
        ({"round": {"/": [5, 2]}}, 3),
        ({"round": {"/": [-5, 2]}}, -3),
        ({"round": {"/": [4, 3]}}, 1),
        ({"min": [3, 1, 2]}, 1),
        ({"max": [3, 1, 2]}, 3),
        ({"date": "2026-11-22"}, date(2026, 11, 22)),
        ({"month": {"var": "born"}}, "2026-01"),
        ({"add_months": [{"var": "born"}, 1]}, date(2026, 2, 28)),
        ({"add_days": [{"var": "born"}, 60]}, date(2026, 4, 1)),
        ({"days_between": [{"var": "born"}, {"date": "2026-02-02"}]}, 2),
        ({"months_between": [{"var": "born"}, {"date": "2028-01-01"}]}, 24),
        ({"age": [{"date": "2024-02-29"}, {"date": "2026-02-28"}]}, 1),
        ({"age": [{"date": "2024-02-29"}, {"date": "2026-03-01"}]}, 2),
        ({"earlier": [{"var": "born"}, {"date": "2025-01-01"}]}, date(2025, 1, 1)),
        ({"later": [{"var": "born"}, {"date": "2025-01-01"}]}, date(2026, 1, 31)),
        ({"cat": [{"surname": {"var": "name"}}, "小明"]}, "陳小明"),
        ({"surname": "歐陽小明"}, "歐陽"),
    ],
)
def test_operators(node, value):
    check(node)
    assert evaluate(node, DATA) == value


@pytest.mark.parametrize(
    "node",
    [
        {"exec": "1"},
        {"a": 1, "b": 2},
        {"==": [1]},
        {"==": [1, "1"]},
        {"==": [1, True]},
        {"<": ["a", 1]},
        {"<": [None, 1]},
        {"<": [True, False]},
        {"and": [1]},
        {"if": ["yes", 1, 2]},
        {"!": "x"},
        {"+": ["1", 2]},
        {"/": [1, 0]},
        {"date": "22/11/2026"},
        {"date": 5},
        {"age": ["2020-01-01", "2021-01-01"]},
        {"in": ["a", "abc"]},
        {"cat": ["a", 1]},
        {"var": 3},
        1.5,
    ],
)
def test_what_is_not_sound_is_refused(node):
    with pytest.raises(Problem) as caught:
        evaluate(node, DATA)
    assert caught.value.slug == "expr-invalid"


def test_nesting_is_bounded():
    node: object = True
    for _ in range(60):
        node = {"!": node}
    with pytest.raises(Problem, match="nested"):
        evaluate(node, {})


def test_the_unknown_names_everything_that_is_missing():
    value = evaluate({"+": [{"var": "facts.a"}, {"*": [{"var": "facts.b"}, 2]}]}, {"facts": {}})
    assert value == Unknown(frozenset({"facts.a", "facts.b"}))


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"and": [{"var": "q"}, False]}, False),
        ({"or": [{"var": "q"}, True]}, True),
        ({"and": [{"var": "q"}, True]}, Unknown(frozenset({"q"}))),
        ({"or": [{"var": "q"}, False]}, Unknown(frozenset({"q"}))),
        ({"!": {"var": "q"}}, Unknown(frozenset({"q"}))),
        ({"if": [{"var": "q"}, 1, 2]}, Unknown(frozenset({"q"}))),
        ([1, {"var": "q"}], Unknown(frozenset({"q"}))),
    ],
)
def test_kleene_logic(node, value):
    assert evaluate(node, {}) == value


def test_trace_shows_what_was_read_and_skips_what_did_not_matter():
    tree = trace({"or": [{">=": [{"var": "age"}, 18]}, {"var": "never"}]}, DATA)
    assert (tree.op, tree.value, len(tree.children)) == ("or", True, 1)
    assert [(node.op, node.path, node.value) for node in tree.walk()][2:] == [("var", "age", 30), ("literal", None, 18)]
    assert tree.as_dict()["children"][0]["children"][0] == {"op": "var", "value": 30, "path": "age"}


def test_references_are_found_in_every_branch():
    node = {"if": [{"var": "a"}, {"+": [{"var": "b.c"}, 1]}, [{"var": ["d", 0]}]]}
    assert references(node) == {"a", "b.c", "d"}


def test_json_form_has_no_floats_and_no_python_types():
    assert as_json({"d": date(2026, 1, 2), "f": Fraction(1, 3), "l": (1, Unknown(frozenset({"x"})))}) == {
        "d": "2026-01-02",
        "f": "1/3",
        "l": [1, None],
    }


_LEAVES = st.sampled_from([True, False, {"var": "p"}, {"var": "q"}])
_NODES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda items: {"and": items}),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: {"or": items}),
        inner.map(lambda item: {"!": item}),
    ),
    max_leaves=8,
)


@given(_NODES, st.booleans(), st.booleans())
def test_what_is_known_early_stays_true_whatever_is_learnt_later(node, p, q):
    early = evaluate(node, {"p": p})
    late = evaluate(node, {"p": p, "q": q})
    assert isinstance(late, bool)
    assert isinstance(early, Unknown) or early == late
