"""Generalisation hierarchies: what a value becomes at each level, checked before anything is searched.

A hierarchy is a table: one row a value, first column the value itself, each further column the value more coarsely.
It has to be *nested*: two values that are one at a level stay one above it. ARX refuses a hierarchy that is not, and so
do we, because sizes would not add up from level to level and a search over it would prove nothing.

Levels are held as integer codes. Values are put in an order in which every group of every level is a run of neighbours,
so that generalising a table of counts is adding up slices.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from smartgov.engines.deid.installed import analysis
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    from numpy.typing import NDArray

ALL = "*"
"""What a fully generalised or suppressed value is written as."""
MOST_VALUES = 1 << 20
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Hierarchy:
    """The hierarchy of attribute `name`: `rows[i][l]` is what value `i` becomes at level `l`; level 0 is the value."""

    name: str
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        _check_shape(self.name, self.rows)
        _check_nesting(self.name, self.rows)

    @property
    def height(self) -> int:
        """The highest level; level 0 changes nothing."""
        return len(self.rows[0]) - 1

    @property
    def levels(self) -> int:
        """How many levels there are, the original one included."""
        return len(self.rows[0])

    @cached_property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """For each level the generalised values in the order of their codes."""
        return tuple(tuple(dict.fromkeys(row[level] for row in self.rows)) for level in range(self.levels))

    @cached_property
    def codes(self) -> tuple[Codes, ...]:
        """For each level the code of each value at that level, by the value's own code (its place in `rows`)."""
        found = []
        for level, labels in enumerate(self.labels):
            place = {label: code for code, label in enumerate(labels)}
            found.append(np.array([place[row[level]] for row in self.rows], dtype=np.int64))
        return tuple(found)

    def size(self, level: int) -> int:
        """How many values there are at `level`."""
        return len(self.labels[level])

    def step(self, low: int, high: int) -> Codes:
        """From codes at level `low` to codes at level `high`: an array as long as level `low` has values."""
        step = np.zeros(self.size(low), dtype=np.int64)
        step[self.codes[low]] = self.codes[high]
        return step

    @cached_property
    def runs(self) -> tuple[Codes, ...]:
        """For each level where its groups begin among the codes of the level below (level 0: every code)."""
        above = (
            np.searchsorted(self.step(level - 1, level), np.arange(self.size(level))) for level in range(1, self.levels)
        )
        return (np.arange(self.size(0)), *above)

    def leaves(self, level: int) -> Codes:
        """How many original values each value of `level` stands for."""
        return np.bincount(self.codes[level], minlength=self.size(level)).astype(np.int64)

    def as_rows(self) -> list[list[str]]:
        """The table, as it is written in a file."""
        return [list(row) for row in self.rows]

    @classmethod
    def of(cls, name: str, rows: Iterable[Sequence[str]]) -> Hierarchy:
        """From a table of any order; the rows are sorted so that every group is a run."""
        table = [tuple(str(cell) for cell in row) for row in rows]
        _check_shape(name, table)
        _check_nesting(name, table)
        return cls(name, tuple(sorted(table, key=lambda row: row[::-1])))

    @classmethod
    def of_csv(cls, name: str, path: Path, delimiter: str = ";") -> Hierarchy:
        """From a CSV file without a header, in UTF-8, as ARX writes them."""
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                return cls.of(name, [row for row in csv.reader(file, delimiter=delimiter) if row])
        except UnicodeDecodeError as error:
            raise _invalid(name, f"{path.name} is not UTF-8", f"{path.name} 不是 UTF-8 編碼") from error
        except OSError as error:
            raise _invalid(name, f"{path.name} cannot be read", f"無法讀取 {path.name}") from error

    @classmethod
    def intervals(
        cls, name: str, lowest: int, highest: int, widths: Sequence[int], *, all_last: bool = True
    ) -> Hierarchy:
        """Whole numbers from `lowest` to `highest`, in intervals of each width in turn, counted from `lowest`.

        Each width has to be a multiple of the one before; the last interval of a level ends at `highest`.
        """
        for narrow, wide in pairwise(widths):
            if wide % narrow:
                raise _invalid(name, f"{wide} is no multiple of {narrow}", f"{wide} 不是 {narrow} 的倍數")

        def interval(value: int, width: int) -> str:
            first = lowest + (value - lowest) // width * width
            return str(value) if width == 1 else f"{first}-{min(first + width - 1, highest)}"

        end = [ALL] if all_last else []
        return cls.of(name, [[str(v), *(interval(v, w) for w in widths), *end] for v in range(lowest, highest + 1)])

    @classmethod
    def prefixes(cls, name: str, values: Iterable[str], lengths: Sequence[int]) -> Hierarchy:
        """Codes that are read from the left (postal codes, occupations): their first characters, ever fewer."""
        table = [[v, *(v[:n] + ALL * (len(v) - n) for n in lengths), ALL] for v in dict.fromkeys(values)]
        return cls.of(name, table)

    @classmethod
    def dates(cls, name: str, days: Iterable[date]) -> Hierarchy:
        """Days: the month, the quarter, the year, ten years, everything."""
        steps: tuple[Callable[[date], str], ...] = (
            lambda d: d.isoformat(),
            lambda d: f"{d.year}-{d.month:02d}",
            lambda d: f"{d.year}-Q{(d.month + 2) // 3}",
            lambda d: str(d.year),
            lambda d: f"{d.year // 10}0s",
            lambda _: ALL,
        )
        return cls.of(name, [[step(day) for step in steps] for day in dict.fromkeys(days)])

    @classmethod
    def flat(cls, name: str, values: Iterable[str]) -> Hierarchy:
        """Two levels: the value, or nothing."""
        return cls.of(name, [[value, ALL] for value in dict.fromkeys(values)])

    @classmethod
    def from_spec(cls, name: str, spec: Mapping[str, object], folder: Path) -> Hierarchy:
        """From a policy's words: `file`, `rows`, `intervals`, `prefixes` or `values`; files lie beside the policy."""
        match spec:
            case {"file": str() as file, **rest}:
                return cls.of_csv(name, folder / file, str(rest.get("delimiter", ";")))
            case {"rows": list() as rows}:
                return cls.of(name, rows)
            case {"intervals": {"from": int() as low, "to": int() as high, "widths": list() as widths}}:
                return cls.intervals(name, low, high, widths)
            case {"prefixes": {"values": list() as values, "lengths": list() as lengths}}:
                return cls.prefixes(name, [str(value) for value in values], lengths)
            case {"values": list() as values}:
                return cls.flat(name, [str(value) for value in values])
        raise _invalid(
            name,
            "it is none of file, rows, intervals {from, to, widths}, prefixes {values, lengths}, values",
            "須為 file、rows、intervals {from, to, widths}、prefixes {values, lengths}、values 之一",
        )


