"""Formulas by period as SQL: one SELECT that gives every person, or household, of a table what Python would give.

The same plan that Python walks becomes columns: each month of an input one column, pivoted from a long table; each step
a column one layer above those that it reads. People and households are two chains of such layers: a household's
question to its members is a GROUP BY of the people's chain, a person's question to the household a join back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smartgov.engines.expr import DUCKDB, POSTGRESQL, Column, Dialect, Sql, compile_sql
from smartgov.engines.expr.sql import BIGINT, literal, quote
from smartgov.engines.rules.parameters import Parameter
from smartgov.engines.rules.periods.plan import Plan, Step, make_plan
from smartgov.engines.rules.periods.span import ONCE, Span
from smartgov.engines.rules.periods.variables import MEMBER, Variable, Variables
from smartgov.engines.rules.sources import invalid
from smartgov.shared.problems import Problem

_MOST_MEMBERS = 10_000
_SQL_KINDS = {"money": "number", "yesno": "boolean"}
_NULLS = {"number": "CAST(NULL AS BIGINT)", "boolean": "CAST(NULL AS BOOLEAN)"}


@dataclass(frozen=True, slots=True)
class Listed:
    """A long table with an input's values: the entity's `key`, and `period` (the month's first day, or the year as a
    number) or a spell of days `first` to `last` (NULL: open). `column` is the value. Without either, one row an entity.
    """

    table: str
    column: Column
    key: str = "person"
    period: str | None = None
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class People:
    """Where people lie: a table with a row each, its key, its column of the household and of the role, what it holds
    once and for all (`columns` by input), and the long tables of all other inputs by name."""

    table: str = "people"
    key: str = "person"
    household: str | None = "household"
    role: str | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    listed: Mapping[str, Listed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeriodSql:
    """`query` selects the key (`person` or `household`), what was kept, and a column for each wanted name; `columns`
    says what is in them. A name that is not there is known of nobody."""

    query: str
    columns: Mapping[str, Column]


def compile_periods(
    variables: Variables,
    parameters: Mapping[str, Parameter],
    wanted: Mapping[str, tuple[str, Span]],
    people: People,
    *,
    keep: Sequence[str] = (),
    dialect: Dialect = DUCKDB,
) -> PeriodSql:
    """The values by name, each (variable, period), of everybody in `people`; all of one entity.

    Problem `rule-invalid` for an expression without SQL, and those of `make_plan`.
    """
    plan = make_plan(variables, parameters, wanted)
    entities = {plan.steps[key].entity for key in plan.wanted.values()}
    if len(entities) != 1:
        raise invalid("a query by period", "is about persons or about households, not both")
    return _Work(plan, people, dialect).query(entities.pop(), keep)


def check_periods(variables: Variables, parameters: Mapping[str, Parameter]) -> None:
    """Plan and compile every version of every formula: cycles and kinds that never fit come to light here."""
    listed = {}
    for each in variables.values():
        if each.given and each is not MEMBER:
            kind = _SQL_KINDS.get(each.kind, each.kind)
            listed[each.name] = Listed("t", Column("v", kind, 2**31), each.entity, period="d")
    for each in variables.values():
        for version in each.versions:
            span = {"month": Span.month_of(version.since), "year": Span("year", version.since.year + 1)}.get(
                each.period
            )
            for dialect in (DUCKDB, POSTGRESQL):
                compile_periods(
                    variables,
                    parameters,
                    {each.name: (each.name, span or ONCE)},
                    People(role="role", listed=listed),
                    dialect=dialect,
                )


class _Work:
    """The two chains of layers while they grow; `_columns` says where each step's value lies."""

    def __init__(self, plan: Plan, people: People, dialect: Dialect) -> None:
        self._plan, self._people, self._dialect = plan, people, dialect
        self._columns: dict[str, Column] = {}
        self._layers: list[str] = []
        self._chain: dict[str, str] = {}

    def query(self, entity: str, keep: Sequence[str]) -> PeriodSql:
        """All layers, then what was wanted."""
        self._start()
        for level in self._levels():
            self._grow(level)
        shown, columns = [], {}
        for name, key in self._plan.wanted.items():
            found = self._columns.get(key)
            if found is None:
                continue
            shown.append(f"{found.sql} AS {name}")
            columns[name] = Column(name, found.kind, found.bound, found.words)
            if found.den != "1":
                raise invalid(name, "may be a fraction; round it")
        own = [f"step_who AS {entity}", *(keep if entity == "person" else ())]
        chain = self._chain[entity]
        body = f"SELECT {', '.join([*own, *shown])} FROM {chain}"
        return PeriodSql(f"WITH {', '.join(self._layers)} {body}", columns)

    def _layer(self, entity: str, select: str, *, shared: bool = False) -> None:
        name = f"{entity[0]}{len(self._layers)}"
        self._layers.append(f"{name} AS {'MATERIALIZED ' if shared else ''}({select})")
        self._chain[entity] = name

    def _start(self) -> None:
        """The people with what their table holds, and all inputs joined to them and to the households."""
        people = self._people
        home = people.household or "CAST(NULL AS BIGINT)"
        role = people.role or "CAST(NULL AS TEXT)"
        self._layer(
            "person",
            f"SELECT *, {people.key} AS step_who, {home} AS step_home, {role} AS step_role FROM {people.table}",
        )
        used = {step.entity for step in self._plan.steps.values()}
        inputs: dict[tuple[str, str], list[Step]] = {}
        for step in self._plan.steps.values():
            if step.kind == "input" and step.variable is not MEMBER:
                inputs.setdefault((step.entity, step.variable.name), []).append(step)
        self._join_inputs("person", {name: steps for (entity, name), steps in inputs.items() if entity == "person"})
        if "household" in used:
            base = self._chain["person"]
            self._layer("household", f"SELECT step_home AS step_who FROM {base} WHERE step_home IS NOT NULL GROUP BY 1")
            self._join_inputs("household", {n: s for (entity, n), s in inputs.items() if entity == "household"})

    def _join_inputs(self, entity: str, inputs: Mapping[str, Sequence[Step]]) -> None:
        picked, joins = [], []
        for number, (name, steps) in enumerate(inputs.items()):
            listed, own = self._people.listed.get(name), self._people.columns.get(name)
            if listed is None and own is not None and entity == "person":
                self._columns[steps[0].key] = own
            elif listed is not None:
                alias = f"i{number}"
                picked += [self._input(step, listed, alias) for step in steps]
                joins.append(f"LEFT JOIN ({_pivoted(listed, steps)}) AS {alias} ON {alias}.k = b.step_who")
        if picked:
            self._layer(entity, f"SELECT b.*, {', '.join(picked)} FROM {self._chain[entity]} AS b {' '.join(joins)}")

    def _input(self, step: Step, listed: Listed, alias: str) -> str:
        column = listed.column
        value, sql = f"{alias}.{step.key}", ""
        if step.variable.otherwise is not None and step.span != ONCE:
            otherwise = _literal(step.variable.otherwise, column)
            sql = f"CASE WHEN {alias}.{step.key}_n > 0 THEN {value} ELSE {otherwise} END"
        self._columns[step.key] = Column(step.key, column.kind, column.bound, column.words)
        return f"{sql or value} AS {step.key}"

    def _levels(self) -> Iterator[list[Step]]:
        """Steps that wait for nothing but earlier levels."""
        level: dict[str, int] = {}
        for step in self._plan.steps.values():
            if step.kind not in ("input", "nothing"):
                level[step.key] = 1 + max((level.get(key, 0) for key in step.reads), default=0)
        for number in sorted(set(level.values())):
            yield [self._plan.steps[key] for key, at in level.items() if at == number]

    def _grow(self, steps: Sequence[Step]) -> None:
        for entity in ("person", "household"):
            columns = [
                part
                for step in steps
                if step.entity == entity and step.node is not None
                for part in self._worked_out(step)
            ]
            if columns:
                self._layer(entity, f"SELECT *, {', '.join(columns)} FROM {self._chain[entity]}")
        self._ask_members([step for step in steps if step.kind == "members"])
        self._ask_household([step for step in steps if step.kind == "household"])

    def _worked_out(self, step: Step) -> Iterator[str]:
        found = self._compile(step)
        if found.kind in ("unknown", "null"):
            return
        if step.kind == "formula":
            wanted = _SQL_KINDS.get(step.variable.kind, step.variable.kind)
            if found.kind != wanted or found.den != "1":
                what = "may be a fraction; round it" if found.kind == wanted else f"is a {found.kind}, not a {wanted}"
                raise invalid(f"formulas/{step.variable.name}.yaml", what)
        yield f"{found.sql} AS {step.key}"
        if found.den != "1":
            yield f"{found.den} AS {step.key}__den"
        self._columns[step.key] = found.column(step.key)

    def _compile(self, step: Step) -> Sql:
        columns = {f"ask.{key}": self._columns[key] for key in step.reads if key in self._columns}
        values = step.values()
        for key in step.reads:
            if self._plan.steps[key].variable is MEMBER and self._plan.steps[key].kind == "input":
                values[f"ask.{key}"] = True
        try:
            return compile_sql(step.node, columns, values, self._dialect)
        except Problem as problem:
            if problem.slug != "expr-invalid":
                raise
            raise invalid(f"formulas/{step.variable.name}.yaml", f"has no SQL: {problem.why.en}") from problem

    def _ask_members(self, steps: Sequence[Step]) -> None:
        if not steps:
            return
        base = self._chain["person"]
        columns = [f"{sql} AS {name}" for step in steps for name, sql in self._grouped(step)]
        names = [name.split(" AS ")[-1] for name in columns]
        grouped = f"SELECT step_home AS k, {', '.join(columns)} FROM {base} WHERE step_home IS NOT NULL GROUP BY 1"
        picked = ", ".join(f"g.{name}" for name in names)
        home = self._chain["household"]
        self._layer("household", f"SELECT b.*, {picked} FROM {home} AS b JOIN ({grouped}) AS g ON g.k = b.step_who")

    def _grouped(self, step: Step) -> Iterator[tuple[str, str]]:
        """The aggregates of one question to the members: name and SQL."""
        take = (step.ask.take if step.ask else "") or ""
        role = step.ask.role if step.ask else None
        inside = f"coalesce(step_role = {quote(role)}, FALSE)" if role is not None else "TRUE"
        hold = self._read(step.where, "boolean") if step.where else Column("TRUE", "boolean")
        value = self._read(step.of or "", "boolean" if take in ("any", "all", "count") else "number")
        if value.kind == "boolean":
            self._columns[step.key] = Column(step.key, "number" if take == "count" else "boolean", _MOST_MEMBERS)
            yield step.key, _flags(take, inside, hold.sql, value.sql)
            return
        counts = f"{inside} AND {hold.sql}"
        unsure = f"{inside} AND (({hold.sql}) IS NULL OR ({hold.sql} AND ({value.sql}) IS NULL))"
        known = f"count(*) FILTER (WHERE {unsure}) = 0"
        some = f"count(*) FILTER (WHERE {counts})"
        bound = value.bound * _MOST_MEMBERS if take in ("sum", "average") else value.bound
        name = {"average": "sum"}.get(take, take)
        whole = f"{name}({value.sql}) FILTER (WHERE {counts})"
        whole = f"coalesce({whole}, 0)" if take == "sum" else whole
        whole = f"CAST({whole} AS {'BIGINT' if bound <= BIGINT else self._dialect.wide})"
        yield step.key, f"CASE WHEN {known} THEN {whole} END"
        if take == "average":
            yield f"{step.key}__den", f"CASE WHEN {known} AND {some} > 0 THEN {some} END"
            self._columns[step.key] = Column(step.key, "number", bound, (), f"{step.key}__den", _MOST_MEMBERS)
        else:
            self._columns[step.key] = Column(step.key, "number", bound)

    def _read(self, key: str, kind: str) -> Column:
        """A person's value as the aggregates read it."""
        if self._plan.steps[key].variable is MEMBER and self._plan.steps[key].kind == "input":
            return Column("TRUE", "boolean")
        return self._columns.get(key) or Column(_NULLS[kind], kind, 1)

    def _ask_household(self, steps: Sequence[Step]) -> None:
        known = [step for step in steps if step.of in self._columns]
        if not known:
            return
        picked = []
        for step in known:
            found = self._columns[step.of or ""]
            picked.append(f"h.{found.sql} AS {step.key}")
            self._columns[step.key] = Column(step.key, found.kind, found.bound, found.words)
        base, home = self._chain["person"], self._chain["household"]
        self._layer(
            "person",
            f"SELECT b.*, {', '.join(picked)} FROM {base} AS b LEFT JOIN {home} AS h ON h.step_who = b.step_home",
        )


