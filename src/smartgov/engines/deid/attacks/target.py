"""What is attacked, what an attack reports, and where attackers look: people of a file placed into released classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartgov.engines.deid.attacks import boxes
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models import Model
from smartgov.engines.deid.relations import Source, listed, one, opened, quoted
from smartgov.engines.deid.risk import unsuppressed
from smartgov.engines.deid.transforms import Transform
from smartgov.shared.text import Text

with analysis():
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on an attack has succeeded. `k`, `l` and `t` come from the policy; the others are the house's.

    `ls` and `ts` say l and t for each sensitive column that a model speaks of; while empty, `l` and `t` are for all.
    A sensitive value that `common` of all rows have tells nothing new about anybody; one that at most `rare` of all
    rows have is disclosed where an attacker may believe it with `belief`. `excess` is how much better than chance rows
    may be found by their order; `unique` the distinction from which a column alone is an identifier.
    """

    k: int = 5
    l: float = 1  # noqa: E741 - the field's name
    t: float | None = None
    common: float = 0.9
    rare: float = 0.1
    belief: float = 0.5
    excess: float = 0.02
    unique: float = 0.9
    ls: Mapping[str, float] = field(default_factory=dict)
    ts: Mapping[str, float] = field(default_factory=dict)

    def l_of(self, attribute: str) -> float:
        """How many values of a sensitive column a class has at least; 1 promises nothing."""
        return self.ls.get(attribute, 1) if self.ls else self.l

    def t_of(self, attribute: str) -> float | None:
        """How far (equal distance) a class may be from everybody in a sensitive column."""
        return self.ts.get(attribute) if self.ts else self.t


@dataclass(frozen=True, slots=True)
class Changes:
    """How single values were transformed before they were generalised: by column, and with which key of which project.

    `key` is empty where no transform is keyed.
    """

    plan: Mapping[str, Transform] = field(default_factory=dict)
    project: str = ""
    key: str = ""

    def same(self, other: Changes, name: str) -> bool:
        """Whether a column's values became the same in both."""
        ours, theirs = self.plan.get(name), other.plan.get(name)
        keyed = ours is not None and ours.keyed
        return ours == theirs and (not keyed or (self.project, self.key) == (other.project, other.key))


