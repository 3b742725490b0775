"""Suppression of one table from beginning to end: sensitive cells, their cover, and the proof that it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from smartgov.engines.deid.cells import feasible as reader
from smartgov.engines.deid.cells.complement import TOTAL_PRICE, Chooser, Progress
from smartgov.engines.deid.cells.cube import Cube, Tabulated
from smartgov.engines.deid.cells.sensitive import Primary, Rules, primary
from smartgov.engines.deid.installed import analysis
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    import pyarrow as pa
    from scipy.sparse.csgraph import connected_components

EXACT_UP_TO = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Suppressed:
    """A table that may be published, and why.

    `feasible` is what any reader can work out about each suppressed cell; `insiders` says whether the levels hold, too,
    against those who know their own cell because they are alone in it. `primary` and the levels stay in the house.
    """

    cube: Cube
    primary: Primary
    complementary: np.ndarray
    feasible: reader.Intervals
    insiders: bool
    programs: int

    @property
    def mask(self) -> np.ndarray:
        """All cells that are not published."""
        mask: np.ndarray = self.primary.mask | self.complementary
        return mask

    def table(self, value: str = "value") -> pa.Table:
        """The table to publish, one row a cell: labels, `value` (NULL where suppressed), `suppressed`.

        Whether a cell is sensitive or only cover is not in it: that would narrow the doubt.
        """
        hidden = self.mask.ravel()
        amounts = self.cube.values.ravel()
        if np.all(amounts == np.round(amounts)):
            amounts = amounts.astype(np.int64)
        return pa.table({**self.cube.columns(), value: pa.array(amounts, mask=hidden), "suppressed": pa.array(hidden)})

    def evidence(self) -> dict[str, Any]:
        """Figures for the evidence pack; no value and no place of a sensitive cell is in it."""
        width = self.feasible.high - self.feasible.low
        return {
            "cells": int(self.cube.values.size),
            "primary": int(self.primary.mask.sum()),
            "complementary": int(self.complementary.sum()),
            "totals_suppressed": int((self.mask & (self.cube.is_total() > 0)).sum()),
            "narrowest_interval": float(width.min()) if len(width) else None,
            "intervals_exact": self.feasible.exact,
            "held_against_insiders": self.insiders,
            "linear_programs": self.programs,
        }


def suppress(
    tabulated: Tabulated,
    rules: Rules,
    *,
    zeros_known: bool = True,
    insiders: bool = True,
    keep_totals: bool = False,
    exact: bool | None = None,
    progress: Progress | None = None,
) -> Suppressed:
    """Suppress sensitive cells and enough others, then prove by linear programs that every level holds.

    `zeros_known`: empty cells are always published, so a reader knows that a suppressed count is at least 1; otherwise
    they may serve as cover. `insiders`: cells hold also against all outside them who are alone in a cell, together.
    `keep_totals`: never use a total as cover. The grand total is always published unless it is itself sensitive.
    `exact`: work out the whole interval of each suppressed cell (None: when there are at most EXACT_UP_TO of them),
    or only show that every level is reached, which takes far fewer programs.
    Problem `cells-unprotectable` when there is no cover; `cells-unproven`, and no table, when the proof fails.
    """
    cube, sensitive = tabulated.cube, primary(tabulated, rules)
    floor = reader_floor(tabulated, zeros_known)
    # Where published zeros alone show that a value is not lower, no cover can hide it.
    sensitive = replace(sensitive, lower=np.minimum(sensitive.lower, cube.values - floor))
    alone = _alone(tabulated) * sensitive.mask if insiders else np.zeros(cube.shape, dtype=np.int64)
    chooser = Chooser(cube, sensitive, _price(cube, zeros_known, keep_totals), cube.values - floor, alone)
    complementary = chooser.choose(progress) if sensitive.mask.any() else np.zeros(cube.shape, dtype=bool)
    mask = sensitive.mask | complementary
    if exact if exact is not None else mask.sum() <= EXACT_UP_TO:
        feasible = reader.intervals(cube, mask, floor)
    else:
        feasible = reader.at_least(cube, mask, floor, *_wanted(cube, sensitive))
    _refuse_narrow(cube, sensitive, feasible)
    programs = feasible.programs
    if alone.any():
        programs += _held_against_insiders(chooser, mask, floor)
    return Suppressed(cube, sensitive, complementary, feasible, insiders, programs)


def reader_floor(tabulated: Tabulated, zeros_known: bool) -> np.ndarray:
    """The least that a reader must grant a cell: for counts beside published zeros, one for each inner cell in it."""
    shape = tabulated.cube.shape
    floor = np.zeros(shape)
    if tabulated.counts and zeros_known:
        inner = tuple(slice(0, size - 1) for size in shape)
        floor[inner] = np.minimum(tabulated.cube.values[inner], 1.0)
        for axis in range(len(shape)):
            total = tuple(slice(-1, None) if k == axis else slice(None) for k in range(len(shape)))
            floor[total] = floor.sum(axis=axis, keepdims=True)
    return floor


def _alone(tabulated: Tabulated) -> np.ndarray:
    """A number from 1 up for each cell with a single unit behind it, the same where it is the same unit; 0 elsewhere.

    Two such cells are one unit's when they lie on a line whose total has one unit, too.
    """
    cube = tabulated.cube
    single = np.flatnonzero(tabulated.contributors == 1)
    lines = cube.lines(single).tocsr()
    totals = np.zeros(lines.shape[0], dtype=bool)
    entry = lines.tocoo()
    totals[entry.coords[0][entry.data < 0]] = True
    shared = abs(lines[np.flatnonzero(totals)])
    _, names = connected_components(shared.T @ shared, directed=False)
    number = np.zeros(cube.values.size, dtype=np.int64)
    number[single] = names + 1
    return np.asarray(number.reshape(cube.shape))


def _price(cube: Cube, zeros_known: bool, keep_totals: bool) -> np.ndarray:
    """What it costs to leave a cell out: mostly that it is one, a little how much it tells, much if it is a total."""
    depth = cube.is_total()
    most = np.log1p(cube.values.max(initial=1.0))
    price = (1 + np.log1p(cube.values) / most) * TOTAL_PRICE**depth
    if zeros_known:
        price[cube.values == 0] = np.inf
    price[depth == len(cube.shape)] = np.inf
    if keep_totals:
        price[depth > 0] = np.inf
    return np.asarray(price)


def _refuse_narrow(cube: Cube, sensitive: Primary, feasible: reader.Intervals) -> None:
    told = sensitive.mask.ravel()[feasible.cells]
    low, high = (level.ravel()[feasible.cells] for level in _wanted(cube, sensitive))
    slack = reader.TOLERANCE * np.maximum(1.0, cube.values.ravel()[feasible.cells])
    narrow = told & ((feasible.high < high - slack) | (feasible.low > low + slack))
    if narrow.any():
        raise unproven(cube.place(int(feasible.cells[np.argmax(narrow)])))


def _wanted(cube: Cube, sensitive: Primary) -> tuple[np.ndarray, np.ndarray]:
    """How far down and up each sensitive cell must be in doubt; NaN for the others."""
    low = np.where(sensitive.mask, cube.values - sensitive.lower, np.nan)
    high = np.where(sensitive.mask, cube.values + sensitive.upper, np.nan)
    return low, high


def _held_against_insiders(chooser: Chooser, mask: np.ndarray, floor: np.ndarray) -> int:
    """All who are alone in a cell pool what they know: the levels of cells without them still hold. Counts programs."""
    cube, sensitive = chooser.cube, chooser.primary
    low, high = _wanted(cube, sensitive)
    own = [int(cell) for cell in np.flatnonzero(sensitive.mask) if len(chooser.standing(int(cell)))]
    others = np.ones(cube.values.size, dtype=bool)
    others[own] = False
    without = replace(sensitive, mask=sensitive.mask & others.reshape(cube.shape))
    found = reader.at_least(cube, mask & (chooser.insiders == 0), floor, *_wanted(cube, without))
    _refuse_narrow(cube, without, found)
    programs = found.programs
    for cell in own:
        everything = np.flatnonzero(mask & ~chooser.strangers(cell))
        # Its own cover nearly always suffices, and is a program of a few columns.
        for doubtful in (chooser.held[cell], everything):
            if used := _in_doubt(cube, cell, doubtful, (low, high), floor):
                programs += used
                break
        else:
            raise unproven(cube.place(cell))
    return programs


def _in_doubt(
    cube: Cube, cell: int, cover: np.ndarray, wanted: tuple[np.ndarray, np.ndarray], floor: np.ndarray
) -> int:
    """Whether a cell reaches its levels by moving `cover` alone; the programs it took, or 0 when it does not."""
    cells = np.unique(np.append(cover, cell))
    system = reader.alone(cube, cells, floor)
    asked = cells == cell
    low, high = (np.where(asked, level.ravel()[cells], np.nan) for level in wanted)
    held = system.reached(high, 1)[asked].all() and system.reached(low, -1)[asked].all()
    return max(system.programs, 1) if held else 0


def unproven(place: dict[str, str]) -> Problem:
    """The proof failed: a cell could be worked out more closely than allowed."""
    where = ", ".join(f"{name} {label}" for name, label in place.items())
    return Problem(
        "cells-unproven",
        409,
        what=Text("The table is not protected; nothing is released.", "此表未受保護，不予釋出。"),
        why=Text(f"A cell can be worked out too closely: {where}.", f"有一格可被推算得過近：{where}。"),
        todo=Text("Merge categories, or report this table to the maintainers.", "請合併類別，或回報此表。"),
        cell=place,
    )
