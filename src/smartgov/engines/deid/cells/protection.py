"""Suppression of one table from beginning to end: sensitive cells, their cover, and the proof that it holds."""

from __future__ import annotations

from dataclasses import dataclass
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
            "narrowest_interval": float(width.min(initial=np.inf)) if len(width) else None,
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
    progress: Progress | None = None,
) -> Suppressed:
    """Suppress sensitive cells and enough others, then prove by linear programs that every level holds.

    `zeros_known`: empty cells are always published, so a reader knows that a suppressed count is at least 1; otherwise
    they may serve as cover. `insiders`: hold also against all those together who are alone in their cell.
    `keep_totals`: never use a total as cover. The grand total is always published unless it is itself sensitive.
    Problem `cells-unprotectable` when there is no cover; `cells-unproven`, and no table, when the proof fails.
    """
    cube, sensitive = tabulated.cube, primary(tabulated, rules)
    floor = reader_floor(tabulated, zeros_known)
    alone = sensitive.mask & (tabulated.contributors == 1) if insiders else np.zeros(cube.shape, dtype=bool)
    chooser = Chooser(cube, sensitive, _price(cube, zeros_known, keep_totals), cube.values - floor, alone)
    complementary = chooser.choose(progress) if sensitive.mask.any() else np.zeros(cube.shape, dtype=bool)
    mask = sensitive.mask | complementary
    feasible = reader.intervals(cube, mask, floor)
    _refuse_narrow(cube, sensitive, feasible)
    programs = feasible.programs
    if alone.any():
        programs += _held_against_insiders(cube, sensitive, mask, alone, floor)
    return Suppressed(cube, sensitive, complementary, feasible, insiders, programs)


def reader_floor(tabulated: Tabulated, zeros_known: bool) -> np.ndarray:
    """The least that a reader must grant a suppressed cell."""
    if tabulated.counts and zeros_known:
        return np.minimum(tabulated.cube.values, 1.0)
    return np.zeros(tabulated.cube.shape)


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
    return price


def _refuse_narrow(cube: Cube, sensitive: Primary, feasible: reader.Intervals) -> None:
    value, upper, lower = (a.ravel()[feasible.cells] for a in (cube.values, sensitive.upper, sensitive.lower))
    told = sensitive.mask.ravel()[feasible.cells]
    slack = reader.TOLERANCE * np.maximum(1.0, value)
    narrow = told & ((feasible.high < value + upper - slack) | (feasible.low > value - lower + slack))
    if narrow.any():
        raise unproven(cube.place(int(feasible.cells[np.argmax(narrow)])))


def _held_against_insiders(
    cube: Cube, sensitive: Primary, mask: np.ndarray, alone: np.ndarray, floor: np.ndarray
) -> int:
    """All who are alone in a cell pool what they know: the other cells' levels still hold. Returns programs solved."""
    programs = 0
    for system in reader.systems(cube, mask & ~alone, floor):
        cells = np.flatnonzero(mask & ~alone)[system.members]
        programs += _reached(system, cells, cube, sensitive)
    for system in reader.systems(cube, mask, floor):
        cells = np.flatnonzero(mask)[system.members]
        values, single = cube.values.ravel()[cells], alone.ravel()[cells]
        for place in np.flatnonzero(single):
            known = single.copy()
            known[place] = False
            low, high = np.where(known, values, system.floor), np.where(known, values, system.ceiling)
            _refuse_single(system, int(place), int(cells[place]), (low, high), cube, sensitive)
        programs += system.programs
    return programs


def _reached(system: reader.System, cells: np.ndarray, cube: Cube, sensitive: Primary) -> int:
    told = sensitive.mask.ravel()[cells]
    value, upper, lower = (a.ravel()[cells] for a in (cube.values, sensitive.upper, sensitive.lower))
    for want, sign in ((value + upper, 1), (value - lower, -1)):
        short = told & ~system.reached(np.where(told, want, np.nan), sign)
        if short.any():
            raise unproven(cube.place(int(cells[np.argmax(short)])))
    return system.programs


def _refuse_single(
    system: reader.System,
    place: int,
    cell: int,
    bounds: tuple[np.ndarray, np.ndarray],
    cube: Cube,
    sensitive: Primary,
) -> None:
    for level, sign in ((sensitive.upper, 1), (sensitive.lower, -1)):
        need = float(level.ravel()[cell])
        if need <= 0:
            continue
        direction = np.zeros(len(system.members))
        direction[place] = sign
        table = system.solve(direction, *bounds)
        if table is None or sign * (table[place] - cube.values.ravel()[cell]) < need - system.slack:
            raise unproven(cube.place(cell))


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