def _flags(take: str, inside: str, hold: str, value: str) -> str:
    """any, all and count over the members, as Kleene's or and and would fold them."""
    flag = f"((NOT {hold}) OR {value})" if take == "all" else f"({hold} AND {value})"
    unsure = f"count(*) FILTER (WHERE {inside} AND {flag} IS NULL) > 0"
    if take == "count":
        return f"CASE WHEN {unsure} THEN NULL ELSE count(*) FILTER (WHERE {inside} AND {flag}) END"
    deciding = "TRUE" if take == "any" else "FALSE"
    decides = f"count(*) FILTER (WHERE {inside} AND {flag} IS {deciding}) > 0"
    return f"CASE WHEN {decides} THEN {deciding} WHEN {unsure} THEN NULL ELSE NOT {deciding} END"


def _pivoted(listed: Listed, steps: Sequence[Step]) -> str:
    """A long table with a row an entity: for each wanted period its value, and how many rows gave it."""
    best = "bool_or" if listed.column.kind == "boolean" else "max"
    columns = []
    for step in steps:
        if step.span == ONCE:
            columns.append(f"{best}({listed.column.sql}) AS {step.key}")
            continue
        holds = _holds(listed, step.variable, step.span)
        columns.append(f"{best}(CASE WHEN {holds} THEN {listed.column.sql} END) AS {step.key}")
        if step.variable.otherwise is not None:
            columns.append(f"count(*) FILTER (WHERE {holds}) AS {step.key}_n")
    within = _within(listed, steps)
    return f"SELECT {listed.key} AS k, {', '.join(columns)} FROM {listed.table}{within} GROUP BY 1"


def _within(listed: Listed, steps: Sequence[Step]) -> str:
    """Rows of other periods need not be read."""
    spans = [step.span for step in steps]
    if listed.period is None or spans[0] == ONCE:
        return ""
    return f" WHERE {listed.period} BETWEEN {_point(min(spans))} AND {_point(max(spans))}"


def _holds(listed: Listed, variable: Variable, span: Span) -> str:
    if listed.period is not None:
        return f"{listed.period} = {_point(span)}"
    if listed.first is None or listed.last is None:
        raise invalid(variable.name, "is of a period, and its table has neither a period nor a first and last day")
    first = span.end if variable.at == "end" else span.start
    last = span.start if variable.at == "start" else span.end
    open_ = f"({listed.last} IS NULL OR {listed.last} >= DATE '{first}')"
    return f"{listed.first} <= DATE '{last}' AND {open_}"


def _point(span: Span) -> str:
    return str(span.index) if span.unit == "year" else f"DATE '{span.start}'"


def _literal(value: Any, column: Column) -> str:
    return str(column.words.index(value)) if column.words else literal(value).sql
