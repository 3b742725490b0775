"""Python and SQL say the same of every random person, household, month; on DuckDB and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from smartgov.engines import rules
from smartgov.engines.expr import DUCKDB, POSTGRESQL, Column, Dialect
from smartgov.engines.expr.tests import databases
from smartgov.engines.expr.tests.databases import Ask
from smartgov.engines.rules.periods import Listed, People, Span, compile_periods
from smartgov.engines.rules.periods.tests.book import FORMULAS, HERE, INPUTS, situations, write_book
from smartgov.shared.problems import Problem

SQL = {"money": "BIGINT", "number": "BIGINT", "yesno": "BOOLEAN", "date": "DATE", "text": "TEXT"}
KINDS = {"money": "number", "yesno": "boolean"}
REFUSED = object()


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> rules.RuleBook:
    return rules.load(write_book(tmp_path_factory.mktemp("book")))


def values(rows: list[list[Any]], columns: dict[str, str]) -> str:
    """Rows as a sub-select of typed literals."""
    selects = [
        "SELECT " + ", ".join(f"CAST({_sql(v)} AS {columns[n]}) AS {n}" for n, v in zip(columns, row, strict=True))
        for row in rows
    ]
    empty = "SELECT " + ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in columns.items()) + " WHERE FALSE"
    return f"({' UNION ALL '.join(selects or [empty])}) AS rows"


def _sql(value: Any) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def tables(raw: dict[str, Any]) -> People:
    """The same situation as tables: people, and a long table for each input by period."""
    homes = {name: (home, role) for home, each in raw["households"].items() for name, role in each["members"].items()}
    rows = [
        [name, *homes.get(name, (None, None)), each["born"], each["counted"]] for name, each in raw["persons"].items()
    ]
    plain = {"person": "TEXT", "household": "TEXT", "role": "TEXT", "born": "DATE", "counted": "BOOLEAN"}
    columns = {"born": Column("born", "date"), "counted": Column("counted", "boolean")}
    listed = {}
    for name, about in INPUTS.items():
        if name in columns:
            continue
        entity = about["entity"]
        held = {who: each[name] for who, each in raw[f"{entity}s"].items()}
        column = Column("v", KINDS.get(about["kind"], about["kind"]), 10**6)
        listed[name] = _listed(about, held, column)
    return People(values(rows, plain), role="role", columns=columns, listed=listed)


def _listed(about: dict[str, Any], held: dict[str, Any], column: Column) -> Listed:
    kind = SQL[about["kind"]]
    if about["period"] == "once":
        return Listed(values([[who, value] for who, value in held.items()], {"k": "TEXT", "v": kind}), column, "k")
    if any(isinstance(each, list) for each in held.values()):
        spells = [[who, one["from"], one.get("to"), one["value"]] for who, each in held.items() for one in each]
        table = values(spells, {"k": "TEXT", "a": "DATE", "z": "DATE", "v": kind})
        return Listed(table, column, "k", first="a", last="z")
    unit = "DATE" if about["period"] == "month" else "INTEGER"
    rows = [
        [who, f"{at}-01" if unit == "DATE" else int(at), value]
        for who, each in held.items()
        for at, value in each.items()
    ]
    return Listed(values(rows, {"k": "TEXT", "m": unit, "v": kind}), column, "k", period="m")


def in_python(book: rules.RuleBook, raw: dict[str, Any], formula: str, span: Span) -> dict[str, Any]:
    entity = FORMULAS[formula][0]
    situation = book.situation(raw)
    found = {}
    for who in raw[f"{entity}s"]:
        try:
            found[who] = book.calculate(formula, situation, span, who).value
        except Problem as problem:
            if "divides by zero" not in problem.why.en:
                raise
            found[who] = REFUSED
    return found


def agree(book: rules.RuleBook, raw: dict[str, Any], dialect: Dialect, ask: Ask) -> None:
    people = tables(raw)
    for entity in ("person", "household"):
        names = [name for name, about in FORMULAS.items() if about[0] == entity]
        spans = {name: Span.of(HERE if FORMULAS[name][1] == "month" else HERE[:4]) for name in names}
        wanted = {name: (name, spans[name]) for name in names}
        found = compile_periods(book.variables, book.parameters, wanted, people, dialect=dialect)
        ours = {row[0]: dict(zip(names, row[1:], strict=True)) for row in ask(found.query)}
        for name in names:
            for who, value in in_python(book, raw, name, spans[name]).items():
                assert value is REFUSED or ours[who][name] == value, (name, who)


@pytest.fixture(scope="module")
def duck() -> Iterator[Ask]:
    with databases.in_duckdb() as ask:
        yield ask


@pytest.fixture(scope="module")
def postgres() -> Iterator[Ask]:
    with databases.in_postgresql() as ask:
        yield ask


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(situations())
def test_duckdb_agrees_with_python(book: rules.RuleBook, duck: Ask, raw: dict[str, Any]) -> None:
    agree(book, raw, DUCKDB, duck)


@pytest.mark.enable_socket
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(situations())
def test_postgresql_agrees_with_python(book: rules.RuleBook, postgres: Ask, raw: dict[str, Any]) -> None:
    agree(book, raw, POSTGRESQL, postgres)


def test_most_values_are_known_or_the_agreement_would_be_empty(book: rules.RuleBook) -> None:
    person = {
        "wage": dict.fromkeys(_months(), 30_000),
        "paid": {"2026-08": 5, "2026-01": 7},
        "insured": {"2026-07": True, "2026-08": True},
        "ill": [
            {"from": "2026-08-15", "to": "2026-08-20", "value": True},
            {"from": "2020-01-01", "to": "2026-08-01", "value": False},
        ],
        "grade": [],
        "born": date(2000, 8, 2).isoformat(),
        "income": {"2025": 1, "2026": 2},
        "counted": True,
    }
    home = {"rent": dict.fromkeys(_months(), 10), "city": "a", "members": {"p": "child"}}
    raw = {"persons": {"p": person}, "households": {"h": home}}
    found = {}
    for name, (_, period, *_) in FORMULAS.items():
        span = Span.of(HERE if period == "month" else HERE[:4])
        (found[name],) = in_python(book, raw, name, span).values()
    assert found == {
        "raised": 30_250,
        "change": 0,
        "age": 25,
        "six_sum": 180_000,
        "six_paid": 0,
        "mean": 30_000,
        "mean_all": 1,
        "least": 30_000,
        "least_ill": 30_000,
        "most_ill": 30_250,
        "months": 2,
        "months_ill": 1,
        "ever": True,
        "always": False,
        "spell": 2,
        "spell_ill": 1,
        "so_far": 12,
        "last_wage": 30_000,
        "year_paid": 12,
        "year_floor": 100,
        "floor_by_month": 250,
        "floor_year": 6 * 100 + 6 * 250,
        "richer": True,
        "home_wage": 30_000,
        "home_counted": 1,
        "home_size": 1,
        "home_mean": 30_250,
        "home_least": 30_000,
        "home_most": 5,
        "home_any": True,
        "home_all": True,
        "home_year": 2,
        "a_head": 30_000,
        "after_rent": 29_980,
        "share": 30_000,
        "poor": False,
        "home_poor": 0,
        "poor_months": None,
    }


def _months() -> list[str]:
    return [f"{year}-{month:02d}" for year in (2025, 2026) for month in range(1, 13)]
