"""Which cells tell too much about somebody, and how wide a doubt must stay around each.

Threshold: fewer than `threshold` units stand behind the cell. Dominance (n, k): the n largest make up more than k % of
it. p %: the second largest could estimate the largest to within p %, that is total - x1 - x2 < p/100 * x1. The p % rule
contains what (1, k) is meant for and is the better one for sums (Hundepool et al. 2012, 4.2.1, 4.2.2).
"""

from __future__ import annotations

from dataclasses import dataclass

from smartgov.engines.deid.cells.cube import Tabulated
from smartgov.engines.deid.installed import analysis
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np

# Sums guarded by the threshold alone: the doubt around them, as a share of the value.
SAFETY_RANGE = 0.2


@dataclass(frozen=True, slots=True)
class Rules:
    """A cell is sensitive when any of them says so. `dominance` is (n, k per cent), `p` per cent."""

    threshold: int | None = 5
    dominance: tuple[int, float] | None = None
    p: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is None and self.dominance is None and self.p is None:
            raise _strange("No rule is given.", "未設定任何規則。")
        if self.threshold is not None and self.threshold < 2:
            raise _strange("A threshold is at least 2.", "門檻至少為 2。")
        if self.dominance is not None and not (self.dominance[0] >= 1 and 0 < self.dominance[1] < 100):
            raise _strange(
                "Dominance is n from 1 up and k between 0 and 100.", "優勢規則之 n 須至少 1，k 介於 0 與 100。"
            )
        if self.p is not None and not 0 < self.p < 100:
            raise _strange("p lies between 0 and 100.", "p 須介於 0 與 100。")

    @property
    def top(self) -> int:
        """How many largest contributions the rules look at."""
        return max(2, self.dominance[0] if self.dominance else 0)


@dataclass(frozen=True, slots=True, eq=False)
class Primary:
    """Sensitive cells and their protection levels.

    A reader must not be able to show that the value is above `value - lower`, nor that it is below `value + upper`.
    """

    mask: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def primary(tabulated: Tabulated, rules: Rules) -> Primary:
    """The sensitive cells of a table; empty cells (nobody behind them) are not sensitive.

    Counts: the feasible interval must reach from below the value (or 1) up to the threshold, so that nobody can show
    that the cell is small, or how small. Sums: the levels of p % and dominance are those that make the rule just hold.
    """
    if tabulated.counts and (rules.dominance or rules.p):
        raise _strange(
            "Dominance and p % are rules for sums, not for counts.", "優勢與 p% 規則適用於加總，不適用於計數。"
        )
    values, people = tabulated.cube.values, tabulated.contributors
    mask = np.zeros(values.shape, dtype=bool)
    lower, upper = np.zeros(values.shape), np.zeros(values.shape)
    if rules.threshold is not None:
        small = (people > 0) & (people < rules.threshold)
        mask |= small
        if tabulated.counts:
            upper[small] = rules.threshold - values[small]
            lower[small] = np.minimum(1, values[small] - 1)
        else:
            upper[small] = lower[small] = SAFETY_RANGE * values[small]
    if tabulated.largest is not None:
        for need in _concentration(values, tabulated.largest, rules):
            told = (need > 0) & (people > 0)
            mask |= told
            upper[told] = np.maximum(upper[told], need[told])
            lower[told] = np.maximum(lower[told], np.minimum(need, values)[told])
    return Primary(mask, lower, upper)


def _concentration(values: np.ndarray, largest: np.ndarray, rules: Rules) -> list[np.ndarray]:
    """For each rule on sums, how much wider the total would have to be for the rule to hold (above 0: sensitive)."""
    needs = []
    if rules.p is not None:
        needs.append(rules.p / 100 * largest[..., 0] - (values - largest[..., 0] - largest[..., 1]))
    if rules.dominance is not None:
        n, k = rules.dominance
        needs.append(largest[..., :n].sum(axis=-1) * 100 / k - values)
    # Sums of floats: what is below a billionth of the value is rounding, not concentration.
    return [np.where(need > 1e-9 * np.maximum(values, 1), need, 0) for need in needs]


def _strange(why_en: str, why_zh: str) -> Problem:
    return Problem(
        "cells-rules-invalid",
        422,
        what=Text("These rules cannot be used.", "這些規則無法使用。"),
        why=Text(why_en, why_zh),
        todo=Text("Give at least one rule that suits the table.", "請至少提供一條適用於此表之規則。"),
    )
