"""A made-up town and releases of it: a good one, and one for each leak that an attack must find."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from smartgov.engines.deid.attacks import Target, Thresholds
from smartgov.shared.tw import national_id

AILMENTS = ("flu", "asthma", "burn", "ulcer", "gout", "none")
TOWNS = {"63000010": "63", "63000020": "63", "65000010": "65", "65000020": "65", "65000030": "65"}
QUASI = ("age", "sex", "town")


@cache
def town(people: int = 4000, seed: int = 1) -> pa.Table:
    """The source: id, name, exact birth day (number), age, sex, town, ailment, and a harmless remark."""
    draw = np.random.default_rng(seed)
    age = draw.integers(20, 70, people)
    return pa.table(
        {
            "id": [national_id.make(number, 1 + number % 2) for number in range(people)],
            "name": [
                f"{'林陳王'[number % 3]}{chr(0x5000 + number % 800)}{chr(0x6000 + number // 800)}"
                for number in range(people)
            ],
            "born": [int(day) for day in (2026 - age) * 366 + draw.integers(0, 366, people)],
            "age": [str(value) for value in age],
            "sex": [("f", "m")[value] for value in draw.integers(0, 2, people)],
            "town": [list(TOWNS)[value] for value in draw.integers(0, len(TOWNS), people)],
            "ailment": [AILMENTS[value] for value in draw.integers(0, len(AILMENTS), people)],
            "remark": [("門診", "急診")[value] for value in draw.integers(0, 2, people)],
        }
    )


def decade(age: str) -> str:
    return f"{age[0]}0-{age[0]}9"


def labels() -> dict[str, pa.Table]:
    ages = [str(age) for age in range(20, 70)]
    return {
        "age": pa.table({"value": ages, "label": [decade(age) for age in ages]}),
        "town": pa.table({"value": list(TOWNS), "label": list(TOWNS.values())}),
    }


def released(source: pa.Table, *, shuffle: bool = True, seed: int = 9) -> pa.Table:
    """Decades, counties, no ids or names, rows in random order."""
    rows = source.to_pylist()
    if shuffle:
        np.random.default_rng(seed).shuffle(rows)  # type: ignore[arg-type]
    return pa.table(
        {
            "age": [decade(row["age"]) for row in rows],
            "sex": [row["sex"] for row in rows],
            "town": [TOWNS[row["town"]] for row in rows],
            "ailment": [row["ailment"] for row in rows],
            "remark": [row["remark"] for row in rows],
        }
    )


def target(source: pa.Table | None = None, release: pa.Table | None = None, **changes: object) -> Target:
    """The good release of the town, or what the arguments make of it."""
    source = town() if source is None else source
    release = released(source) if release is None else release
    facts = {
        "release": release, "source": source, "quasi": QUASI, "sensitive": ("ailment",),
        "identifying": ("id", "name"), "labels": labels(), "thresholds": Thresholds(k=5), "name": "first", **changes,
    }  # fmt: skip
    return Target(**facts)  # type: ignore[arg-type]


def changed(table: pa.Table, column: str, values: list[str]) -> pa.Table:
    return table.set_column(table.column_names.index(column), column, pa.array(values))
