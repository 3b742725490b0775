"""The analyst's frame of a country, opened for a sweep: its parts, its columns with their codes, its places."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
        columns = {name: self.columns[name] for name in own if name in self.columns}
        used = [each for each in mapping.aggregates.values() if not {each.theirs, each.mine} & set(absent)]
        source = f"read_parquet('{part}')"
        joins = "".join(_join(each, number, source, self.columns, on) for number, each in enumerate(used))
        picked = [f"f.{name}" for name in columns]
        for number, each in enumerate(used):
            picked.append(_picked(each, number))
            columns[each.name] = _kind(each, self.columns, on)
        return f"SELECT {', '.join(picked)} FROM {source} AS f{joins}", columns


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
    return Frame(folder, parts, _columns(parts[0], codes), counties, townships)


def _columns(part: Path, codes: Mapping[str, tuple[str, ...]]) -> dict[str, Column]:
    with duckdb.connect() as base:
        described = base.execute(f"DESCRIBE SELECT * FROM read_parquet('{part}')").fetchall()
    columns = {}
    for name, sql_type, *_ in described:
        kind, bound = _KINDS.get(sql_type, ("", 1))
        if name in codes:
            columns[name] = Column(name, "text", words=codes[name])
        elif kind:
            columns[name] = Column(name, kind, bound)
    return columns


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
