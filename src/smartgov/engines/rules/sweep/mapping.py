"""`sweep.yaml`: how the facts of each rule come from the columns of the frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from smartgov.engines import expr
from smartgov.engines.rules.decision import Decision
from smartgov.engines.rules.rulebook import RuleBook
from smartgov.engines.rules.sources import invalid, read
from smartgov.shared.text import Text

PLACE = "sweep.yaml"
REDUCERS = ("take", "count", "sum")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A fact about other rows: those whose column `theirs` equals this row's column `mine`, reduced to one value.

    `take` the value of the one row, `count` the rows for which `node` holds, `sum` its total; what one row does not
    know makes the whole unknown.
    """

    name: str
    theirs: str
    mine: str
    reducer: str
    node: Any


@dataclass(frozen=True, slots=True)
class Mapped:
    """How one rule is put to a row: whom it is asked for, its facts, the column that says "paid", the amount."""

    rule: str
    who: Any
    facts: Mapping[str, Any]
    paid: str | None
    amount: str | None
    assumes: tuple[Text, ...]

    def facts_of(self, row: Row, on: date) -> dict[str, Any]:
        """The facts of one row (words instead of codes, None for the unknown) for `RuleBook.decide`."""
        data = {"row": {name: value for name, value in row.items() if value is not None}, "on": on}
        found = {name: expr.evaluate(node, data) for name, node in self.facts.items()}
        return {name: None if isinstance(value, expr.Unknown) else value for name, value in found.items()}

    def answer(self, book: RuleBook, row: Row, on: date) -> Decision | None:
        """The decision for one row, in Python; None for who is not asked."""
        data = {"row": {name: value for name, value in row.items() if value is not None}, "on": on}
        if expr.evaluate(self.who, data) is not True:
            return None
        return book.decide(self.rule, self.facts_of(row, on), on)


@dataclass(frozen=True, slots=True)
class SweepMap:
    """The whole file."""

    rules: Mapping[str, Mapped]
    aggregates: Mapping[str, Aggregate]
    not_swept: frozenset[str]

    def columns(self) -> frozenset[str]:
        """The frame's own columns that are read."""
        nodes: list[Any] = [[each.who, list(each.facts.values())] for each in self.rules.values()]
        used = set(_columns(nodes, "row.")) | {each.paid for each in self.rules.values() if each.paid}
        for name in self.aggregates.keys() & used:
            each = self.aggregates[name]
            used |= {each.theirs, each.mine, *_columns(each.node, "other.")}
        return frozenset(used - set(self.aggregates) | {"person"})

    def gather(self, rows: Iterable[Row], on: date) -> Iterator[dict[str, Any]]:
        """The rows with their aggregates, in Python: what the SQL of a sweep must agree with."""
        everyone = list(rows)
        for row in everyone:
            yield {**row, **{name: _reduced(each, row, everyone, on) for name, each in self.aggregates.items()}}


def load_mapping(folder: Path, book: RuleBook) -> SweepMap:
    """`sweep.yaml` of a content folder; Problem `rule-invalid` for a rule, fact or value that the book lacks."""
    raw = read(folder / PLACE, PLACE)
    aggregates = {name: _aggregate(name, each) for name, each in (raw.get("aggregates") or {}).items()}
    rules = {name: _mapped(name, each, book) for name, each in raw["rules"].items()}
    skipped = frozenset(raw.get("not_swept") or ())
    lost = set(book.rules) - set(rules) - skipped
    if lost:
        raise invalid(PLACE, f"says nothing about {sorted(lost)}")
    return SweepMap(rules, aggregates, skipped)


def _mapped(rule: str, raw: Mapping[str, Any], book: RuleBook) -> Mapped:
    if rule not in book.rules:
        raise invalid(PLACE, f"names {rule}, which is not a rule of this book")
    version = book.rules[rule].versions[-1]
    unknown = set(raw["facts"]) - set(version.facts)
    if unknown:
        raise invalid(PLACE, f"gives {rule} facts that it does not have: {sorted(unknown)}")
    amount = raw.get("amount")
    if amount is not None and amount not in {value.id for value in version.values}:
        raise invalid(PLACE, f"takes {amount} of {rule}, which is not one of its values")
    for node in (raw["who"], *raw["facts"].values()):
        expr.check(node)
    assumes = tuple(Text.of(each) for each in raw.get("assumes") or ())
    return Mapped(rule, raw["who"], raw["facts"], raw.get("paid"), amount, assumes)


def _aggregate(name: str, raw: Mapping[str, Any]) -> Aggregate:
    reducers = [each for each in REDUCERS if each in raw]
    if len(reducers) != 1 or len(raw.get("match") or ()) != 1:
        raise invalid(PLACE, f"needs one match and one of {', '.join(REDUCERS)} for {name}")
    ((theirs, mine),) = raw["match"].items()
    expr.check(raw[reducers[0]])
    return Aggregate(name, theirs, mine, reducers[0], raw[reducers[0]])


def _columns(node: Any, prefix: str) -> Iterator[str]:
    for path in expr.references(node):
        if path.startswith(prefix):
            yield path.removeprefix(prefix)


def _reduced(each: Aggregate, row: Row, everyone: list[Row], on: date) -> Any:
    key = row.get(each.mine)
    if key is None:
        return None
    found = []
    for other in everyone:
        if other.get(each.theirs) == key:
            known = {name: value for name, value in other.items() if value is not None}
            found.append(expr.evaluate(each.node, {"other": known, "on": on}))
    if any(isinstance(value, expr.Unknown) for value in found):
        return None
    if each.reducer == "take":
        return found[0] if found else None
    return sum(value is True for value in found) if each.reducer == "count" else sum(found)
