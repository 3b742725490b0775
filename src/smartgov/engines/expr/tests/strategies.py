"""Random sound expressions over a small table, and random rows of it."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from smartgov.engines.expr import Column

WORDS = ("none", "low", "high")
COLUMNS = {
    "row.a": Column("a", "number", bound=10**9),
    "row.b": Column("b", "number", bound=10**9),
    "row.n": Column("n", "number", bound=50),
    "row.p": Column("p", "boolean"),
    "row.q": Column("q", "boolean"),
    "row.s": Column("s", "text"),
    "row.c": Column("c", "text", words=WORDS),
    "row.d": Column("d", "date"),
    "row.e": Column("e", "date"),
}
TYPES = {"a": "BIGINT", "b": "BIGINT", "n": "INTEGER", "p": "BOOLEAN", "q": "BOOLEAN", "s": "TEXT", "c": "SMALLINT"}
TYPES |= {"d": "DATE", "e": "DATE"}
VALUES = {"on": date(2026, 11, 1), "param.limit": 280}
DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31)) | st.sampled_from([date(2024, 2, 29), date(2023, 2, 28)])
TEXTS = st.sampled_from(["none", "low", "張簡小明", "歐陽", "陳怡君", "", "O'Hara", "Ä", "a"])

_small = st.integers(-100, 100) | st.integers(-(10**9), 10**9) | st.fractions(-50, 50, max_denominator=60)
ROWS = st.fixed_dictionaries(
    {
        "a": st.none() | st.integers(-(10**9), 10**9),
        "b": st.none() | st.integers(-3, 3),
        "n": st.none() | st.integers(-50, 50),
        "p": st.none() | st.booleans(),
        "q": st.none() | st.booleans(),
        "s": st.none() | TEXTS,
        "c": st.none() | st.sampled_from(range(len(WORDS))),
        "d": st.none() | DAYS,
        "e": st.none() | DAYS,
    }
)


def _var(*names: str) -> st.SearchStrategy[object]:
    return st.sampled_from([{"var": name} for name in names])


def _op(name: str, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.tuples(*arguments).map(lambda values: {name: list(values)})


def numbers(depth: int) -> st.SearchStrategy[object]:
    leaf = _small | _var("row.a", "row.b", "row.n", "param.limit", "row.missing")
    leaf |= st.just({"var": ["row.n", 7]})
    if depth == 0:
        return leaf
    inner, day, yes = numbers(depth - 1), dates(depth - 1), booleans(depth - 1)
    return st.one_of(
        leaf,
        *(_op(op, inner, inner) for op in ("+", "-", "*", "/", "min", "max")),
        _op("round", inner),
        *(_op(op, day, day) for op in ("days_between", "months_between", "age")),
        _op("if", yes, inner, inner),
        _op("if", yes, inner, yes, inner, inner),
    )


def dates(depth: int) -> st.SearchStrategy[object]:
    leaf = _var("row.d", "row.e", "on") | DAYS.map(lambda day: {"date": day.isoformat()})
    if depth == 0:
        return leaf
    inner = dates(depth - 1)
    shift = st.integers(-400, 400) | _var("row.n", "row.missing")
    return st.one_of(
        leaf,
        *(_op(op, inner, shift) for op in ("add_days", "add_months")),
        *(_op(op, inner, inner) for op in ("earlier", "later")),
        _op("if", booleans(depth - 1), inner, inner),
    )


def texts(depth: int) -> st.SearchStrategy[object]:
    leaf = TEXTS | _var("row.s", "row.c", "row.missing")
    if depth == 0:
        return leaf
    inner = texts(depth - 1)
    return st.one_of(
        leaf,
        _op("cat", inner, inner),
        _op("surname", inner),
        _op("month", dates(depth - 1)),
        _op("if", booleans(depth - 1), inner, inner),
    )


def booleans(depth: int) -> st.SearchStrategy[object]:
    leaf = st.booleans() | _var("row.p", "row.q", "row.missing")
    if depth == 0:
        return leaf
    inner = booleans(depth - 1)
    kinds = (numbers(depth - 1), dates(depth - 1), texts(depth - 1))
    return st.one_of(
        leaf,
        *(_op(op, inner, inner) for op in ("and", "or", "==", "!=")),
        _op("and", inner, inner, inner),
        inner.map(lambda node: {"!": node}),
        *(_op(op, kind, kind) for op in ("==", "<", ">=") for kind in kinds),
        *(_op("in", kind, st.lists(kind, max_size=3)) for kind in kinds),
        _op("==", texts(depth - 1), st.none()),
        _op("if", inner, inner, inner),
    )


EXPRESSIONS = st.one_of(numbers(3), dates(3), texts(2), booleans(3))
