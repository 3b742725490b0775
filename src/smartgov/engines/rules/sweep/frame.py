"""The analyst's frame of a country, opened for a sweep: its parts, its columns with their codes, its places."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from smartgov.engines.expr import Column, compile_sql
from smartgov.engines.rules.sources import invalid
from smartgov.engines.rules.sweep.mapping import Aggregate, SweepMap
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_KINDS = {
    "TINYINT": ("number", 2**7),
    "SMALLINT": ("number", 2**15),
    "INTEGER": ("number", 2**31),
    "BIGINT": ("number", 2**63 - 1),
    "BOOLEAN": ("boolean", 1),
    "DATE": ("date", 1),
    "VARCHAR": ("text", 1),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A country's frame: Parquet parts of whole villages, columns by name, names of counties and townships by code."""

    folder: Path
    parts: tuple[Path, ...]
    columns: Mapping[str, Column]
    counties: Mapping[int, Text]
    townships: Mapping[int, Text]

    def load(self, part: Path, mapping: SweepMap, on: date) -> tuple[str, dict[str, Column]]:
        """SQL that reads one part with everything that `mapping` needs into memory, and the columns it then has."""
        own = sorted(mapping.columns() | {"county", "township", "income_decile", "birth_date"})
        absent = [name for name in own if name not in self.columns]
        own_columns = [name for name in own if name in self.columns]
        columns = {name: self.columns[name] for name in own_columns}
        used = [each for each in mapping.aggregates.values() if not {each.theirs, each.mine} & set(absent)]
        source = f"read_parquet('{part}')"
        for each in used:
            columns[each.name] = _kind(each, self.columns, on)
        return self._select(source, own_columns, used, on), columns

    def _select(self, source: str, own: Sequence[str], used: Sequence[Aggregate], on: date) -> str:
        """Facts about others are found over the few columns they need; the wide rows meet only what was found."""
        picked = [f"f.{name}" for name in own]
        if not used:
            return f"SELECT {', '.join(picked)} FROM {source} AS f"
        joins = "".join(_join(each, number, source, self.columns, on) for number, each in enumerate(used))
        about = ", ".join(_picked(each, number) for number, each in enumerate(used))
        known = " OR ".join(f"{each.name} IS NOT NULL" for each in used)
        found = f"SELECT * FROM (SELECT f.person AS mine, {about} FROM {source} AS f{joins}) AS others WHERE {known}"
        picked += [f"o.{each.name}" for each in used]
        return f"SELECT {', '.join(picked)} FROM {source} AS f LEFT JOIN ({found}) AS o ON o.mine = f.person"


def open_frame(folder: Path) -> Frame:
    """The frame in a country's folder; Problem `frame-missing` when there is none."""
    parts = tuple(sorted((folder / "frame").glob("*.parquet")))
    if not parts:
        raise Problem(
            "frame-missing",
            404,
            what=Text("There is no country in that folder.", "該資料夾沒有國家資料。"),
            why=Text(f"{folder} has no frame/*.parquet", f"{folder} 沒有 frame/*.parquet"),
            todo=Text(
                "Make one: smartgov population --villages 20 --out DIR",
                "請先執行 smartgov population --villages 20 --out DIR",
            ),
        )
    codes = _codes(folder / "country.json")
    counties, townships = _places(folder / "townships.parquet")
    if counties:
        codes["county"] = tuple(counties[code].zh if code in counties else "" for code in range(max(counties) + 1))
    return Frame(folder, parts, _columns(parts[0], codes, _bounds(parts)), counties, townships)


def _columns(part: Path, codes: Mapping[str, tuple[str, ...]], bounds: Mapping[str, int]) -> dict[str, Column]:
    with duckdb.connect() as base:
        described = base.execute(f"DESCRIBE SELECT * FROM read_parquet('{part}')").fetchall()
    columns = {}
    for name, sql_type, *_ in described:
        kind, bound = _KINDS.get(sql_type, ("", 1))
        if name in codes:
            columns[name] = Column(name, "text", words=codes[name])
        elif kind:
            columns[name] = Column(name, kind, min(bound, bounds.get(name, bound)))
    return columns


