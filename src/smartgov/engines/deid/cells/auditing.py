"""Auditing a suppressed table, whoever made it: what can a reader work out about the cells that were left out?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smartgov.engines.deid.cells.cube import MOST_DIMENSIONS, TOTAL, Cube, invalid
from smartgov.engines.deid.cells.feasible import TOLERANCE, intervals
from smartgov.engines.deid.installed import analysis
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    import pyarrow as pa

MARKS = ("", "x", "X", "*", "**", "-", "–", "—", "…", "...", ":", "c", "C", "(D)", "D", "s")


@dataclass(frozen=True, slots=True)
class Finding:
    """A suppressed cell that tells too much. `kind`: exact (its value is known), small (it is shown to lie below the
    threshold) or narrow (its interval is narrower than asked)."""

    place: dict[str, str]
    kind: str
    low: float
    high: float

    @property
    def sentence(self) -> Text:
        """What a reader can work out, in both languages."""
        where = "、".join(self.place.values())
        if self.kind == "exact":
            return Text(f"{where}: can only be {self.low:g}.", f"{where}：只可能是 {self.low:g}。")
        return Text(
            f"{where}: lies between {self.low:g} and {self.high:g}.", f"{where}：介於 {self.low:g} 與 {self.high:g}。"
        )


def read_published(
    table: pa.Table, by: Sequence[str], *, value: str = "value", total: str = TOTAL
) -> tuple[Cube, np.ndarray]:
    """A published table, one row a cell, and the mask of what was left out (NULL or one of MARKS).

    A dimension has a margin when the label `total` occurs in it. Fails closed (Problem `cells-invalid`): every
    combination of labels must be there once, and every value be a number from 0 up or a mark.
    """
    if not 1 <= len(by) <= MOST_DIMENSIONS or not {*by, value} <= set(table.column_names):
        raise invalid("The columns named are not in the table.", "表中沒有所指名之欄位。")
    columns = [[str(entry) for entry in table[name].to_pylist()] for name in by]
    seen = [list(dict.fromkeys(column)) for column in columns]
    labels = tuple(tuple(sorted(column, key=lambda label: label == total)) for column in seen)
    shape = tuple(len(column) for column in labels)
    places = [
        np.array([column.index(entry) for entry in entries]) for column, entries in zip(labels, columns, strict=True)
    ]
    flat = np.ravel_multi_index(tuple(places), shape) if table.num_rows else np.zeros(0, dtype=np.int64)
    if len(flat) != np.prod(shape) or len(np.unique(flat)) != len(flat):
        raise invalid("A combination of labels is absent or appears twice.", "有標籤組合缺漏或重複。")
    values = np.zeros(len(flat))
    values[flat] = [_number(entry) for entry in table[value].to_pylist()]
    margins = tuple(total in column for column in labels)
    cube = Cube(tuple(by), labels, margins, values.reshape(shape))
    return cube, np.isnan(cube.values)


def audit(
    cube: Cube,
    suppressed: np.ndarray,
    *,
    threshold: float | None = None,
    width: float | None = None,
    floor: float = 0.0,
    counts: bool = True,
    integer: bool = False,
) -> list[Finding]:
    """What a reader works out who grants every suppressed cell at least `floor`; an empty list is a good table.

    Counts are taken as whole numbers. `integer` solves integer programs (see `feasible`), which matters in three
    dimensions only. Problem `cells-inconsistent` when the published sums contradict each other.
    """
    found = intervals(cube, suppressed, floor, integer=integer)
    slack = TOLERANCE * np.maximum(1.0, np.where(np.isfinite(found.high), found.high, 1.0))
    low, high = found.low, found.high
    if counts:
        low, high = np.ceil(low - slack), np.floor(high + slack)
    findings = []
    for cell, least, most, near in zip(found.cells, low, high, slack, strict=True):
        if most - least <= (0 if counts else near):
            kind = "exact"
        elif threshold is not None and most < threshold:
            kind = "small"
        elif width is not None and most - least < width:
            kind = "narrow"
        else:
            continue
        findings.append(Finding(cube.place(int(cell)), kind, float(least), float(most)))
    return findings


def _number(entry: object) -> float:
    if entry is None or (isinstance(entry, str) and entry.strip() in MARKS):
        return float("nan")
    try:
        number = float(str(entry).replace(",", ""))
    except ValueError:
        raise invalid(f"{entry!r} is neither a number nor a mark.", f"{entry!r} 既非數字亦非抑制符號。") from None
    if not 0 <= number < float("inf"):
        raise invalid("Values must be numbers from 0 up.", "值須為 0 以上之數字。")
    return number
