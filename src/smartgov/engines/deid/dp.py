"""Statistics under epsilon-differential privacy: counts, histograms, cross tables, bounded sums and means.

Neighbouring tables differ by all rows of one unit (a person), who has at most `rows` of them. DuckDB computes the exact
statistic in whole numbers, OpenDP draws the discrete Laplace noise and states what it costs; nothing here makes noise.
Whole numbers throughout, because sums of floats leak through their rounding (Casacuberta et al. 2022): amounts are
declared with a `step` (a dollar, a cent) and bounds, and clamped to them. Categories are declared, never read from the
data: that a category occurs at all is a fact about somebody.

The budget is reserved before the data are looked at and the release noted after; see `budget`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

from smartgov.engines.deid import budget
from smartgov.engines.deid.installed import analysis
from smartgov.shared import canonical
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import duckdb
    import numpy as np
    import opendp.prelude as opendp
    import pyarrow as pa

KINDS = ("count", "sum", "mean")
ALPHA = 0.05
_MOST_CELLS = 1_000_000
_MOST_STEPS = 2**40  # of one value: sums of a country's rows stay far within 64 bits


@dataclass(frozen=True, slots=True)
class Query:
    """One statistic. `by` names up to three columns with their declared categories (none: one figure; one: a histogram;
    more: a cross table). `bounds` and `step` belong to sums and means."""

    name: str
    kind: str
    epsilon: str
    by: Mapping[str, Sequence[str]]
    column: str | None = None
    bounds: tuple[Decimal, Decimal] | None = None
    step: Decimal = Decimal(1)

    @classmethod
    def parse(cls, spec: Mapping[str, Any]) -> Query:
        """From a policy's words; Problem `dp-invalid` for a strange or missing one."""
        if not {"name", "kind", "epsilon"} <= set(spec) <= {*cls.__dataclass_fields__}:
            raise _invalid(
                "A query has name, kind and epsilon, and no words we do not know.",
                "查詢須含 name、kind、epsilon，且無未知欄位。",
            )
        kind, summed = spec["kind"], spec["kind"] in {"sum", "mean"}
        if kind not in KINDS or summed != ("column" in spec) or summed != ("bounds" in spec):
            raise _invalid(
                "A sum or mean has a column and bounds; a count has neither.",
                "sum 與 mean 須有 column 與 bounds，count 則無。",
            )
        budget.micro(spec["epsilon"])
        by = {str(name): tuple(str(label) for label in labels) for name, labels in (spec.get("by") or {}).items()}
        if len(by) > 3 or any(not labels or len(set(labels)) != len(labels) for labels in by.values()):
            raise _invalid("At most three dimensions, each with its categories once.", "至多三個維度，各類別僅列一次。")
        if not summed:
            return cls(str(spec["name"]), kind, str(spec["epsilon"]), by)
        step = Decimal(str(spec.get("step", 1)))
        low, high = (Decimal(str(end)) for end in spec["bounds"])
        query = cls(str(spec["name"]), kind, str(spec["epsilon"]), by, str(spec["column"]), (low, high), step)
        if not (step > 0 and low < high and low % step == 0 and high % step == 0 and query.most < _MOST_STEPS):
            raise _invalid("Bounds must rise, and be multiples of the step.", "上下限須遞增且為 step 的整數倍。")
        return query

    @property
    def least(self) -> int:
        """The lower bound in steps."""
        return int(self.bounds[0] / self.step) if self.bounds else 0

    @property
    def greatest(self) -> int:
        """The upper bound in steps."""
        return int(self.bounds[1] / self.step) if self.bounds else 1

    @property
    def most(self) -> int:
        """The largest magnitude of one clamped value, in steps."""
        return max(abs(int(end / self.step)) for end in self.bounds) if self.bounds else 1

    @property
    def centre(self) -> int:
        """The middle of the bounds, in steps: means are noised around it, which halves what one row can change."""
        return (self.least + self.greatest) // 2

    def as_dict(self) -> dict[str, Any]:
        """The description for the ledger; it holds no data."""
        bounds = [str(end) for end in self.bounds] if self.bounds else None
        by = {name: list(labels) for name, labels in self.by.items()}
        return {
            "name": self.name,
            "kind": self.kind,
            "by": by,
            "column": self.column,
            "bounds": bounds,
            "step": str(self.step),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What may be published: one row a cell with `value`, and how far it errs with 95 % certainty (`within`).

    `head` is the ledger's at the release: publish it, and nobody can cut the ledger back unseen.
    """

    query: Query
    table: pa.Table
    within: float | None
    head: str


def answer(
    query: Query, table: pa.Table | str, ledger: budget.Ledger, *, source: str, unit: str | None, rows: int = 1
) -> Answer:
    """Reserve the budget, compute, add noise, note the release.

    `table` is Arrow or a Parquet path. `unit` names the column that tells persons apart: of each person at most `rows`
    rows are used. None states that every person has at most `rows` rows; that is the caller's word. What can be checked
    without looking at values is checked before anything is spent; a failure afterwards stays spent.
    """
    if rows < 1 or isinstance(rows, bool):
        raise _invalid("A person has at least one row.", "每人至少一列。")
    cells = int(np.prod([len(labels) for labels in query.by.values()]))
    if cells > _MOST_CELLS:
        raise _invalid("There are more than a million cells.", "格數超過一百萬。")
    with duckdb.connect() as db:
        relation = db.read_parquet(table) if isinstance(table, str) else db.from_arrow(table)
        relation.create_view("source")
        _refuse_columns(relation, query, unit)
        words = {**query.as_dict(), "unit": unit, "rows": rows}
        reservation = ledger.reserve(source, query.epsilon, words)
        values, within = _noised(query, *_exact(db, query, unit, rows), rows)
    places = list(product(*query.by.values())) or [()]
    columns = {name: pa.array([place[k] for place in places], pa.string()) for k, name in enumerate(query.by)}
    released = pa.table({**columns, "value": pa.array(values)})
    head = ledger.release(reservation, canonical.dumps([str(value) for value in values]))
    return Answer(query, released, within, head)


def _noised(
    query: Query, counts: list[int], sums: list[int], rows: int
) -> tuple[list[int] | list[float], float | None]:
    spent = budget.micro(query.epsilon)
    if query.kind == "count":
        noisy, within = laplace(counts, rows, spent)
        return noisy, within
    if query.kind == "sum":
        noisy, within = laplace(sums, rows * query.most, spent)
        return [float(value * query.step) for value in noisy], within * float(query.step)
    # A mean is a noisy sum over a noisy count, half of the budget each; both share the same rows.
    half = spent // 2
    reach = max(abs(query.least - query.centre), abs(query.greatest - query.centre))
    people, _ = laplace(counts, rows, half)
    around, _ = laplace([total - query.centre * n for total, n in zip(sums, counts, strict=True)], rows * reach, half)
    return [_mean(query, total, n) for total, n in zip(around, people, strict=True)], None


def _mean(query: Query, around: int, people: int) -> float:
    middle = Decimal(query.centre) + Decimal(around) / max(people, 1)
    low, high = Decimal(query.least), Decimal(query.greatest)
    return float(min(max(middle, low), high) * query.step)


def laplace(values: list[int], sensitivity: int, micro_epsilon: int) -> tuple[list[int], float]:
    """Discrete Laplace noise by OpenDP for a vector whose L1 sensitivity is given, and its 95 % error per figure.

    Refuses (Problem `dp-unproven`) unless OpenDP's own privacy map says that the release costs no more than asked.
    """
    opendp.enable_features("contrib")
    epsilon = micro_epsilon / budget.MICRO
    space = opendp.vector_domain(opendp.atom_domain(T="i64")), opendp.l1_distance(T="i64")

    def measurement(scale: float) -> Any:
        return opendp.m.make_laplace(*space, scale=scale)

    scale = opendp.binary_search_param(measurement, d_in=sensitivity, d_out=epsilon)
    chosen = measurement(scale)
    if not chosen.map(sensitivity) <= epsilon:
        raise Problem(
            "dp-unproven",
            500,
            what=Text("No noise was found that keeps to the budget.", "找不到符合預算的雜訊。"),
            why=Text("OpenDP's privacy map exceeds what was reserved.", "OpenDP 計算之隱私損失超過預留額度。"),
            todo=Text("Ask with another epsilon, and report it.", "請改用其他 epsilon 並回報。"),
        )
    return chosen(values), float(opendp.discrete_laplacian_scale_to_accuracy(scale=scale, alpha=ALPHA))


def _exact(db: duckdb.DuckDBPyConnection, query: Query, unit: str | None, rows: int) -> tuple[list[int], list[int]]:
    """Exact counts and sums (in steps) of every declared cell; rows outside the declared categories are left out."""
    dims = [f"CAST({_quoted(name)} AS VARCHAR) AS d{k}" for k, name in enumerate(query.by)]
    amount = "0"
    if query.column:
        # NULL and NaN count as the lower bound: to leave such rows out would change the count by what is private.
        low, high = query.least, query.greatest
        number = f"TRY_CAST({_quoted(query.column)} AS DOUBLE) / {query.step}"
        number = f"CASE WHEN isfinite({number}) THEN {number} ELSE {low} END"
        amount = f"CAST(round(least(greatest(coalesce({number}, {low}), {low}), {high})) AS BIGINT)"
    # Which rows of a person are kept depends on that person's rows alone, or other people's would matter twice.
    order = ", ".join(map(_quoted, filter(None, [*query.by, query.column]))) or "1"
    kept = f"row_number() OVER (PARTITION BY {_quoted(unit)} ORDER BY {order}) <= {rows}" if unit else "true"
    picked = f"SELECT {', '.join([*dims, f'{amount} AS v'])} FROM source QUALIFY {kept}"  # noqa: S608 - names are quoted
    if not unit:
        picked = picked.replace(" QUALIFY true", "")
    group = ", ".join(f"d{k}" for k in range(len(dims)))
    tail = f" GROUP BY {group}" if group else ""
    sql = f"SELECT {group + ',' if group else ''} count(*), coalesce(sum(v), 0) FROM ({picked}){tail}"  # noqa: S608
    found = {tuple(row[:-2]): (int(row[-2]), int(row[-1])) for row in db.sql(sql).fetchall()}
    cells = [found.get(place, (0, 0)) for place in product(*query.by.values())]
    return [count for count, _ in cells], [total for _, total in cells]


def _refuse_columns(relation: duckdb.DuckDBPyRelation, query: Query, unit: str | None) -> None:
    for name in filter(None, [*query.by, query.column, unit]):
        if name not in relation.columns:
            raise _invalid(f"There is no column {name}.", f"沒有欄位 {name}。")


def _quoted(name: str | None) -> str:
    return '"' + (name or "").replace('"', '""') + '"'


def _invalid(why_en: str, why_zh: str) -> Problem:
    return Problem(
        "dp-invalid",
        422,
        what=Text("This query cannot be answered.", "此查詢無法回答。"),
        why=Text(why_en, why_zh),
        todo=Text("Mend the query; nothing was spent.", "請修正查詢；未動用預算。"),
    )
