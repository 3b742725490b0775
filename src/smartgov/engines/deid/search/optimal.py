"""The optimal full-domain search: branch and bound over boxes of the lattice, with a proven bound at any time.

A box is a set of nodes still open, with the finest levels that occur in it (its floor) and the coarsest (its ceiling).
One table at the floor bounds the cost of every node in the box from below; one look at the ceiling shows when none of
them can be anonymous. What remains is halved, the coarser half first: its tables are small, and what it finds prunes
the finer half. Tables of a half are rolled up from the table of its box, so no more are held than the halving is deep.

Suppression makes nodes cheaper or dearer than their neighbours, so the cost itself is no guide; but a suppressed row is
never free, and with the best cost known the rows that may be suppressed are few. That is what makes 1 % as tractable
as 0 % (the limit alone rules out little: research of ours, mydata_privacy 5.2, found 22 % of the nodes).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from pathlib import Path

from smartgov.engines.deid.classes import Classes, classes_of
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.lattice import Lattice, dense_pays, outlook
from smartgov.engines.deid.metrics import Ground, Metric
from smartgov.engines.deid.models import Figures, Mask, Model, holding
from smartgov.engines.deid.tally import Ints, Node, Tally, of_keys, quasi_only, roll
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np

DENSE_CELLS = 1 << 22
"""A box whose floor has at most so many possible classes is settled in one array."""
KEEP_EVERY_S = 5.0
DUST = 1e-9
"""Costs closer than this share of each other are equal."""


@dataclass(frozen=True)
class Task:
    """What is searched: the counted table, its models and metric, and how many rows may be suppressed."""

    ground: Ground
    base: Tally
    models: tuple[Model, ...]
    metric: Metric
    most_suppressed: int
    sensitive: tuple[str, ...] = ()

    @property
    def smallest_class(self) -> int:
        """What any model asks of the size of a class."""
        return max((model.smallest_class for model in self.models), default=0)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all that the search depends on: a saved state is good for the same task only."""
        sha = hashlib.sha256()
        for column in (
            *self.base.fused,
            self.base.counts,
            *(codes for h in self.ground.hierarchies for codes in h.codes),
        ):
            sha.update(column.tobytes())
        sha.update(repr((self.models, self.metric, self.most_suppressed, self.sensitive, self.base.sizes)).encode())
        return sha.hexdigest()


@dataclass(frozen=True)
class Outcome:
    """The best node so far: its cost, and how far below any other may still lie.

    `bound` is proven: no anonymous node costs less. `complete` says that nothing is left open. `node` is None when none
    is anonymous (then `complete`), or none has been found yet.
    """

    node: Node | None
    cost: float
    bound: float
    complete: bool
    nodes: int
    looked_at: int
    seconds: float

    @property
    def gap(self) -> float:
        """How much of the cost could be saved at most, 0 to 1."""
        if self.node is None:
            return 0.0 if self.complete else 1.0
        return max(self.cost - self.bound, 0.0) / self.cost if self.cost > 0 else 0.0


@dataclass
class Limits:
    """When to stop early: seconds, the proven gap that is good enough, and bytes of tables held beside the base."""

    seconds: float = float("inf")
    gap: float = 0.0
    cache_bytes: int = 4 << 30


