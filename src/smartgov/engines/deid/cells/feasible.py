"""What a reader can work out about suppressed cells: the feasible interval of each, by linear programs (HiGHS).

The reader knows every published cell, every sum, and a floor for each suppressed one (0, or 1 where empty cells are
always shown). The interval of a cell is the least and the greatest value it takes in any table that fits. Suppressed
cells fall into components that share no line, so each program is only as large as its component; every solution is a
whole table that fits, so it widens what is known to be possible for all its cells at once.

For one and two dimensions the interval is exact for whole numbers too (the sums are a network). In three dimensions
whole numbers may narrow it; `integer=True` solves integer programs instead, for tables small enough to wait for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from smartgov.engines.deid.cells.cube import Cube, invalid
from smartgov.engines.deid.installed import analysis
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    from scipy.optimize import LinearConstraint, linprog, milp
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import connected_components

TOLERANCE = 1e-6
_ROUNDS = 50
_WORTHWHILE = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """The feasible interval of each cell in `cells` (flat places); `programs` is how many were solved.

    Where `exact` is false the true interval may be wider, never narrower: the ends are those of tables found.
    """

    cells: np.ndarray
    low: np.ndarray
    high: np.ndarray
    programs: int
    exact: bool = True


class _Endless(Exception):
    """Nothing published bounds this direction."""


@dataclass(slots=True, eq=False)
class System:
    """One component: `lines @ x == sums`, `floor <= x <= ceiling`, and the range of solutions `seen` so far."""

    members: np.ndarray
    lines: csr_array
    sums: np.ndarray
    floor: np.ndarray
    ceiling: np.ndarray
    seen_low: np.ndarray
    seen_high: np.ndarray
    integer: bool
    programs: int = 0

    @property
    def slack(self) -> float:
        """How far a solution may miss, in the cells' own units."""
        return TOLERANCE * max(1.0, float(np.abs(self.sums).max(initial=0)))

    def solve(self, direction: np.ndarray, floor: np.ndarray, ceiling: np.ndarray) -> np.ndarray | None:
        """The fitting table that is greatest in `direction` within these bounds; None when none fits."""
        self.programs += 1
        scale = max(1.0, float(np.abs(self.sums).max(initial=0)) / 1e6)  # HiGHS works to absolute tolerances
        sums, low, high = self.sums / scale, floor / scale, ceiling / scale
        if self.integer:
            bound = LinearConstraint(self.lines, sums, sums)
            done = milp(-direction, constraints=bound, bounds=(low, high), integrality=np.ones(len(low)))
        else:
            done = linprog(-direction, A_eq=self.lines, b_eq=sums, bounds=np.column_stack([low, high]), method="highs")
        if done.status == 2:
            return None
        if done.status in {3, 4} and not np.isfinite(ceiling).all():  # 4: unbounded or infeasible
            raise _Endless
        if done.status != 0:
            raise _unsolved(str(done.message))
        table: np.ndarray = done.x * scale
        self.seen_low, self.seen_high = np.minimum(self.seen_low, table), np.maximum(self.seen_high, table)
        return table

    def extreme(self, place: int, sign: int) -> float:
        """The greatest (`sign` 1) or least (-1) value of one cell."""
        direction = np.zeros(len(self.members))
        direction[place] = float(sign)
        try:
            table = self.solve(direction, self.floor, self.ceiling)
        except _Endless:
            return sign * np.inf
        if table is None:
            raise inconsistent()
        return float(table[place])

    def reached(self, want: np.ndarray, sign: int) -> np.ndarray:
        """Which cells can reach `want` (NaN: not asked) from below (`sign` 1) or above (-1).

        All open cells are pushed at once, each only as far as asked, so that few programs prove many; what is left over
        is asked for one by one.
        """
        asked = ~np.isnan(want)
        target = np.where(asked, want, self.floor)
        while (open_ := asked & ~self.seen(target, sign)).any():
            floor, ceiling = self.floor, self.ceiling
            if sign > 0:
                ceiling = np.where(open_, np.maximum(np.minimum(ceiling, target), floor), ceiling)
            else:
                floor = np.where(open_, np.minimum(np.maximum(floor, target), ceiling), floor)
            self.solve(np.where(open_, float(sign), 0.0), floor, ceiling)
            if not (open_ & self.seen(target, sign)).any():
                break
        for place in np.flatnonzero(asked & ~self.seen(target, sign)):
            self.extreme(int(place), sign)
        return self.seen(target, sign)

    def seen(self, target: np.ndarray, sign: int) -> np.ndarray:
        """Which cells took `target` or went beyond it in a table found so far."""
        reached: np.ndarray = (
            self.seen_high >= target - self.slack if sign > 0 else self.seen_low <= target + self.slack
        )
        return reached


