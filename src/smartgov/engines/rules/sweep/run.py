"""One pass over a country: each part is read once into memory, and every rule asks only the rows it is about."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from smartgov.engines.expr import DUCKDB, Column, Dialect
from smartgov.engines.rules.rulebook import RuleBook
from smartgov.engines.rules.sql import GRANTED, OUTCOMES, compile_rule
from smartgov.engines.rules.sweep.frame import Frame
from smartgov.engines.rules.sweep.mapping import Mapped, SweepMap
from smartgov.shared.text import Text

MEMORY = "2GB"
DONE = "parts"
"""Folder, beside the entitled, of what is counted already."""
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class RuleCount:
    """What one rule said of the people asked: counts, and sums of the amount (`unit`: NT$ a month, a year, once).

    `granted` are entitled; of these `applied` are shown as paid or applied for by the register, `not_applied` are not.
    `paid_not_entitled`: the register says paid, the rule says refused. Without a `paid` column the three are None.
    """

    rule: str
    title: Text
    unit: str
    verified: bool
    asked: int = 0
    granted: int = 0
    refused: int = 0
    undecided: int = 0
    amount: int = 0
    applied: int | None = None
    not_applied: int | None = None
    amount_not_applied: int | None = None
    paid_not_entitled: int | None = None
    assumes: tuple[Text, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        plain = {name: getattr(self, name) for name in RuleCount.__dataclass_fields__}
        return {**plain, "title": self.title.as_dict(), "assumes": [each.as_dict() for each in self.assumes]}


@dataclass(slots=True)
class SweepResult:
    """Counts by rule, and how many people there were."""

    on: date
    people: int
    rules: dict[str, RuleCount] = field(default_factory=dict)
    parts: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        rules = [count.as_dict() for count in self.rules.values()]
        return {"on": self.on.isoformat(), "people": self.people, "parts": self.parts, "rules": rules}


def sweep(
    frame: Frame,
    book: RuleBook,
    mapping: SweepMap,
    on: date,
    *,
    out: Path | None = None,
    threads: int = 2,
    progress: Progress | None = None,
) -> SweepResult:
    """Ask every rule of `mapping` about every person of `frame`, as of the day `on`.

    With `out`, the entitled are written as `out/entitled/part-NNNN.parquet` with person, rule, amount (NULL where the
    rule pays nothing), applied (NULL where no register tells). One thread works on one part at a time.
    A sweep that was killed goes on with the same `out`: parts whose question and file have not changed are not asked
    again.
    """
    result = SweepResult(on, 0, {rule: _empty(book, each, on) for rule, each in mapping.rules.items()})
    if out is not None:
        for name in ("entitled", DONE):
            (out / name).mkdir(parents=True, exist_ok=True)

    def one(part: Path) -> tuple[int, list[tuple[Any, ...]]]:
        return _part(frame, part, book, mapping, on, out)

    with ThreadPoolExecutor(threads) as pool:
        for done, (people, rows) in enumerate(pool.map(one, frame.parts), 1):
            result.people += people
            result.parts = done
            for row in rows:
                _count(result.rules[row[0]], mapping.rules[row[0]], *row[1:])
            if progress is not None:
                progress(done, len(frame.parts))
    return result


def _part(
    frame: Frame, part: Path, book: RuleBook, mapping: SweepMap, on: date, out: Path | None
) -> tuple[int, list[tuple[Any, ...]]]:
    load, columns = frame.load(part, mapping, on)
    asked = answers(book, mapping.rules.values(), on, columns)
    question = _question(part, load, asked)
    if out is not None:
        before = _answered(out, part, question)
        if before is not None:
            return before
    with connect() as base:
        base.execute(f"CREATE TYPE rule_id AS ENUM ({', '.join(repr(rule) for rule in mapping.rules)})")
        base.execute(f"CREATE TEMP TABLE people AS {load}")
        if out is not None:
            base.execute(f"CREATE TEMP TABLE answers AS {asked}")
            base.execute(
                f"COPY (SELECT person, rule, amount, paid AS applied FROM answers WHERE outcome = {GRANTED}) "
                f"TO '{out / DONE / part.name}' (FORMAT parquet, COMPRESSION zstd)"
            )
        sums = "count(*), CAST(sum(amount) AS BIGINT)"
        counted = f"({asked})" if out is None else "answers"
        counts = base.execute(
            f"SELECT CAST(rule AS VARCHAR), outcome, paid, {sums} FROM {counted} AS answers GROUP BY ALL"
        ).fetchall()
        found = base.execute("SELECT count(*) FROM people").fetchone()
    people = found[0] if found else 0
    if out is not None:
        _remember(out, part, question, people, counts)
    return people, counts


def _question(part: Path, load: str, asked: str) -> str:
    """A digest of everything on which a part's answers depend: the rules as SQL, and the file."""
    about = part.stat()
    return sha256(f"{duckdb.__version__}|{load}|{asked}|{about.st_size}|{about.st_mtime_ns}".encode()).hexdigest()


