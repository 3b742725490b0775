"""The SQL of an expression says what the evaluator says, for every row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartgov.engines.expr import DUCKDB, POSTGRESQL, Column, Dialect, Unknown, as_json, compile_sql, evaluate
from smartgov.engines.expr.tests import databases
from smartgov.engines.expr.tests.databases import Ask
from smartgov.engines.expr.tests.strategies import COLUMNS, EXPRESSIONS, ROWS, TYPES, VALUES, WORDS
from smartgov.shared.problems import Problem

REFUSED = object()


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a sub-select of typed literals, with their number."""
    selects = [
        "SELECT "
        + ", ".join(f"CAST({_sql(row[name])} AS {kind}) AS {name}" for name, kind in TYPES.items())
        + f", {i} AS i"
        for i, row in enumerate(rows)
    ]
    return f"({' UNION ALL '.join(selects)}) AS rows"


def _sql(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"'{value}'" if isinstance(value, date) else str(value)


def in_python(node: Any, row: dict[str, Any]) -> Any:
    known = {name: WORDS[value] if name == "c" else value for name, value in row.items() if value is not None}
    try:
        found = evaluate(node, {"row": known, "on": VALUES["on"], "param": {"limit": VALUES["param.limit"]}})
    except Problem:
        return REFUSED
    return None if isinstance(found, Unknown) else found


def in_sql(node: Any, rows: list[dict[str, Any]], dialect: Dialect, ask: Ask) -> list[Any] | None:
    """The values by row; None when the compiler refuses."""
    try:
        found = compile_sql(node, COLUMNS, VALUES, dialect)
    except Problem:
        return None
    values = ask(f"SELECT {found.sql}, {found.den} FROM {table(rows)} ORDER BY i")
    return [_value(found, *value) for value in values]


def _value(found: Any, value: Any, den: Any) -> Any:
    if value is None or den is None:
        return None
    if found.kind == "number":
        return Fraction(int(value), int(den))
    return found.words[value] if found.words else value


def agree(node: Any, rows: list[dict[str, Any]], dialect: Dialect, ask: Ask) -> None:
    answers = in_sql(node, rows, dialect, ask)
    expected = [in_python(node, row) for row in rows]
    if answers is None:
        # Too strict is allowed only where Python may stumble as well: kinds that never fit, numbers past all bounds.
        return
    for row, ours, theirs in zip(rows, answers, expected, strict=True):
        assert theirs is REFUSED or ours == theirs, (as_json(node), row)


@pytest.fixture(scope="module")
def duck() -> Iterator[Ask]:
    with databases.in_duckdb() as ask:
        yield ask


@pytest.fixture(scope="module")
def postgres() -> Iterator[Ask]:
    with databases.in_postgresql() as ask:
        yield ask


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS, st.lists(ROWS, min_size=1, max_size=6))
def test_duckdb_agrees_with_python(duck: Ask, node: Any, rows: list[dict[str, Any]]) -> None:
    agree(node, rows, DUCKDB, duck)


@pytest.mark.enable_socket
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS, st.lists(ROWS, min_size=1, max_size=6))
def test_postgresql_agrees_with_python(postgres: Ask, node: Any, rows: list[dict[str, Any]]) -> None:
    agree(node, rows, POSTGRESQL, postgres)


def test_numbers_that_are_written_out_have_room_also_behind_a_choice(duck: Ask) -> None:
    """A database reads them as integers of 32 bits."""
    row = {"a": 1, "b": 2, "n": 3, "p": True, "q": False, "s": "a", "c": 1, "d": date(2020, 1, 1), "e": None}
    chosen = {"if": [{"var": "row.p"}, 715827883, 0]}
    for node in ({"*": [chosen, {"if": [{"var": "row.p"}, 3, 1]}]}, {"+": [chosen, chosen, chosen]}):
        assert in_sql(node, [row], DUCKDB, duck) == [2147483649]
        agree(node, [row], DUCKDB, duck)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS)
def test_the_compiler_accepts_nearly_every_sound_expression(node: Any) -> None:
    """Refusals are for what has no SQL; the agreement above would be empty if they were common."""
    row = {
        "a": 1,
        "b": 2,
        "n": 3,
        "p": True,
        "q": False,
        "s": "a",
        "c": 1,
        "d": date(2020, 1, 1),
        "e": date(2021, 1, 1),
    }
    expected = in_python(node, row)
    why = "" if expected is REFUSED else refusal(node)
    assert not why or any(word in why for word in ("divides by zero", "too large", "calendar", "whole numbers"))


def refusal(node: Any) -> str:
    try:
        compile_sql(node, COLUMNS, VALUES)
    except Problem as problem:
        return problem.why.en
    return ""


@pytest.mark.parametrize(
    ("node", "sql"),
    [
        ({"==": [{"var": "row.c"}, "low"]}, "(c = 1)"),
        ({"in": [{"var": "row.c"}, ["low", "high"]]}, "CASE WHEN (c) IS NULL THEN NULL ELSE (c IN (1, 2)) END"),
        ({"==": [{"var": "row.p"}, True]}, "p"),
        ({"and": [True, {"var": "row.p"}]}, "p"),
        ({"<": [{"var": "param.limit"}, 281]}, "TRUE"),
        ({"round": {"/": [{"var": "param.limit"}, 3]}}, "93"),
    ],
)
def test_constants_are_folded_and_codes_are_compared_as_numbers(node: Any, sql: str) -> None:
    assert compile_sql(node, COLUMNS, VALUES).sql == sql


@pytest.mark.parametrize(
    "node",
    [
        {"==": [{"var": "row.a"}, "x"]},
        {"<": [{"var": "row.p"}, {"var": "row.q"}]},
        {"and": [{"var": "row.a"}]},
        {"date": {"var": "row.s"}},
        {"in": [1, {"var": "row.s"}]},
        {"+": [1, {"if": [{"var": "row.p"}, 1]}]},
        {"if": [{"var": "row.p"}, 1, "x"]},
        {"unheard": [1]},
    ],
)
def test_what_never_fits_is_refused_once(node: Any) -> None:
    with pytest.raises(Problem) as caught:
        compile_sql(node, COLUMNS, VALUES)
    assert caught.value.slug == "expr-invalid"


def test_a_divisor_that_is_zero_for_one_person_is_not_known_there(duck: Ask) -> None:
    node = {"round": {"/": [{"var": "row.a"}, {"var": "row.b"}]}}
    found = compile_sql(node, {name: Column(column.sql, column.kind, 10**9) for name, column in COLUMNS.items()})
    values = duck(f"SELECT {found.sql} FROM (VALUES (7, 2), (7, 0), (-7, 2), (7, -2), (NULL, 2)) AS t(a, b)")
    assert [value for (value,) in values] == [4, None, -4, -4, None]
