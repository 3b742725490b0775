"""Small random tables with random hierarchies, models and limits, written down for both sides."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartgov.engines.deid.encode import encode
from smartgov.engines.deid.metrics import metric_named
from smartgov.engines.deid.policy import Policy
from smartgov.engines.deid.search.optimal import Task

METRICS = (
    "discernibility", "discernibility-lenient", "average-class-size", "entropy", "entropy-without-suppression",
    "precision",
)  # fmt: skip
SENSITIVE = "s"


@dataclass(frozen=True)
class Drawn:
    """One case: everything of it follows from the seed, and its table and hierarchies lie in `folder`."""

    seed: int
    folder: Path
    quasi: tuple[str, ...]
    k: int
    l: int  # noqa: E741 - the field's name
    t: float
    limit: float
    metric: str

    def words(self) -> list[object]:
        """For the driver."""
        more = [SENSITIVE, self.l, self.t] if self.l > 1 or self.t < 1 else []
        table = self.folder / "data.csv"
        return [table, self.folder, "h_", self.k, self.limit, self.metric, ",".join(self.quasi), *more]

    def policy(self) -> Policy:
        """For us."""
        columns: dict[str, Any] = {
            name: {"kind": "quasi", "hierarchy": {"file": f"h_{name}.csv"}} for name in self.quasi
        }
        models: list[dict[str, Any]] = [{"model": "k-anonymity", "k": self.k}]
        if self.l > 1:
            models.append({"model": "distinct-l-diversity", "attribute": SENSITIVE, "l": self.l})
        if self.t < 1:
            models.append({"model": "t-closeness", "attribute": SENSITIVE, "t": self.t})
        spec = {
            "source": "random", "project": "peers", "models": models, "metric": self.metric,
            "attributes": {**columns, SENSITIVE: {"kind": "sensitive"}}, "suppression_limit": self.limit,
        }  # fmt: skip
        return Policy.parse(spec, folder=self.folder)


def draw(seed: int, folder: Path) -> Drawn:
    """Two to four attributes of up to nine values, 10 to 120 rows, uneven; a limit from nothing to a third."""
    dice = random.Random(seed)
    quasi = tuple(f"q{number}" for number in range(dice.randint(2, 4)))
    folder.mkdir(parents=True)
    values = {name: _hierarchy(dice, folder / f"h_{name}.csv") for name in quasi}
    values[SENSITIVE] = [f"v{number}" for number in range(dice.randint(2, 5))]
    rows = dice.choice((10, 25, 60, 120))
    columns = [dice.choices(own, weights=[dice.random() ** 2 + 0.05 for _ in own], k=rows) for own in values.values()]
    lines = [list(values), *map(list, zip(*columns, strict=True))]
    (folder / "data.csv").write_text("".join(";".join(line) + "\n" for line in lines), encoding="utf-8")
    # No class of so few rows lies at exactly such a t: there ARX refuses by rounding what the definition allows.
    l, t = dice.choice(((1, 1.0), (2, 1.0), (3, 1.0), (1, 0.21373), (1, 0.50207), (2, 0.40009)))  # noqa: E741
    return Drawn(
        seed, folder, quasi, dice.randint(2, 5), l, t, dice.choice((0.0, 0.0, 0.04, 0.1, 0.33)), dice.choice(METRICS)
    )


def task_of(case: Drawn) -> Task:
    """What our search is asked."""
    policy = case.policy()
    table = encode(case.folder / "data.csv", policy)
    most = int(case.limit * table.ground.rows)
    return Task(table.ground, table.base, policy.models, metric_named(case.metric), most, policy.protected)


def _hierarchy(dice: random.Random, path: Path) -> list[str]:
    """Values and one to three levels above them, each a coarser grouping of the one below; the last may be `*`."""
    values = [f"{path.stem}{number}" for number in range(dice.randint(2, 9))]
    levels = [values]
    for level in range(1, dice.randint(1, 3) + 1):
        groups = max(1, len(set(levels[-1])) // 2)
        above = {below: f"{level}.{dice.randrange(groups)}" for below in sorted(set(levels[-1]))}
        levels.append([above[below] for below in levels[-1]])
    if dice.random() < 0.8:
        levels.append(["*"] * len(values))
    path.write_text("".join(";".join(row) + "\n" for row in zip(*levels, strict=True)), encoding="utf-8")
    return values