def _bounds(parts: Sequence[Path]) -> dict[str, int]:
    """The largest number in each whole-number column, from the statistics that Parquet keeps: narrow sums are fast."""
    listed = ", ".join(f"'{part}'" for part in parts)
    sides = "abs(TRY_CAST(stats_min_value AS BIGINT)), abs(TRY_CAST(stats_max_value AS BIGINT))"
    told = "stats_max_value IS NOT NULL OR stats_null_count = num_values"
    query = (
        f"SELECT path_in_schema, max(greatest({sides})) FROM parquet_metadata([{listed}]) "
        f"WHERE type IN ('INT32', 'INT64') GROUP BY 1 HAVING bool_and({told})"
    )
    with duckdb.connect() as base:
        return {name: max(1, largest or 1) for name, largest in base.execute(query).fetchall()}


def _codes(file: Path) -> dict[str, tuple[str, ...]]:
    if not file.is_file():
        return {}
    codes = json.loads(file.read_text(encoding="utf-8")).get("codes", {})
    return {name: tuple(words) for name, words in codes.items()}


def _places(file: Path) -> tuple[dict[int, Text], dict[int, Text]]:
    if not file.is_file():
        return {}, {}
    with duckdb.connect() as base:
        rows = base.execute(f"SELECT * FROM read_parquet('{file}')").fetchall()
    counties = {county: Text(county_en, county_zh) for _, county, county_zh, _, county_en, _ in rows}
    townships = {code: Text(f"{en}, {c_en}", f"{c_zh}{zh}") for code, _, c_zh, zh, c_en, en in rows}
    return counties, townships


def _join(each: Aggregate, number: int, source: str, columns: Mapping[str, Column], on: date) -> str:
    """A LEFT JOIN with the rows of the part grouped by the column that is matched."""
    node = compile_sql(each.node, _others(columns), {"on": on})
    if each.reducer == "take":
        value = f"any_value({node.sql})"
    elif each.reducer == "count":
        value = f"CASE WHEN count({node.sql}) = count(*) THEN count(*) FILTER (WHERE {node.sql}) END"
    else:
        value = f"CASE WHEN count({node.sql}) = count(*) THEN CAST(sum({node.sql}) AS BIGINT) END"
    known = f" AND ({node.sql}) IS NOT NULL" if each.reducer == "take" else ""
    grouped = f"SELECT {each.theirs} AS k, {value} AS v FROM {source} WHERE {each.theirs} IS NOT NULL{known} GROUP BY 1"
    return f" LEFT JOIN ({grouped}) AS a{number} ON a{number}.k = f.{each.mine}"


def _picked(each: Aggregate, number: int) -> str:
    if each.reducer == "take":
        return f"a{number}.v AS {each.name}"
    value = f"CASE WHEN f.{each.mine} IS NULL THEN NULL WHEN a{number}.k IS NULL THEN 0 ELSE a{number}.v END"
    return f"{value} AS {each.name}"


def _kind(each: Aggregate, columns: Mapping[str, Column], on: date) -> Column:
    if each.reducer == "count":
        return Column(each.name, "number", 2**31)
    if each.reducer == "sum":
        return Column(each.name, "number", 2**48)
    found = compile_sql(each.node, _others(columns), {"on": on})
    if found.kind not in ("number", "boolean", "date", "text"):
        raise invalid("sweep.yaml", f"aggregates {each.name}, whose column the frame does not have")
    return Column(each.name, found.kind, found.bound, found.words)


def _others(columns: Mapping[str, Column]) -> dict[str, Column]:
    return {f"other.{name}": column for name, column in columns.items()}


def decoded(row: Mapping[str, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    """One row with words instead of codes: how Python reads what SQL reads."""
    words = {name: columns[name].words for name in row if name in columns}
    return {name: words[name][value] if words.get(name) and value is not None else value for name, value in row.items()}
