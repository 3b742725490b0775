"""Quality of a release beside its source: everything, nothing, and in between."""

from __future__ import annotations

import pytest

from smartgov.engines.deid import quality
from smartgov.engines.deid.hierarchy import Hierarchy

TREES = [
    Hierarchy.of("town", [["a", "north", "*"], ["b", "north", "*"], ["c", "south", "*"], ["d", "south", "*"]]),
    Hierarchy.flat("sex", ["f", "m"]),
]
SOURCE = [["a", "b", "c", "d", "a", "b", "c", "d"], ["f", "m"] * 4]
NORTH = [["north", "north", "south", "south"] * 2, ["f", "m"] * 4]
NOTHING = [["*"] * 8, ["*"] * 8]


def test_what_was_not_touched_keeps_everything() -> None:
    assert quality.average_class(SOURCE, SOURCE) == pytest.approx(1)
    assert quality.ambiguity(SOURCE, TREES) == pytest.approx(1)
    assert quality.entropy(SOURCE, SOURCE, TREES) == pytest.approx(1)


def test_what_was_generalised_wholly_keeps_nothing() -> None:
    assert quality.ambiguity(NOTHING, TREES) == pytest.approx(0)
    assert quality.entropy(SOURCE, NOTHING, TREES) == pytest.approx(0)


def test_half_a_column() -> None:
    assert quality.average_class(SOURCE, NORTH) == pytest.approx(1)  # town and sex still tell the same rows apart
    assert quality.ambiguity(NORTH, TREES) == pytest.approx(1 - (2 - 1) / (8 - 1))
    assert quality.entropy(SOURCE, NORTH, TREES) == pytest.approx(2 / 3)  # two bits of town and one of sex, one is lost


def test_levels_may_differ_within_a_column() -> None:
    mixed = [["a", "b", "c", "d", "north", "north", "south", "south"], ["f", "m"] * 4]
    assert quality.entropy(SOURCE, SOURCE, TREES) > quality.entropy(SOURCE, mixed, TREES)
    assert quality.entropy(SOURCE, mixed, TREES) > quality.entropy(SOURCE, NORTH, TREES)