def _check_shape(name: str, rows: Sequence[Sequence[str]]) -> None:
    """Every row as long as the first, no value twice, none empty or in a strange encoding."""
    if not rows or not rows[0]:
        raise _invalid(name, "it is empty", "內容為空")
    if len(rows) > MOST_VALUES:
        raise _invalid(name, f"it has more than {MOST_VALUES} values", f"超過 {MOST_VALUES} 個值")
    seen: set[str] = set()
    for row in rows:
        if len(row) != len(rows[0]):
            raise _invalid(
                name,
                f"the row of {row[0]!r} is {len(row)} long, not {len(rows[0])}",
                f"{row[0]!r} 一列有 {len(row)} 欄，應為 {len(rows[0])} 欄",
            )
        if row[0] in seen:
            raise _invalid(name, f"{row[0]!r} is there twice", f"{row[0]!r} 重複出現")
        seen.add(row[0])
        for cell in row:
            check_encoding(name, cell)


def _check_nesting(name: str, rows: Sequence[Sequence[str]]) -> None:
    """Two values that are one at a level are one at every level above."""
    for level in range(len(rows[0]) - 1):
        above: dict[str, str] = {}
        for row in rows:
            first = above.setdefault(row[level], row[level + 1])
            if first != row[level + 1]:
                raise Problem(
                    "deid-hierarchy-not-nested",
                    what=Text(f"The hierarchy of {name} is not nested.", f"屬性 {name} 的概化階層未逐層包含。"),
                    why=Text(
                        f"At level {level} {row[level]!r} is one value, but above it becomes both {first!r} "
                        f"and {row[level + 1]!r}.",
                        f"第 {level} 層的 {row[level]!r} 到上一層同時成為 {first!r} 與 {row[level + 1]!r}。",
                    ),
                    todo=Text(
                        "Give the value two names at that level, or one above it.",
                        "請在該層改用不同名稱，或使其上層一致。",
                    ),
                    attribute=name,
                    level=level,
                )


def natural(text: str) -> tuple[int, float, str]:
    """The sort key of values: numbers by their size, then words by their text."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def check_encoding(name: str, text: str) -> None:
    """Refuse what shows that several encodings were mixed: replacement marks, control marks, private characters."""
    odd = next((c for c in text if c == "\ufffd" or unicodedata.category(c) in {"Cc", "Co", "Cs"}), None)
    if odd is not None:
        raise Problem(
            "deid-mixed-encoding",
            what=Text(f"Values of {name} are not in one clean encoding.", f"屬性 {name} 的值編碼不一致。"),
            why=Text(f"{text!r} holds U+{ord(odd):04X}.", f"{text!r} 含有字元 U+{ord(odd):04X}。"),
            todo=Text(
                "Convert the source to UTF-8 (CNS 11643 for rare characters), then try again.",
                "請先將來源轉為 UTF-8（罕用字請對照 CNS 11643），再試一次。",
            ),
            attribute=name,
        )


def _invalid(name: str, why_en: str, why_zh: str) -> Problem:
    return Problem(
        "deid-hierarchy-invalid",
        what=Text(f"The hierarchy of {name} cannot be used.", f"屬性 {name} 的概化階層無法使用。"),
        why=Text(f"The hierarchy: {why_en}.", f"概化階層：{why_zh}。"),
        todo=Text(
            "Mend the hierarchy; one row a value, from the value itself to its coarsest form.",
            "請修正概化階層：每個值一列，由原值到最概略的值。",
        ),
        attribute=name,
    )
