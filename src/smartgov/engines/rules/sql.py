"""A rule as SQL: one SELECT that gives every row of a table the outcome and values that `decide` would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from smartgov.engines import expr
from smartgov.engines.expr import DUCKDB, Column, Dialect, Sql, compile_sql
from smartgov.engines.rules.decision import Condition, RuleVersion
from smartgov.engines.rules.rulebook import RuleBook
from smartgov.engines.rules.sources import invalid
from smartgov.shared.problems import Problem

REFUSED, GRANTED, UNDECIDED = 0, 1, 2
OUTCOMES = ("refused", "granted", "undecided")
KINDS = {"number": "number", "money": "number", "date": "date", "yesno": "boolean", "text": "text", "month": "text"}


@dataclass(frozen=True, slots=True)
class RuleSql:
    """A compiled rule. `query` selects `keep`, `outcome` (0 refused, 1 granted, 2 undecided) and a column for each
    value (`value_<id>`, NULL where it is not known or was refused); `values` says what is in them."""

    query: str
    values: Mapping[str, Column]


def compile_rule(
    book: RuleBook,
    rule_id: str,
    on: date,
    *,
    table: str,
    facts: Mapping[str, Any],
    rows: Mapping[str, Column],
    who: Any = True,
    keep: Sequence[str] = (),
    dialect: Dialect = DUCKDB,
) -> RuleSql:
    """The rule in force on the day `on` over the rows of `table`.

    `facts` gives each fact as an expression over `row.<column>` and `on`; one that it lacks is not known. `rows` are
    the table's columns by name, `who` chooses the rows to ask about, `keep` passes columns through. Problem
    `rule-invalid` names the expression that does not fit.
    """
    rule = book.rules.get(rule_id)
    version = rule.at(on) if rule else None
    if version is None:
        raise invalid(rule_id, "has no version in force on that day")
    work = _Work(rule_id, version, on, rows, dialect)
    work.facts(facts)
    return work.select(table, who, keep)


_ANY = {
    "number": Column("n", "number", 2**40),
    "boolean": Column("b", "boolean"),
    "text": Column("t", "text"),
    "date": Column("d", "date"),
}


def check_sql(book: RuleBook, dialect: Dialect = DUCKDB) -> None:
    """Compile every version of every rule over columns of the right kinds: kinds that never fit come to light here.

    Problem `rule-invalid` names the rule and the expression.
    """
    for rule in book.rules.values():
        for version in rule.versions:
            facts = {name: {"var": f"row.{KINDS[term.kind]}"} for name, term in version.facts.items()}
            compile_rule(book, rule.id, version.since, table="t", facts=facts, rows=_ANY, dialect=dialect)


class _Work:
    """One rule while it is compiled: names known so far, and what each layer of SELECT adds."""

    def __init__(
        self, rule_id: str, version: RuleVersion, on: date, rows: Mapping[str, Column], dialect: Dialect
    ) -> None:
        self._rule, self._version, self._dialect = rule_id, version, dialect
        held = {each.name: each.at(on) for each in version.parameters}
        self._known: dict[str, Any] = {f"param.{name}": value.value for name, value in held.items() if value}
        self._known["on"] = on
        self._rows = {f"row.{name}": column for name, column in rows.items()}
        self._named: dict[str, Column] = {}
        self._layer: dict[str, int] = {}
        self._layers: list[list[str]] = []

    def facts(self, facts: Mapping[str, Any]) -> None:
        """The facts from the rows; each must be of the kind that the rule declares."""
        unknown = sorted(set(facts) - set(self._version.facts))
        if unknown:
            raise invalid(self._rule, f"has no facts {unknown}")
        for name, node in facts.items():
            found = self._compile(node, self._rows, f"fact {name}")
            self._fit(found, KINDS[self._version.facts[name].kind], f"fact {name}")
            if found.den != "1":
                raise invalid(f"{self._rule}: fact {name}", "may be a fraction; round it")
            self._keep(f"fact.{name}", f"fact_{name}", found, 0)

    def select(self, table: str, who: Any, keep: Sequence[str]) -> RuleSql:
        """The whole SELECT: rows asked about, then formulas, then values, then the outcome."""
        asked = self._compile(who, self._rows, "who")
        version = self._version
        for formula in version.formulas:
            self._add(f"formula.{formula.id}", f"formula_{formula.id}", formula.value)
        conditions = self._all("and", True, version.conditions)
        referred = self._all("or", False, version.refer)
        values = {each.id: self._add(f"value.{each.id}", f"value_{each.id}", each.value) for each in version.values}
        outcome = _outcome(conditions, referred, list(values.values()))
        columns = [*keep, f"CAST({outcome} AS SMALLINT) AS outcome"]
        shown = {}
        for name, found in values.items():
            sql = found.sql if found else "NULL"
            columns.append(f"CASE WHEN {_is_false(conditions)} THEN NULL ELSE {sql} END AS value_{name}")
            if found:
                shown[name] = found
                if found.den != "1":
                    columns.append(f"{found.den} AS value_{name}__den")
        query = f"SELECT * FROM {table} WHERE {asked.sql}" if not asked.constant else f"SELECT * FROM {table}"
        for number, layer in enumerate(self._layers):
            query = f"SELECT *, {', '.join(layer)} FROM ({query}) AS layer{number}"
        return RuleSql(f"SELECT {', '.join(columns)} FROM ({query}) AS answers", shown)

    def _all(self, op: str, start: bool, parts: Sequence[Condition]) -> Sql:
        return self._compile({op: [start, *(each.when for each in parts)]}, self._named, op)

    def _add(self, path: str, name: str, node: Any) -> Column | None:
        """A formula or value as a column of its own, one layer above everything that it uses."""
        depth = max((self._layer.get(used, 0) for used in expr.references(node)), default=0)
        return self._keep(path, name, self._compile(node, self._named, path), depth)

    def _keep(self, path: str, name: str, found: Sql, depth: int) -> Column | None:
        if found.kind in ("unknown", "null"):
            return None
        if found.constant and path.startswith("fact."):
            self._known[path] = found.literal
            return None
        if found.sql.replace("_", "").isalnum() and not found.constant and found.den == "1":
            column = found.column(found.sql)
            self._named[path], self._layer[path] = column, depth
            return column
        while len(self._layers) <= depth:
            self._layers.append([])
        self._layers[depth].append(f"{found.sql} AS {name}")
        if found.den != "1":
            self._layers[depth].append(f"{found.den} AS {name}__den")
        self._named[path], self._layer[path] = found.column(name), depth + 1
        return self._named[path]

    def _compile(self, node: Any, columns: Mapping[str, Column], what: str) -> Sql:
        try:
            return compile_sql(node, columns, self._known, self._dialect)
        except Problem as problem:
            if problem.slug != "expr-invalid":
                raise
            raise invalid(f"{self._rule}: {what}", f"has no SQL: {problem.why.en}") from problem

    def _fit(self, found: Sql, wanted: str, what: str) -> None:
        if found.kind not in (wanted, "unknown", "null"):
            raise invalid(f"{self._rule}: {what}", f"is a {found.kind}, not a {wanted}")


def _outcome(conditions: Sql, referred: Sql, values: Sequence[Column | None]) -> str:
    """As the decision says it: a condition that fails refuses; anything unsure leaves it to a person."""
    known = [f"({value.sql}) IS NOT NULL" if value else "FALSE" for value in values]
    granted = " AND ".join([_is(conditions), _is_false(referred), *known])
    return f"CASE WHEN {_is_false(conditions)} THEN {REFUSED} WHEN {granted} THEN {GRANTED} ELSE {UNDECIDED} END"


def _is(found: Sql) -> str:
    return f"({found.sql}) IS TRUE" if found.kind == "boolean" else "FALSE"


def _is_false(found: Sql) -> str:
    return f"({found.sql}) IS FALSE" if found.kind == "boolean" else "FALSE"