def _answered(out: Path, part: Path, question: str) -> tuple[int, list[tuple[Any, ...]]] | None:
    """What an earlier sweep counted in this part, if it asked the same."""
    done = out / DONE / f"{part.stem}.json"
    if not done.is_file() or not (out / "entitled" / part.name).is_file():
        return None
    said = json.loads(done.read_text(encoding="utf-8"))
    return (said["people"], [tuple(row) for row in said["counts"]]) if said["question"] == question else None


def _remember(out: Path, part: Path, question: str, people: int, counts: list[tuple[Any, ...]]) -> None:
    """The entitled first, then the counts that say so, each on the disk before it takes its name."""
    done, beside = out / DONE / f"{part.stem}.json", out / DONE / f"{part.stem}.json.new"
    done.unlink(missing_ok=True)
    _move(out / DONE / part.name, out / "entitled" / part.name)
    said = {"question": question, "people": people, "counts": counts}
    beside.write_text(json.dumps(said), encoding="utf-8")
    _move(beside, done)


def _move(file: Path, to: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
    file.replace(to)


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory for one part; threads share nothing."""
    return duckdb.connect(config={"threads": 1, "memory_limit": MEMORY, "preserve_insertion_order": False})


def answers(
    book: RuleBook,
    mapped: Iterable[Mapped],
    on: date,
    columns: Mapping[str, Column],
    *,
    table: str = "people",
    dialect: Dialect = DUCKDB,
) -> str:
    """One SELECT with a row for each person and rule asked: rule, person, outcome, amount, paid."""
    selects = []
    for each in mapped:
        paid = each.paid if each.paid in columns else None
        keep = ["person", f"{paid} AS paid" if paid else "CAST(NULL AS BOOLEAN) AS paid"]
        rule = compile_rule(
            book,
            each.rule,
            on,
            table=table,
            facts=each.facts,
            rows=columns,
            who=each.who,
            keep=keep,
            dialect=dialect,
        )
        amount = f"CAST(value_{each.amount} AS BIGINT)" if each.amount in rule.values else "CAST(NULL AS BIGINT)"
        columns_out = f"CAST('{each.rule}' AS rule_id) AS rule, person, outcome, {amount} AS amount, paid"
        selects.append(f"SELECT {columns_out} FROM ({rule.query}) AS asked")
    return " UNION ALL ".join(selects)


def _empty(book: RuleBook, each: Mapped, on: date) -> RuleCount:
    rule = book.rules[each.rule]
    version = rule.at(on)
    values = {value.id: value.kind for value in version.values} if version else {}
    held = [parameter.at(on) for parameter in version.parameters] if version else []
    verified = all(value.verified for value in held if value)
    return RuleCount(each.rule, rule.title, values.get(each.amount or "", ""), verified, assumes=each.assumes)


def _count(count: RuleCount, each: Mapped, outcome: int, paid: bool | None, rows: int, amount: int | None) -> None:
    count.asked += rows
    setattr(count, OUTCOMES[outcome], getattr(count, OUTCOMES[outcome]) + rows)
    if each.paid is not None and paid is not None:
        _count_paid(count, outcome, paid, rows, amount or 0)
    if outcome == GRANTED:
        count.amount += amount or 0


def _count_paid(count: RuleCount, outcome: int, paid: bool, rows: int, amount: int) -> None:
    if outcome == GRANTED and paid:
        count.applied = (count.applied or 0) + rows
    elif outcome == GRANTED:
        count.not_applied = (count.not_applied or 0) + rows
        count.amount_not_applied = (count.amount_not_applied or 0) + amount
    elif paid and OUTCOMES[outcome] == "refused":
        count.paid_not_entitled = (count.paid_not_entitled or 0) + rows
