"""What DuckDB and PostgreSQL write differently; everything else is one SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """Spellings of one database. `wide` holds whole numbers past 64 bits, up to `widest` (None: without end)."""

    name: str
    wide: str
    widest: int | None
    divide: Callable[[str, str, bool], str]
    part: Callable[[str, str], str]
    month: Callable[[str], str]
    add_months: Callable[[str, str], str]
    ordered_text: Callable[[str], str]


DUCKDB = Dialect(
    name="duckdb",
    wide="HUGEINT",
    widest=2**126,
    divide=lambda left, right, _wide: f"({left} // {right})",
    part=lambda part, day: f"{part}({day})",
    month=lambda day: f"strftime({day}, '%Y-%m')",
    add_months=lambda day, months: f"CAST({day} + to_months(CAST({months} AS INTEGER)) AS DATE)",
    ordered_text=lambda text: text,
)

POSTGRESQL = Dialect(
    name="postgresql",
    wide="NUMERIC",
    widest=None,
    divide=lambda left, right, wide: f"div({left}, {right})" if wide else f"({left} / {right})",
    part=lambda part, day: f"CAST(extract({part} FROM {day}) AS BIGINT)",
    month=lambda day: f"to_char({day}, 'YYYY-MM')",
    add_months=lambda day, months: f"CAST({day} + make_interval(months => CAST({months} AS INTEGER)) AS DATE)",
    ordered_text=lambda text: f'({text} COLLATE "C")',
)

DIALECTS = {dialect.name: dialect for dialect in (DUCKDB, POSTGRESQL)}
