"""Two sets of exchange ids are compared by parts: every difference is found, and equal parts are not asked for."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartgov.engines.troad import exchanged
from smartgov.engines.troad.exchanged import Ids, Part

IDS = st.sets(st.integers(0, 5000).map(lambda number: f"exchange-{number}"), max_size=400)


def compared(here: Ids, there: Ids) -> tuple[set[str], set[str], int]:
    asked = 0

    async def tell(prefix: str) -> Part:
        nonlocal asked
        asked += 1
        return Part.of(there.part(prefix, most=5).as_dict())

    return (*asyncio.run(exchanged.differences(here, tell)), asked)


@settings(max_examples=60, deadline=None)
@given(IDS, IDS)
def test_every_difference_is_found_and_nothing_else(one: set[str], two: set[str]) -> None:
    here, there, _ = compared(Ids(one), Ids(two))
    assert (here, there) == (one - two, two - one)


def test_of_many_only_the_parts_that_differ_are_asked_for() -> None:
    many = {f"exchange-{number}" for number in range(20_000)}
    here, there, asked = compared(Ids(many), Ids(many - {"exchange-7"}))
    assert (here, there) == ({"exchange-7"}, set())
    assert asked <= 6
    assert compared(Ids(many), Ids(many))[2] == 1


@pytest.mark.parametrize(
    "told",
    [
        {"count": 1, "root": "00", "ids": ["exchange-1"]},
        {"count": 2, "root": Ids(["exchange-1"]).root(), "ids": ["exchange-1"]},
        {"count": 1, "root": "00"},
        {"count": 1, "root": "00", "parts": {"x": [1, "00"]}},
        {"count": 1, "root": "00", "parts": {"a": [1]}},
    ],
)
def test_what_does_not_fit_is_not_believed(told: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Part.of(told)
