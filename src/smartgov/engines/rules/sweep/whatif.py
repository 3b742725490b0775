"""What if: the same country under two sets of parameters, compared person by person."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from smartgov.engines.rules.rulebook import RuleBook
from smartgov.engines.rules.sources import invalid, read
from smartgov.engines.rules.sql import GRANTED
from smartgov.engines.rules.sweep.frame import Frame
from smartgov.engines.rules.sweep.mapping import SweepMap
from smartgov.engines.rules.sweep.run import Progress, answers, connect
from smartgov.shared.text import Text

BANDS = (0, 6, 18, 30, 45, 65, 75)
BY = ("all", "age", "county", "township", "decile")
_SUMS = ("before", "after", "cost_before", "cost_after", "winners", "losers", "gain", "loss")


@dataclass(frozen=True, slots=True)
class Change:
    """Other values of some parameters, and what the question is called."""

    title: Text
    parameters: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Group:
    """The change of one rule among one group of people, in persons and whole NT$ (in the unit of the rule's amount).

    `winners` get more than before, `losers` less; `gain` and `loss` are the sums of these differences.
    """

    rule: str
    by: str
    key: int | None
    label: Text
    before: int
    after: int
    cost_before: int
    cost_after: int
    winners: int
    losers: int
    gain: int
    loss: int


@dataclass(slots=True)
class Comparison:
    """The two parameter sets compared: the rules that the change touches, and the groups of each."""

    change: Change
    on: date
    people: int
    titles: dict[str, Text] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    was: dict[str, tuple[Text, str, int | None, int, bool]] = field(default_factory=dict)

    def of(self, rule: str, by: str) -> list[Group]:
        """The groups of one rule by one property, in order."""
        return [group for group in self.groups if (group.rule, group.by) == (rule, by)]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        groups = [
            {"rule": g.rule, "by": g.by, "label": g.label.as_dict(), **{name: getattr(g, name) for name in _SUMS}}
            for g in self.groups
        ]
        parameters = dict(self.change.parameters)
        head = {"title": self.change.title.as_dict(), "parameters": parameters, "on": self.on.isoformat()}
        return {**head, "people": self.people, "groups": groups}


def load_change(file: Path) -> Change:
    """`title` and `parameters` (name: new value) of a YAML file; Problem `rule-invalid` when it is not that."""
    raw = read(file, file.name)
    parameters = raw.get("parameters") if isinstance(raw, Mapping) else None
    if not isinstance(parameters, Mapping) or not parameters:
        raise invalid(file.name, "needs parameters: {name: value}")
    try:
        return Change(Text.of(raw.get("title", file.stem)), dict(parameters))
    except ValueError as error:
        raise invalid(file.name, f"has a title where {error}") from error


def compare(
    frame: Frame,
    book: RuleBook,
    change: Change,
    mapping: SweepMap,
    on: date,
    *,
    threads: int = 2,
    progress: Progress | None = None,
) -> Comparison:
    """Sweep the rules that use a changed parameter twice, and compare the two answers of every person."""
    other = book.changed(change.parameters)
    touched = [rule for rule in mapping.rules if _uses(book, rule, change, on)]
    if not touched:
        raise invalid("the change", "touches no rule of the sweep")
    result = Comparison(change, on, 0)
    for rule in touched:
        result.titles[rule] = book.rules[rule].title
        version = book.rules[rule].at(on)
        kinds = {value.id: value.kind for value in version.values} if version else {}
        result.units[rule] = kinds.get(mapping.rules[rule].amount or "", "")
    for name, value in change.parameters.items():
        parameter = book.parameters[name]
        held = parameter.at(on)
        now = (held.value, held.verified) if held else (None, False)
        result.was[name] = (parameter.title, parameter.unit, now[0], value, now[1])
    sums: dict[tuple[str, str, int | None], list[int]] = {}

    def one(part: Path) -> tuple[int, list[tuple[Any, ...]]]:
        return _part(frame, part, book, other, mapping, touched, on)

    with ThreadPoolExecutor(threads) as pool:
        for done, (people, rows) in enumerate(pool.map(one, frame.parts), 1):
            result.people += people
            for rule, by, key, *values in rows:
                held_sums = sums.setdefault((rule, by, key), [0] * len(values))
                for index, value in enumerate(values):
                    held_sums[index] += value or 0
            if progress is not None:
                progress(done, len(frame.parts))
    order = {rule: number for number, rule in enumerate(touched)}
    for (rule, by, key), values in sorted(
        sums.items(), key=lambda item: (order[item[0][0]], item[0][1], item[0][2] or 0)
    ):
        result.groups.append(Group(rule, by, key, _label(by, key, frame), *values))
    return result


def _uses(book: RuleBook, rule: str, change: Change, on: date) -> bool:
    version = book.rules[rule].at(on)
    return version is not None and any(each.name in change.parameters for each in version.parameters)


def _part(
    frame: Frame,
    part: Path,
    book: RuleBook,
    other: RuleBook,
    mapping: SweepMap,
    touched: list[str],
    on: date,
) -> tuple[int, list[tuple[Any, ...]]]:
    load, columns = frame.load(part, mapping, on)
    mapped = [mapping.rules[rule] for rule in touched]
    with connect() as base:
        base.execute(f"CREATE TYPE rule_id AS ENUM ({', '.join(repr(rule) for rule in touched)})")
        base.execute(f"CREATE TEMP TABLE people AS {load}")
        base.execute(f"CREATE TEMP TABLE was AS {answers(book, mapped, on, columns)}")
        base.execute(f"CREATE TEMP TABLE now AS {answers(other, mapped, on, columns)}")
        rows = base.execute(_grouped(on, columns)).fetchall()
        found = base.execute("SELECT count(*) FROM people").fetchone()
    return (found[0] if found else 0), rows


def _grouped(on: date, columns: Mapping[str, Any]) -> str:
    """Both answers of a person side by side, summed over all and over each property of the people."""
    age = (
        f"(date_diff('month', birth_date, DATE '{on}') - CASE WHEN day(birth_date) > {on.day} THEN 1 ELSE 0 END) // 12"
    )
    band = "CASE " + " ".join(f"WHEN {age} >= {low} THEN {low}" for low in reversed(BANDS)) + " END"
    keys = {"age": band, "county": "county", "township": "township", "decile": "income_decile"}
    picked = [
        f"CAST({sql if sql == band or sql in columns else 'NULL'} AS INTEGER) AS {by}" for by, sql in keys.items()
    ]
    money = f"CASE WHEN {{0}}.outcome = {GRANTED} THEN coalesce({{0}}.amount, 0) ELSE 0 END"
    side = ", ".join(
        f"{table}.outcome = {GRANTED} AS got_{table}, {money.format(table)} AS pay_{table}" for table in ("was", "now")
    )
    pairs = (
        f"SELECT CAST(was.rule AS VARCHAR) AS rule, {', '.join(picked)}, {side} "
        "FROM was JOIN now USING (rule, person) JOIN people USING (person)"
    )
    sets = ", ".join(["(rule)", *(f"(rule, {by})" for by in keys)])
    which = "CASE " + " ".join(f"WHEN grouping({by}) = 0 THEN '{by}'" for by in keys) + " ELSE 'all' END"
    key = f"coalesce({', '.join(keys)})"
    sums = (
        "count(*) FILTER (WHERE got_was), count(*) FILTER (WHERE got_now), "
        "CAST(sum(pay_was) AS BIGINT), CAST(sum(pay_now) AS BIGINT), "
        "count(*) FILTER (WHERE pay_now > pay_was OR (got_now AND NOT got_was)), "
        "count(*) FILTER (WHERE pay_now < pay_was OR (got_was AND NOT got_now)), "
        "CAST(sum(greatest(pay_now - pay_was, 0)) AS BIGINT), CAST(sum(greatest(pay_was - pay_now, 0)) AS BIGINT)"
    )
    return f"SELECT rule, {which} AS by, {key} AS key, {sums} FROM ({pairs}) GROUP BY GROUPING SETS ({sets})"


def _label(by: str, key: int | None, frame: Frame) -> Text:
    if by == "all":
        return Text("everyone", "全體")
    if key is None:
        return Text("not known", "不明")
    if by == "age":
        nexts = [low for low in BANDS if low > key]
        return Text(f"{key}–{nexts[0] - 1}", f"{key}–{nexts[0] - 1}歲") if nexts else Text(f"{key}+", f"{key}歲以上")
    if by == "decile":
        return Text(f"decile {key}", f"第{key}等分")
    places = frame.counties if by == "county" else frame.townships
    return places.get(key, Text.of(str(key)))
