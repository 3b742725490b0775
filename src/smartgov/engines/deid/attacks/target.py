"""What is attacked, what an attack reports, and where attackers look: people of a file placed into released classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.models import Model
from smartgov.engines.deid.relations import Source, listed, one, quoted
from smartgov.engines.deid.risk import unsuppressed
from smartgov.engines.deid.transforms import Transform
from smartgov.shared.text import Text

with analysis():
    import duckdb
    import pyarrow as pa


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
    """Make the table `ppl`: the distinct people of a file with original values, `m` of each, and their `cls`.

    Only `quasi` (default all) and the `more` columns are used, and the classes must have been made with them. Somebody
    who may be in several classes has a row for each; somebody who can be in none has none.
    """
    quasi = target.quasi if quasi is None else quasi
    names = [*quasi, *more]
    text = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in names)
    db.execute(f"CREATE OR REPLACE TEMP TABLE own AS SELECT {text}, count(*) AS m FROM {view} GROUP BY ALL")  # noqa: S608
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE ppl AS SELECT {listed(names, 'own.')}, own.m, cls.cls, cls.n FROM own "  # noqa: S608
        f"{into_classes(db, target, 'own', quasi, more)}"
    )


def into_classes(
    db: duckdb.DuckDBPyConnection, target: Target, table: str, quasi: Sequence[str], more: Sequence[str] = ()
) -> str:
    """SQL joins from a table of original values, as text, over the labels to `cls`."""
    mapped = [name for name in quasi if name in target.labels]
    joins = []
    for place, name in enumerate(mapped):
        db.register(f"map{place}", target.labels[name])
        joins.append(f"JOIN map{place} ON {table}.{quoted(name)} = map{place}.value")
    label = {name: f"map{place}.label" for place, name in enumerate(mapped)}
    pairs = [f"cls.{quoted(name)} = {label.get(name, f'{table}.{quoted(name)}')}" for name in (*quasi, *more)]
    return f"{' '.join(joins)} JOIN cls ON {' AND '.join(pairs) or 'true'}"


def histogram(db: duckdb.DuckDBPyConnection, target: Target, attribute: str, *, view: str = "r") -> None:
    """Make the table `val`: `cls`, `value` and `c`, the rows of the class with that sensitive value."""
    keys = ", ".join(quoted(name) for name in target.quasi)
    same = " AND ".join(f"CAST(g.{quoted(name)} AS VARCHAR) = cls.{quoted(name)}" for name in target.quasi) or "true"
    # Rows are counted first and named after: the join sees each combination once, not each row.
    grouped = f"SELECT {keys}, {quoted(attribute)} AS value, count(*) AS c FROM {view} GROUP BY ALL"  # noqa: S608
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE val AS SELECT cls.cls, cls.n, g.value, g.c FROM ({grouped}) g JOIN cls ON {same}"  # noqa: S608
    )


def whole(db: duckdb.DuckDBPyConnection, sql: str) -> int:
    """One whole number; NULL counts as 0."""
    return int(one(db, sql) or 0)