@dataclass(frozen=True, slots=True)
class Target:
    """A release and the table it was made from.

    `changes` says how values were transformed first. `labels` maps each quasi-identifier's values, as transformed, to
    what the release calls them (columns `value` and `label`, text; a value may have several labels under local
    recoding); absent means unchanged. `finer` is the same one level below the released one, where there is one: what
    an attacker who knows the method asks why it was not chosen. `models` are the policy's, `values` the
    hierarchies of sensitive columns (an order, a distance), `population` the file that k-map and d-presence count in.
    """

    release: Source
    source: Source
    quasi: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    identifying: tuple[str, ...] = ()
    labels: Mapping[str, pa.Table] = field(default_factory=dict)
    finer: Mapping[str, pa.Table] = field(default_factory=dict)
    thresholds: Thresholds = field(default_factory=Thresholds)
    name: str = ""
    changes: Changes = field(default_factory=Changes)
    models: tuple[Model, ...] = ()
    values: Mapping[str, Hierarchy] = field(default_factory=dict)
    population: Path | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one attack reached. `evidence` holds counts and column names, never a person's values.

    `ran` is False when the attack had nothing to work on (no outside file, no earlier release); such a finding has
    passed and says so. `severity` is high, medium or low: how bad it is when it has not passed.
    """

    attack: str
    passed: bool
    severity: str
    measured: float
    threshold: float
    sentence: Text
    evidence: dict[str, Any] = field(default_factory=dict)
    ran: bool = True

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "attack": self.attack, "passed": self.passed, "ran": self.ran, "severity": self.severity,
            "measured": self.measured, "threshold": self.threshold, "sentence": self.sentence.as_dict(),
            "evidence": self.evidence,
        }  # fmt: skip


def not_run(attack: str, why: Text) -> Finding:
    """The finding of an attack that had nothing to work on."""
    return Finding(attack, True, "low", 0.0, 0.0, why, ran=False)


def classes(db: duckdb.DuckDBPyConnection, target: Target, *, more: Sequence[str] = (), view: str = "r") -> None:
    """Make the table `cls`: `cls` (a number), `n` (rows) and the labels, as text, of each class of the release."""
    names = (*target.quasi, *more)
    text = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in names)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE cls AS SELECT row_number() OVER () AS cls, {text}, n FROM (SELECT "  # noqa: S608
        f"{listed(names)}, count(*) AS n FROM {view} WHERE {unsuppressed(target.quasi)} GROUP BY ALL)"
    )


def people(
    db: duckdb.DuckDBPyConnection, target: Target, *, view: str = "s", quasi: Sequence[str] | None = None,
    more: Sequence[str] = (),
) -> None:  # fmt: skip
    """Make the table `ppl`: the distinct people of a file with original values, by `id`, `m` of each, and their `cls`.

    Only `quasi` (default all) and the `more` columns are used, and the classes must have been made with them. Somebody
    who may be in several classes has a row for each; somebody who can be in none has none. `own` has their values.
    """
    quasi = target.quasi if quasi is None else quasi
    names = [*quasi, *more]
    text = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in names)
    db.execute(
        "CREATE OR REPLACE TEMP TABLE own AS SELECT row_number() OVER () AS id, * FROM "  # noqa: S608 - quoted
        f"(SELECT {text}, count(*) AS m FROM {view} GROUP BY ALL)"
    )
    place(db, target, "own", quasi, more)
    db.execute(
        "CREATE OR REPLACE TEMP TABLE ppl AS SELECT own.id, own.m, cls.cls, cls.n FROM own JOIN placed USING (id) "
        "JOIN cls USING (cls)"
    )


def place(
    db: duckdb.DuckDBPyConnection, target: Target, table: str, quasi: Sequence[str], more: Sequence[str] = ()
) -> None:
    """Make the table `placed`: `id` of a table of original values, as text, and the `cls` that it may be in."""
    if any(_is_several(target.labels[name]) for name in quasi if name in target.labels):
        _place_in_boxes(db, target, table, quasi, more)
        return
    mapped = [name for name in quasi if name in target.labels]
    joins = []
    for number, name in enumerate(mapped):
        db.register(f"map{number}", target.labels[name])
        joins.append(f"JOIN map{number} ON {table}.{quoted(name)} = map{number}.value")
    label = {name: f"map{number}.label" for number, name in enumerate(mapped)}
    pairs = [f"cls.{quoted(name)} = {label.get(name, f'{table}.{quoted(name)}')}" for name in (*quasi, *more)]
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE placed AS SELECT {table}.id, cls.cls FROM {table} {' '.join(joins)} "  # noqa: S608
        f"JOIN cls ON {' AND '.join(pairs) or 'true'}"
    )


def _is_several(labels: pa.Table) -> bool:
    """Whether a value has more labels than one (local recoding)."""
    return bool(pc.count_distinct(labels["value"]).as_py() < labels.num_rows)


def _place_in_boxes(
    db: duckdb.DuckDBPyConnection, target: Target, table: str, quasi: Sequence[str], more: Sequence[str]
) -> None:
    names = [*quasi, *more]
    own = db.execute(f"SELECT id, {listed(names)} FROM {table} ORDER BY id").to_arrow_table()  # noqa: S608 - quoted
    cls = db.execute(f"SELECT cls, {listed(names)} FROM cls ORDER BY cls").to_arrow_table()  # noqa: S608 - quoted
    axes = [
        boxes.axis(_flat(own[name]), _flat(cls[name]), target.labels.get(name) if name in quasi else None)
        for name in names
    ]
    # Attributes with the most labels first: they leave the fewest people to go on with.
    axes.sort(key=lambda one: -int(one.label.max(initial=0)))
    ids, numbers = _flat(own["id"]), _flat(cls["cls"])
    db.execute("CREATE OR REPLACE TEMP TABLE placed (id BIGINT, cls BIGINT)")
    for people_, classes_ in boxes.pairs(axes, len(ids), len(numbers)):
        found = pa.table({"id": ids.take(pa.array(people_)), "cls": numbers.take(pa.array(classes_))})
        db.register("found", found)
        db.execute("INSERT INTO placed SELECT id, cls FROM found")
        db.unregister("found")


def _flat(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def histogram(db: duckdb.DuckDBPyConnection, target: Target, attribute: str, *, view: str = "r") -> None:
    """Make the table `val`: `cls`, `value` and `c`, the rows of the class with that sensitive value."""
    keys = ", ".join(quoted(name) for name in target.quasi)
    same = " AND ".join(f"CAST(g.{quoted(name)} AS VARCHAR) = cls.{quoted(name)}" for name in target.quasi) or "true"
    # Rows are counted first and named after: the join sees each combination once, not each row.
    grouped = f"SELECT {keys}, {quoted(attribute)} AS value, count(*) AS c FROM {view} GROUP BY ALL"  # noqa: S608
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE val AS SELECT cls.cls, cls.n, g.value, g.c FROM ({grouped}) g JOIN cls ON {same}"  # noqa: S608
    )


def each_sensitive(
    target: Target, attack: str, judged: Callable[[duckdb.DuckDBPyConnection, Target, str], Finding]
) -> list[Finding]:
    """One finding a sensitive column of the release, with `cls` and `val` made for it."""
    if not target.sensitive:
        return [not_run(attack, Text("No column was declared sensitive.", "未宣告任何敏感欄位。"))]
    with opened(r=target.release) as db:
        classes(db, target)
        findings = []
        for attribute in target.sensitive:
            histogram(db, target, attribute)
            findings.append(judged(db, target, attribute))
    return findings


def whole(db: duckdb.DuckDBPyConnection, sql: str) -> int:
    """One whole number; NULL counts as 0."""
    return int(one(db, sql) or 0)