def intervals(
    cube: Cube, suppressed: np.ndarray, floor: np.ndarray | float = 0.0, *, integer: bool = False
) -> Intervals:
    """The exact feasible interval of every suppressed cell; values under `suppressed` are not looked at.

    Problem `cells-inconsistent` when no table fits what is published (sums that do not add up).
    """
    cells = np.flatnonzero(suppressed)
    low, high, programs = np.zeros(len(cells)), np.zeros(len(cells)), 0
    for system in systems(cube, suppressed, floor, integer=integer):
        first = system.solve(np.zeros(len(system.members)), system.floor, system.ceiling)
        if first is None:
            raise inconsistent()
        _sweep(system)
        for place, member in enumerate(system.members):
            low[member] = _end(system, place, -1)
            high[member] = _end(system, place, 1)
        programs += system.programs
    return Intervals(cells, low, high, programs)


def at_least(
    cube: Cube, suppressed: np.ndarray, floor: np.ndarray, want_low: np.ndarray, want_high: np.ndarray
) -> Intervals:
    """Intervals that are only as wide as was found on the way to `want_low` and `want_high` (NaN: not asked).

    The true values must be in `cube`. Far fewer programs than `intervals`; enough to prove protection levels.
    """
    cells = np.flatnonzero(suppressed)
    low, high, programs = cube.values.ravel()[cells], cube.values.ravel()[cells], 0
    for system in systems(cube, suppressed, floor):
        own = cells[system.members]
        system.seen_low, system.seen_high = low[system.members], high[system.members]
        system.reached(want_high.ravel()[own], 1)
        system.reached(want_low.ravel()[own], -1)
        low[system.members], high[system.members] = system.seen_low, system.seen_high
        programs += system.programs
    return Intervals(cells, low, high, programs, exact=False)


def alone(cube: Cube, cells: np.ndarray, floor: np.ndarray) -> System:
    """A system in which only `cells` are in doubt and the reader knows all others; for true values in `cube`."""
    lines = cube.lines(cells).tocsr()
    lines = lines[np.flatnonzero(np.diff(lines.indptr))]
    values = cube.values.ravel()[cells]
    endless = np.full(len(cells), np.inf)
    return System(
        np.arange(len(cells)), lines, lines @ values, floor.ravel()[cells], endless, values.copy(), values.copy(), False
    )


def _sweep(system: System) -> None:
    """Push cells that share no line to their bounds together, as long as that settles enough of them at once."""
    by_cell = system.lines.tocsc()
    of_cell = np.split(by_cell.indices, by_cell.indptr[1:-1])
    for sign in (1, -1):
        bound = system.ceiling if sign > 0 else system.floor
        open_ = ~system.seen(bound, sign) & np.isfinite(bound)
        while open_.sum() > 1:
            taken: set[int] = set()
            batch = []
            for place in np.flatnonzero(open_):
                if taken.isdisjoint(of_cell[place]):
                    taken.update(of_cell[place])
                    batch.append(place)
            direction = np.zeros(len(open_))
            direction[batch] = sign
            system.solve(direction, system.floor, system.ceiling)
            settled = system.seen(bound, sign)
            poor = settled[batch].mean() < _WORTHWHILE
            open_ &= ~settled
            open_[batch] = False  # what this round did not settle is left for a program of its own
            if poor:
                break


def _end(system: System, place: int, sign: int) -> float:
    """One end of an interval; without a program when a table seen before reaches the bound that the lines give."""
    bound = float((system.floor if sign < 0 else system.ceiling)[place])
    seen = float((system.seen_low if sign < 0 else system.seen_high)[place])
    return bound if abs(bound - seen) <= system.slack else system.extreme(place, sign)