@dataclass
class Search:
    """One search, which can be stopped, saved and taken up again."""

    task: Task
    limits: Limits = field(default_factory=Limits)
    progress: Callable[[Outcome], None] | None = None
    cancelled: Callable[[], bool] | None = None
    lowest: Node = ()
    """For each attribute the lowest level that may be chosen; empty for 0 everywhere."""
    saved: Path | None = None
    """Where the state is kept every few seconds, and taken up from."""

    def __post_init__(self) -> None:
        self.lattice = Lattice(self.task.ground.hierarchies)
        self.open: Mask = np.ones(len(self.lattice), dtype=bool)
        self.bounds: Figures = np.zeros(len(self.lattice))
        self.best, self.best_node = float("inf"), -1
        self.looked_at = 0
        self._held_bytes = 0
        self._began = time.monotonic()
        self._prepared = False
        self._kept = self._began
        if any(self.lowest):
            levels = self.lattice.levels(np.arange(len(self.lattice)))
            self.open &= (levels >= np.array(self.lowest)).all(axis=1)

    # -- the answer -----------------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """Search until nothing is open or a limit is reached."""
        self._began = self._kept = time.monotonic()
        if self.saved is not None and self.saved.exists():
            self.load(self.saved)
        if not self._prepared:
            self._prepare()
        self._box(self._still(np.flatnonzero(self.open)), self.task.base)
        if self.saved is not None:
            self.save(self.saved)
        return self.outcome()

    def outcome(self) -> Outcome:
        """Where the search stands."""
        left = self._still(np.flatnonzero(self.open))
        bound = min(self.best, float(self.bounds[left].min())) if len(left) else self.best
        node = self.lattice.node(self.best_node) if self.best_node >= 0 else None
        seconds = time.monotonic() - self._began
        return Outcome(node, self.best, bound, not len(left), len(self.lattice), self.looked_at, seconds)

    def save(self, path: Path) -> None:
        """Keep what is known, whole or not at all."""
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(
                file,
                open=self.open,
                bounds=self.bounds,
                best=self.best,
                node=self.best_node,
                seen=self.looked_at,
                task=self.task.fingerprint,
            )
        part.replace(path)

    def load(self, path: Path) -> None:
        """Take up what an earlier run of the same task kept."""
        with np.load(path) as kept:
            if str(kept["task"]) != self.task.fingerprint:
                raise Problem(
                    "deid-state-of-another-run",
                    409,
                    what=Text("The saved state belongs to another run.", "已保存的進度屬於另一次執行。"),
                    why=Text(
                        "The table, the models, the metric or the limit changed.",
                        "資料表、模型、指標或抑制上限已變更。",
                    ),
                    todo=Text("Run again without --resume.", "請不加 --resume 重新執行。"),
                )
            self.open, self.bounds = kept["open"], kept["bounds"]
            self.best, self.best_node = float(kept["best"]), int(kept["node"])
            self.looked_at = int(kept["seen"])
        self._prepared = True

    # -- pruning --------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """What can be said about all nodes from levels and from tables of a few attributes."""
        task, shape = self.task, self.lattice.shape
        parts = task.metric.by_levels(task.ground)
        if parts is not None:
            places = [[-1 if i == a else 1 for i in range(len(shape))] for a in range(len(shape))]
            costs = task.metric.combine([part.reshape(place) for part, place in zip(parts, places, strict=True)])
            self.bounds = np.broadcast_to(costs, shape).ravel().copy()
        k = task.smallest_class
        view = outlook(self.lattice, quasi_only(task.base, task.ground.hierarchies), k, task.most_suppressed, self.open)
        self.open &= view.failing <= task.most_suppressed
        least = task.metric.at_least(task.ground, view.squares, view.classes, view.failing.astype(float), k)
        np.maximum(self.bounds, least, out=self.bounds)
        self._prepared = True

    def _still(self, nodes: Ints) -> Ints:
        """Those of the nodes that are open and may be better than the best."""
        return nodes[self.open[nodes] & (self.bounds[nodes] < self.best * (1 - DUST))]

    def _raise(self, nodes: Ints, bound: float) -> None:
        self.bounds[nodes] = np.maximum(self.bounds[nodes], bound)

    def _enough(self) -> bool:
        """Whether a limit is reached, or somebody asked to stop."""
        if self.cancelled is not None and self.cancelled():
            return True
        if time.monotonic() - self._began > self.limits.seconds:
            return True
        if self.limits.gap <= 0 or self.best == float("inf"):
            return False
        left = self._still(np.flatnonzero(self.open))
        lowest = float(self.bounds[left].min()) if len(left) else self.best
        return self.best - lowest <= self.limits.gap * self.best

    # -- boxes ----------------------------------------------------------------------------------------------------

    def _box(self, nodes: Ints, table: Tally) -> None:
        """Settle the nodes, given a table that is at least as fine as all of them."""
        nodes = self._still(nodes)
        if not len(nodes) or self._enough():
            return
        levels = self.lattice.levels(nodes)
        floor = tuple(int(level) for level in levels.min(axis=0))
        finer, table = table, roll(table, floor, self.task.ground.hierarchies)
        held = table is not finer
        self._held_bytes += table.nbytes if held else 0
        try:
            self._settle(nodes, levels, floor, table)
        finally:
            self._held_bytes -= table.nbytes if held else 0

    def _settle(self, nodes: Ints, levels: Ints, floor: Node, table: Tally) -> None:
        at_floor = self._look(floor, table)
        self._raise(nodes, self._bound(at_floor, 0))
        nodes = self._still(nodes)
        if not len(nodes):
            return
        levels = self.lattice.levels(nodes)
        ceiling = tuple(int(level) for level in levels.max(axis=0))
        if len(nodes) > 1 or ceiling != floor:
            at_ceiling = self._look(ceiling, roll(table, ceiling, self.task.ground.hierarchies))
            failing = self._surely_failing(at_ceiling)
            if failing > self.task.most_suppressed:
                self.open[nodes] = False
                return
            self._raise(nodes, self._bound(at_floor, failing))
        nodes = self._still(nodes)
        if not len(nodes):
            return
        levels = self.lattice.levels(nodes)
        if dense_pays(prod(table.sizes), len(table), DENSE_CELLS):
            self._dense(nodes, levels, floor, table)
            return
        coarse, fine = halves(levels)
        if not len(fine):
            self._each(nodes[coarse], table)
            return
        # What the halves hold is rolled from this table; it can go first where memory is short.
        self._box(nodes[coarse], table)
        self._box(nodes[fine], table if self._held_bytes <= self.limits.cache_bytes else self.task.base)

    def _each(self, nodes: Ints, table: Tally) -> None:
        """Look at every node by itself, the most promising first."""
        for number in nodes[np.argsort(self.bounds[nodes], kind="stable")]:
            if self._enough():
                return
            if len(self._still(np.array([number]))):
                node = self.lattice.node(int(number))
                self._look(node, roll(table, node, self.task.ground.hierarchies))

    def _dense(self, nodes: Ints, levels: Ints, floor: Node, table: Tally) -> None:
        """Look at all the nodes by adding up slices of one array, at a fraction of a rolled table's cost.

        Branches without an open node are left out.
        """
        trees = self.task.ground.hierarchies
        counts = np.zeros(prod(table.sizes), dtype=np.int64)
        counts[table.keys()] = table.counts
        people: Ints | None = None
        if table.population is not None:
            people = np.zeros(len(counts), dtype=np.int64)
            people[table.keys()] = table.population
        self._along(
            0,
            (),
            levels,
            nodes,
            counts.reshape(table.sizes),
            None if people is None else people.reshape(table.sizes),
            floor,
            trees,
        )

    def _along(
        self,
        axis: int,
        done: Node,
        levels: Ints,
        nodes: Ints,
        counts: Ints,
        people: Ints | None,
        floor: Node,
        trees: tuple[Hierarchy, ...],
    ) -> None:
        if axis == len(trees):
            if len(self._still(nodes)) and not self._enough():
                self._look(done, self._sparse(done, counts, people))
            return
        for level in range(floor[axis], trees[axis].levels):
            if level > floor[axis]:
                starts = trees[axis].runs[level]
                counts = np.add.reduceat(counts, starts, axis=axis)
                people = None if people is None else np.add.reduceat(people, starts, axis=axis)
            here = levels[:, axis] == level
            if here.any():
                self._along(axis + 1, (*done, level), levels[here], nodes[here], counts, people, floor, trees)

    def _sparse(self, node: Node, counts: Ints, people: Ints | None) -> Tally:
        flat = counts.ravel()
        keys = np.flatnonzero(flat if people is None else flat + people.ravel())
        return of_keys(node, counts.shape, keys, flat[keys], None if people is None else people.ravel()[keys])

    def _look(self, node: Node, table: Tally) -> Classes:
        """Evaluate one node, keep it if it is the best, and close it."""
        classes = classes_of(table, self.task.sensitive)
        number = self.lattice.number(node)
        if self.open[number]:
            self.open[number] = False
            self.looked_at += 1
            self._judge(number, classes)
            self._tell()
        return classes

    def _tell(self) -> None:
        """Say where it stands, and keep it now and then."""
        if self.progress is not None:
            self.progress(self.outcome())
        if self.saved is not None and time.monotonic() - self._kept > KEEP_EVERY_S:
            self.save(self.saved)
            self._kept = time.monotonic()

    def _judge(self, number: int, classes: Classes) -> None:
        held = holding(self.task.models, classes)
        if int(classes.sizes[~held].sum()) > self.task.most_suppressed:
            return
        if not held[classes.sizes == 0].all():
            # People of the population whose absence shows (d-presence): there is no row of theirs to suppress.
            return
        cost = self.task.metric.score(self.task.ground, classes, held)
        if cost < self.best * (1 - DUST) or (cost <= self.best * (1 + DUST) and number < self.best_node):
            self.best, self.best_node = min(cost, self.best), number

    def _surely_failing(self, classes: Classes) -> int:
        """Rows that fail here and at every finer node."""
        if self.task.most_suppressed == 0 and all(model.monotone for model in self.task.models):
            return int(classes.sizes[~holding(self.task.models, classes)].sum())
        return int(classes.sizes[classes.sizes < self.task.smallest_class].sum())

    def _bound(self, finer: Classes, failing: int) -> float:
        """What nodes above `finer` cost at least when `failing` rows fail in all of them."""
        task = self.task
        figures = (np.array(float(finer.squares)), np.array(float(finer.inhabited)), np.array(float(failing)))
        return float(task.metric.at_least(task.ground, *figures, task.smallest_class))


def halves(levels: Ints) -> tuple[Sequence[int] | Ints, Sequence[int] | Ints]:
    """Places of the coarser and of the finer half of a set of nodes: the one cut of one attribute that is most even."""
    best, cut = 0, None
    for attribute in range(levels.shape[1]):
        column = levels[:, attribute]
        for level in range(int(column.min()) + 1, int(column.max()) + 1):
            smaller = min(int(np.count_nonzero(column >= level)), int(np.count_nonzero(column < level)))
            if smaller > best:
                best, cut = smaller, column >= level
    if cut is None:
        return np.arange(len(levels)), np.zeros(0, dtype=np.int64)
    return np.flatnonzero(cut), np.flatnonzero(~cut)
