"""Two sets of exchange ids are compared by parts: every difference is found, and equal parts are not asked for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartgov.engines.ledger import merkle
from smartgov.engines.troad import exchanged
from smartgov.engines.troad.exchanged import Ids, Part

IDS = st.sets(st.integers(0, 5000).map(lambda number: f"exchange-{number}"), max_size=400)


def compared(here: Ids, there: Ids) -> tuple[set[str], set[str], int]:
    asked = 0

    async def tell(prefix: str) -> Part:
        nonlocal asked
        asked += 1
        return Part.of(there.part(prefix).as_dict())

    return (*asyncio.run(exchanged.differences(here, tell)), asked)


@settings(max_examples=60, deadline=None)
@given(IDS, IDS)
def test_every_difference_is_found_and_nothing_else(one: set[str], two: set[str]) -> None:
    here, there, _ = compared(Ids(one), Ids(two, most=5))
    assert (here, there) == (one - two, two - one)


@settings(max_examples=60, deadline=None)
@given(IDS, st.text("0123456789abcdef", max_size=3))
def test_a_part_is_told_by_the_root_over_its_hashes_in_order(ids: set[str], prefix: str) -> None:
    hashes = sorted(digest for one in ids if (digest := sha256(one.encode()).hexdigest()).startswith(prefix))
    told = Ids(ids, most=3).part(prefix)
    assert told.count == len(hashes)
    assert told.root == merkle.root([merkle.leaf_hash(bytes.fromhex(one)) for one in hashes]).hex()
    if told.ids is not None:
        assert [sha256(one.encode()).hexdigest() for one in told.ids] == hashes
    else:
        assert sum(count for count, _ in told.parts.values()) == len(hashes)


@pytest.mark.parametrize("digits", [16, 64, 65, 100])
def test_an_id_is_found_under_its_whole_hash_and_nothing_beyond_it(digits: int) -> None:
    prefix = sha256(b"exchange-1").hexdigest()[:digits].ljust(digits, "0")
    assert Ids(["exchange-1"], most=0).part(prefix).ids == (("exchange-1",) if digits <= 64 else ())


_MEASURED = """
import resource, sys
from smartgov.engines.troad.exchanged import Ids
told = Ids(f"0190b2c4-7a1e-7{n:03x}-9000-{n:012x}" for n in range(int(sys.argv[1]))).part()
print(told.count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_exchanges_of_an_hour() -> None:
    def measured(number: int) -> int:
        done = subprocess.run(
            [sys.executable, "-c", _MEASURED, str(number)], capture_output=True, text=True, check=True
        )
        count, megabytes = map(int, done.stdout.split())
        assert count == number
        return megabytes

    assert measured(200_000) - measured(2000) < 8, "as a set in memory they take 40 MB and more"


def test_who_lost_everything_is_not_told_each_id() -> None:
    many = [f"exchange-{number}" for number in range(3 * exchanged.MOST_DIFFERENCES)]
    here, there, asked = compared(Ids(many), Ids())
    assert exchanged.MOST_DIFFERENCES <= len(here) <= exchanged.MOST_DIFFERENCES + exchanged.LIST
    assert (there, asked) == (set(), 1)


def test_of_many_only_the_parts_that_differ_are_asked_for() -> None:
    many = {f"exchange-{number}" for number in range(20_000)}
    here, there, asked = compared(Ids(many), Ids(many - {"exchange-7"}, most=5))
    assert (here, there) == ({"exchange-7"}, set())
    assert asked <= 6
    assert compared(Ids(many), Ids(many))[2] == 1


@pytest.mark.parametrize(
    "told",
    [
        {"count": 1, "root": "00", "ids": ["exchange-1"]},
        {"count": 2, "root": Ids(["exchange-1"]).part().root, "ids": ["exchange-1"]},
        {"count": 1, "root": "00"},
        {"count": 1, "root": "00", "parts": {"x": [1, "00"]}},
        {"count": 1, "root": "00", "parts": {"a": [1]}},
    ],
)
def test_what_does_not_fit_is_not_believed(told: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Part.of(told)