def systems(
    cube: Cube, suppressed: np.ndarray, floor: np.ndarray | float = 0.0, *, integer: bool = False
) -> Iterator[System]:
    """The components of the suppressed cells, bounds tightened by the lines; `members` index the suppressed cells."""
    cells = np.flatnonzero(suppressed)
    lines = cube.lines(cells).tocsr()
    everything = cube.lines(np.arange(cube.values.size)).tocsr()
    known = np.where(suppressed, 0.0, cube.values).ravel()
    sums = -(everything @ known)
    _refuse_unequal(lines, sums, known)
    floors = np.broadcast_to(np.asarray(floor, dtype=float), cube.shape).ravel()[cells]
    for members in _components(lines):
        part = lines[:, members]
        used = np.flatnonzero(np.diff(part.indptr))
        part, own = part[used], sums[used]
        low, high = _tightened(part, own, floors[members].copy())
        if np.any(low > high + TOLERANCE * np.maximum(1.0, np.abs(low))):
            raise inconsistent()
        unseen = np.full(len(members), np.inf)
        yield System(members, part, own, low, np.maximum(high, low), unseen, -unseen, integer)


def _components(lines: csr_array) -> Iterator[np.ndarray]:
    count = lines.shape[1]
    if not count:
        return
    bond = coo_array(abs(lines))
    size = count + lines.shape[0]
    graph = coo_array((bond.data, (bond.coords[0] + count, bond.coords[1])), shape=(size, size))
    _, names = connected_components(graph, directed=False)
    order = np.argsort(names[:count], kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(names[:count][order])) + 1)


def _tightened(lines: csr_array, sums: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds that the lines force, one line at a time, repeated until nothing moves: valid for every fitting table."""
    high = np.full(len(low), np.inf)
    entry = lines.tocoo()
    row, column, sign = entry.coords[0], entry.coords[1], entry.data
    for _ in range(_ROUNDS):
        most = np.where(sign > 0, high[column], -low[column])  # the greatest that sign * x can be
        least = np.where(sign > 0, low[column], -high[column])
        before = (low.copy(), high.copy())
        upper = sums[row] - _others(row, least, len(sums))
        lower = sums[row] - _others(row, most, len(sums))
        np.minimum.at(high, column, np.where(sign > 0, upper, -lower))
        np.maximum.at(low, column, np.where(sign > 0, lower, -upper))
        if np.array_equal(before[0], low) and np.array_equal(before[1], high):
            break
    return low, high


def _others(row: np.ndarray, terms: np.ndarray, count: int) -> np.ndarray:
    """For each entry, the sum of the other entries of its line; infinite only if one of those is."""
    endless = np.isinf(terms)
    finite = np.where(endless, 0.0, terms)
    total, many = np.bincount(row, finite, count), np.bincount(row, endless, count)
    sign = np.bincount(row, np.where(endless, np.sign(terms), 0), count)
    rest = total[row] - finite
    return np.where(many[row] - endless > 0, np.where(sign[row] > 0, np.inf, -np.inf), rest)


def _refuse_unequal(lines: csr_array, sums: np.ndarray, known: np.ndarray) -> None:
    """Lines with nothing suppressed must add up."""
    full = np.diff(lines.indptr) == 0
    if np.any(np.abs(sums[full]) > TOLERANCE * max(1.0, float(np.abs(known).max(initial=0)))):
        raise inconsistent()


def inconsistent() -> Problem:
    """No table fits what is published."""
    return Problem(
        "cells-inconsistent",
        422,
        what=Text("The published sums contradict each other.", "公布之合計互相矛盾。"),
        why=Text("No table fits all published cells and totals.", "沒有任何表能同時符合所有公布之格與合計。"),
        todo=Text(
            "Check the totals; a table rounded cell by cell cannot be audited this way.",
            "請檢查合計；逐格四捨五入之表無法以此法稽核。",
        ),
    )


def _unsolved(message: str) -> Problem:
    return invalid(f"A linear program was not solved: {message}", f"線性規劃未能求解：{message}")
