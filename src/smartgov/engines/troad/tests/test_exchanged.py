"""Two sets of exchange ids are compared by parts: every difference is found, and equal parts are not asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartgov.engines.troad import exchanged, hours
from smartgov.engines.troad.exchanged import Ids, Part
from smartgov.engines.troad.hours import Hour

IDS = st.sets(st.integers(0, 5000).map(lambda number: f"exchange-{number}"), max_size=400)


def stored(ids: Iterable[str] = ()) -> Ids:
    """A set as an hour that was read holds it."""
    hour = Hour(Event())
    hour.add([("peer", "client", one) for one in ids])
    hour.close()
    return hour.ids("peer", "client")


def compared(here: Ids, there: Ids) -> tuple[set[str], set[str], int]:
    asked = 0

    async def tell(prefix: str) -> Part:
        nonlocal asked
        asked += 1
        return Part.of(there.part(prefix).as_dict())

    return (*asyncio.run(exchanged.differences(here, tell)), asked)


@contextmanager
def lists_of(most: int) -> Iterator[None]:
    """Few ids make a deep tree: so many are a list, and eight times so many are folded at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchanged, "LIST", most)
        patch.setattr(hours, "_IN_MEMORY", 8 * most)
        yield


def root(hashes: list[str], depth: int, most: int) -> str:
    """The root as the protocol's text says it, reckoned in another way."""
    if len(hashes) <= most:
        return sha256(bytes.fromhex("00" + "".join(sorted(hashes)))).hexdigest()
    parts = [[one for one in hashes if one[depth] == digit] for digit in "0123456789abcdef"]
    return sha256(bytes.fromhex("01" + "".join(root(part, depth + 1, most) for part in parts))).hexdigest()


@settings(max_examples=60, deadline=None)
@given(IDS, IDS, st.sampled_from([1, 5, 200]))
def test_every_difference_is_found_and_nothing_else(one: set[str], two: set[str], most: int) -> None:
    with lists_of(most):
        here, there, _ = compared(stored(one), stored(two))
    assert (here, there) == (one - two, two - one)


@settings(max_examples=60, deadline=None)
@given(IDS, st.text("0123456789abcdef", max_size=3), st.sampled_from([1, 5, 200]))
def test_a_part_is_told_as_the_protocol_says(ids: set[str], prefix: str, most: int) -> None:
    hashes = sorted(digest for one in ids if (digest := sha256(one.encode()).hexdigest()).startswith(prefix))
    with lists_of(most):
        told = stored(ids).part(prefix)
    assert (told.count, told.root) == (len(hashes), root(hashes, len(prefix), most))
    if told.ids is not None:
        assert [sha256(one.encode()).hexdigest() for one in told.ids] == hashes
    else:
        assert sum(count for count, _ in told.parts.values()) == len(hashes)


@pytest.mark.parametrize("digits", [16, 64, 65, 100])
def test_an_id_is_found_under_its_whole_hash_and_nothing_beyond_it(digits: int) -> None:
    prefix = sha256(b"exchange-1").hexdigest()[:digits].ljust(digits, "0")
    assert stored(["exchange-1"]).part(prefix).ids == (("exchange-1",) if digits <= 64 else ())


def test_who_lost_everything_is_not_told_each_id() -> None:
    many = [f"exchange-{number}" for number in range(3 * exchanged.MOST_DIFFERENCES)]
    here, there, asked = compared(stored(many), stored())
    assert exchanged.MOST_DIFFERENCES <= len(here) <= exchanged.MOST_DIFFERENCES + exchanged.LIST
    assert (there, asked) == (set(), 1)


def test_of_many_only_the_parts_that_differ_are_asked_for() -> None:
    many = {f"exchange-{number}" for number in range(20_000)}
    with lists_of(5):
        here, there, asked = compared(stored(many), stored(many - {"exchange-7"}))
        assert (here, there) == ({"exchange-7"}, set())
        assert asked <= 6
        assert compared(stored(many), stored(many))[2] == 1


def test_a_tree_without_an_end_is_not_followed() -> None:
    """Parts whose roots fit, ever deeper: only who makes them up has such."""
    asked = 0

    async def tell(prefix: str) -> Part:
        nonlocal asked
        asked += 1
        parts = {"0": (201, sha256(prefix.encode()).hexdigest())}
        return Part.of({"count": 201, "root": exchanged.node(parts), "parts": parts})

    with pytest.raises(ValueError, match="deep"):
        asyncio.run(exchanged.differences(stored(), tell))
    assert asked == 17


LEFT, RIGHT = (100, "00" * 32), (101, "11" * 32)
SOUND = {"count": 201, "root": exchanged.node({"a": LEFT, "b": RIGHT}), "parts": {"a": LEFT, "b": RIGHT}}


@pytest.mark.parametrize(
    "told",
    [
        {"count": 1, "root": "00", "ids": ["exchange-1"]},
        {"count": 2, "root": stored(["exchange-1"]).part().root, "ids": ["exchange-1"]},
        {"count": 1, "root": "00"},
        {"count": 1, "root": "00", "parts": {"x": [1, "00"]}},
        {"count": 1, "root": "00", "parts": {"a": [1]}},
        SOUND | {"parts": {"a": RIGHT, "b": LEFT}},
        SOUND | {"parts": {"a": LEFT, "b": RIGHT, "x": (0, "")}},
        SOUND | {"count": 202},
        {
            "count": 2,
            "root": exchanged.node({"a": (1, LEFT[1]), "b": (1, RIGHT[1])}),
            "parts": {"a": (1, LEFT[1]), "b": (1, RIGHT[1])},
        },
    ],
)
def test_what_does_not_fit_is_not_believed(told: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Part.of(told)


def test_what_fits_is_believed() -> None:
    assert Part.of(dict(SOUND)).as_dict() == SOUND
