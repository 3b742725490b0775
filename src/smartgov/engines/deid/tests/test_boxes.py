"""Placing people into boxes is trying every label of every value, only faster."""

from __future__ import annotations

from itertools import product
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.deid.attacks import boxes

VALUES = "abcd"
LABELS = ("a", "b", "c", "d", "ab", "cd", "bc", "abcd", "*")
"""What a label covers is its letters, `*` everything; `bc` overlaps without being nested."""


def covers(label: str, value: str) -> bool:
    return label == "*" or value in label


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Any], list[Any]]:
    many = draw(st.integers(1, 3))
    person = st.tuples(*[st.sampled_from(VALUES)] * many)
    box = st.tuples(*[st.sampled_from(LABELS)] * many)
    return draw(st.lists(person, min_size=1, max_size=12)), draw(st.lists(box, min_size=1, max_size=12))


@given(cases())
def test_everybody_is_in_every_box_that_holds_them_once(case: tuple[list[Any], list[Any]]) -> None:
    people, classes = case
    covered = [(value, label) for value, label in product(VALUES, LABELS) if covers(label, value)]
    table = pa.table({"value": [value for value, _ in covered], "label": [label for _, label in covered]})
    axes = [
        boxes.axis(pa.array([one[place] for one in people]), pa.array([one[place] for one in classes]), table)
        for place in range(len(people[0]))
    ]
    found = sorted(
        (int(person), int(box))
        for some in boxes.pairs(axes, len(people), len(classes))
        for person, box in zip(*some, strict=True)
    )
    expected = [
        (number, place)
        for number, person in enumerate(people)
        for place, box in enumerate(classes)
        if all(covers(label, value) for value, label in zip(person, box, strict=True))
    ]
    assert found == sorted(expected)


def test_a_column_without_labels_is_told_as_it_is() -> None:
    one = boxes.axis(pa.array(["x", "y", None]), pa.array(["y", "z"]), None)
    ((people, classes),) = [some for some in boxes.pairs([one], 3, 2) if len(some[0])]
    assert (people.tolist(), classes.tolist()) == ([1], [0])
