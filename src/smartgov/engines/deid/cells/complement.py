"""Which further cells must go so that the sensitive ones cannot be worked out from the sums.

For each sensitive cell a cheapest hypercube is sought (Giessing & Repsilber 2002): cells at every combination of its
own and one other position in each dimension. Raising the cell by d and the corners by d or -d in turn leaves all sums
as published; so each corner need only hold enough, and the cell is in doubt by d. Corners already suppressed cost
nothing. A total serves as a position like any other (its sign is opposite). Afterwards each cell gives its cube back
and looks for a cheaper one among what the others need, until nothing improves. Where no cube exists, a linear program
finds the cheapest change of any shape (Kelly, Golden & Assad 1992).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from smartgov.engines.deid.cells.cube import Cube
from smartgov.engines.deid.cells.sensitive import Primary
from smartgov.engines.deid.installed import analysis
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack

TOTAL_PRICE = 30.0  # a total is worth that many inner cells, in each dimension
PASSES = 4
_HELD = 1e-9
_SUPPRESSED_PRICE = 1e-4

Progress = Callable[[int, int], None]


@dataclass(slots=True, eq=False)
class Chooser:
    """The state of a choice: how many sensitive cells need each cell.

    `price` is infinite for cells that are always published; `spare` is how far each may fall in the reader's eyes;
    `insiders` numbers the units that are alone in a cell (0: no such cell): they know it, so no cell in which they do
    not stand may rest on its doubt.
    """

    cube: Cube
    primary: Primary
    price: np.ndarray
    spare: np.ndarray
    insiders: np.ndarray
    needed: np.ndarray = field(init=False)
    held: dict[int, np.ndarray] = field(init=False, default_factory=dict)
    _lines: csr_array | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.needed = np.zeros(self.cube.values.size, dtype=np.int64)

    def choose(self, progress: Progress | None = None) -> np.ndarray:
        """The cells to suppress besides the sensitive ones, as a mask."""
        order = np.argsort(-np.maximum(self.primary.upper, self.primary.lower).ravel(), kind="stable")
        cells = [int(cell) for cell in order if self.primary.mask.ravel()[cell]]
        cost = np.inf
        for turn in range(PASSES):
            for done, cell in enumerate(cells, 1):
                self._settle(cell)
                if progress and done % 50 == 0:
                    progress(turn * len(cells) + done, PASSES * len(cells))
            before, cost = cost, float(self.price.ravel()[self._extra()].sum())
            if cost >= before:
                break
        return self._extra().reshape(self.cube.shape)

    def _extra(self) -> np.ndarray:
        extra: np.ndarray = (self.needed > 0) & ~self.primary.mask.ravel()
        return extra

    def _settle(self, cell: int) -> None:
        """Give back what the cell held and take the cheapest that protects it now."""
        if (old := self.held.pop(cell, None)) is not None:
            self.needed[old] -= 1
        new = np.unique(np.concatenate(list(self._found(cell))))
        self.needed[new] += 1
        self.held[cell] = new

    def _found(self, cell: int) -> Iterator[np.ndarray]:
        up, down = (float(level.ravel()[cell]) for level in (self.primary.upper, self.primary.lower))
        price = np.where((self.needed > 0).reshape(self.cube.shape) | self.primary.mask, 0.0, self.price)
        price = np.where(self.strangers(cell), np.inf, price)
        both = self._cube(cell, up, down, price)
        if both is not None:
            yield both
            return
        for rise, fall in ((up, 0.0), (0.0, down)):
            if rise or fall:
                one = self._cube(cell, rise, fall, price)
                yield self._routed(cell, rise, fall, price) if one is None else one

    def strangers(self, cell: int) -> np.ndarray:
        """The cells known to insiders who do not themselves stand in `cell`."""
        own = self.standing(cell)
        alone: np.ndarray = self.insiders > 0
        return alone & ~np.isin(self.insiders, own) if len(own) else alone

    def standing(self, cell: int) -> np.ndarray:
        """The insiders who stand in a cell: those alone in it, or alone in a cell that it sums over."""
        here = np.unravel_index(cell, self.cube.shape)
        below = tuple(
            slice(None) if margin and place == size - 1 else slice(int(place), int(place) + 1)
            for place, size, margin in zip(here, self.cube.shape, self.cube.margins, strict=True)
        )
        found = self.insiders[below]
        return np.unique(found[found > 0])

    def _cube(self, cell: int, up: float, down: float, price: np.ndarray) -> np.ndarray | None:
        """The cheapest hypercube around the cell along which it can rise by `up` and fall by `down`, or None."""
        here = np.unravel_index(cell, self.cube.shape)
        axes = [k for k, margin in enumerate(self.cube.margins) if margin]
        cost: np.ndarray | float = 0.0
        for corner in product((False, True), repeat=len(axes)):
            if any(corner):
                moved = [axis for axis, away in zip(axes, corner, strict=True) if away]
                cost = cost + self._corner(here, moved, up, down, price)
        cost = np.array(np.broadcast_to(cost, self._freed(axes)))
        for axis in axes:
            cost[tuple(here[axis] if k == axis else slice(None) for k in range(cost.ndim))] = np.inf
        best = int(np.argmin(cost))
        if not np.isfinite(cost.flat[best]):
            return None
        there = np.unravel_index(best, cost.shape)
        corners = [
            [
                there[k] if away else here[k]
                for k, away in zip(range(cost.ndim), self._spread(axes, corner), strict=True)
            ]
            for corner in product((False, True), repeat=len(axes))
            if any(corner)
        ]
        return np.asarray(np.ravel_multi_index(tuple(np.array(corners).T), self.cube.shape))

    def _corner(self, here: tuple[Any, ...], moved: list[int], up: float, down: float, price: np.ndarray) -> np.ndarray:
        """What the corner away along `moved` costs at every position: infinite where it cannot give way far enough."""
        part = tuple(slice(None) if k in moved else slice(int(h), int(h) + 1) for k, h in enumerate(here))
        sign: np.ndarray | float = 1.0
        for axis in moved:
            last = self.cube.shape[axis] - 1
            along = np.full(last + 1, 1.0 if here[axis] == last else -1.0)
            along[last] = 1.0  # an inner cell and its line's total rise together, two inner cells against each other
            sign = sign * along.reshape([-1 if k == axis else 1 for k in range(len(here))])
        fall = np.where(sign < 0, up, down)
        # Positions along the dimension beside the cell's own value are excluded by the caller.
        return np.where(self.spare[part] + _HELD >= fall, price[part], np.inf)

    def _freed(self, axes: list[int]) -> tuple[int, ...]:
        return tuple(size if k in axes else 1 for k, size in enumerate(self.cube.shape))

    def _spread(self, axes: list[int], corner: tuple[bool, ...]) -> list[bool]:
        away = dict(zip(axes, corner, strict=True))
        return [away.get(k, False) for k in range(len(self.cube.shape))]

    def _routed(self, cell: int, up: float, down: float, price: np.ndarray) -> np.ndarray:
        """The cheapest change of any shape that raises the cell by `up` (or lowers it by `down`), by one program."""
        flat = np.maximum(price.ravel(), _SUPPRESSED_PRICE)
        flat[cell] = 0.0
        free = np.flatnonzero(np.isfinite(flat))
        own = int(np.searchsorted(free, cell))
        if self._lines is None:
            self._lines = self.cube.lines(np.arange(self.cube.values.size)).tocsc()
        part = self._lines[:, free]
        rise, fall = np.full(len(free), np.inf), self.spare.ravel()[free].copy()
        low = np.zeros(2 * len(free))
        rise[own], fall[own] = up, down
        low[own], low[len(free) + own] = up, down
        done = linprog(
            np.tile(flat[free], 2),
            A_eq=hstack([part, -part]),
            b_eq=np.zeros(part.shape[0]),
            bounds=np.column_stack([low, np.concatenate([rise, fall])]),
            method="highs",
        )
        if done.status != 0:
            raise _unprotectable(self.cube.place(cell))
        moved = np.abs(done.x[: len(free)] - done.x[len(free) :]) > 1e-7 * max(up, down)
        moved[own] = False
        return np.asarray(free[moved])


def _unprotectable(place: dict[str, str]) -> Problem:
    where = ", ".join(f"{name} {label}" for name, label in place.items())
    return Problem(
        "cells-unprotectable",
        422,
        what=Text("The table cannot be protected by leaving out cells.", "此表無法以抑制方式保護。"),
        why=Text(f"Nothing else in the table can hide this cell: {where}.", f"表中沒有其他格能掩護此格：{where}。"),
        todo=Text("Merge categories, or let totals be left out too.", "請合併類別，或允許合計亦得抑制。"),
        cell=place,
    )
