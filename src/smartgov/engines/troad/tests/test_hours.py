"""What an hour's records say of the exchanges with each gateway, read from the log alone."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from smartgov.engines.troad import hours, records
from smartgov.engines.troad.hours import Hour, Reading

HOUR = 493_000
START = HOUR * 3600
PEER, OTHER = "TW/GOV/hpa/gw1", "TW/GOV/nhi/gw1"


def log(*found: dict[str, Any] | bytes) -> Reading:
    """A log with these records."""
    db = sqlite3.connect(":memory:", check_same_thread=False)
    db.execute("CREATE TABLE ledger_record (idx INTEGER PRIMARY KEY, record BLOB)")
    exact = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in found]
    db.executemany("INSERT INTO ledger_record VALUES (?, ?)", enumerate(exact))

    @contextmanager
    def reading() -> Iterator[tuple[sqlite3.Connection, None]]:
        yield db, None

    return reading


def record(kind: str, side: str, one: str, *, asked: float = 0, written: float = 0, peer: str = PEER) -> dict[str, Any]:
    """A record: its question was signed, and it was written, so many minutes after the hour began."""
    created = int(START + 60 * asked)
    found: dict[str, Any] = {"kind": kind, "side": side, "id": one, "gateway": peer}
    found["time"] = records.moment(datetime.fromtimestamp(START + 60 * written, UTC))
    signed = {"input": f'troad=("@method");created={created};nonce="abc"'} if kind == "request" else {"asked": created}
    return found | ({} if kind == "refusal" else signed)


def read(*found: dict[str, Any] | bytes) -> Hour:
    return hours.read(log(*found), HOUR, Event())


def sets(hour: Hour, peer: str = PEER) -> dict[str, set[str]]:
    return {role: ids for role in hours.ROLES if (ids := hour.ids(peer, role).under())}


def test_each_record_belongs_to_the_set_of_its_kind_and_side_and_gateway() -> None:
    hour = read(
        record("request", "client", "one"),
        record("answer", "client", "one"),
        record("request", "client", "two", peer=OTHER),
        record("request", "provider", "three"),
        record("answer", "provider", "three"),
        record("answer", "own", "four"),
        record("refusal", "provider", "five"),
        record("refusal", "client", "six", peer=""),
        {"kind": "note", "side": "own", "time": records.moment(datetime.fromtimestamp(START, UTC))},
    )
    assert sets(hour) == {"asked": {"one"}, "client": {"one"}, "provider": {"three"}}
    assert sets(hour, OTHER) == {"asked": {"two"}}
    assert hour.peers() == [PEER, OTHER]


def test_the_hour_is_that_of_the_question_whenever_its_record_was_written() -> None:
    hour = read(
        record("answer", "provider", "early", asked=0, written=-4),
        record("request", "client", "before", asked=-0.1, written=0),
        record("answer", "client", "before", asked=-0.1, written=1),
        record("request", "client", "last", asked=59.9, written=59.9),
        record("answer", "client", "last", asked=59.9, written=69),
        record("request", "client", "after", asked=60, written=69),
        record("answer", "provider", "after", asked=60, written=70),
    )
    assert sets(hour) == {"asked": {"last"}, "client": {"last"}, "provider": {"early"}}


@pytest.mark.parametrize(
    ("course", "was_asked"),
    [
        ([("request", 1)], True),
        ([("request", 1), ("refusal", 1)], False),
        ([("request", 1), ("refusal", 1), ("request", 2)], True),
        ([("request", 1), ("request", 2), ("refusal", 2)], True),
        ([("request", 1), ("refusal", 1), ("request", 2), ("refusal", 2)], False),
        ([("request", -1), ("request", 1), ("refusal", 1)], True),  # which of the two came back nobody knows
        ([("request", -1), ("refusal", -1), ("request", 1), ("refusal", 1)], False),
        ([("request", 59), ("request", 61), ("refusal", 61)], True),
    ],
)
def test_what_never_left_was_not_asked(course: list[tuple[str, int]], was_asked: bool) -> None:
    hour = read(*(record(kind, "client", "one", asked=at, written=at) for kind, at in course))
    assert sets(hour) == ({"asked": {"one"}} if was_asked else {})
    assert hour.peers() == ([PEER] if was_asked else [])


ALTERED: dict[str, Any] = {
    "no JSON": b"\xff",
    "no object": b"[]",
    "a text for a number": record("answer", "client", "altered") | {"asked": "yesterday"},
    "a list for a text": record("request", "client", "altered") | {"input": []},
    "without its signature's time": record("request", "client", "altered") | {"input": "troad=()"},
    "without a gateway": {**record("answer", "client", "altered"), "gateway": None},
}


@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_record_says_nothing_and_hides_no_other(name: str) -> None:
    hour = read(record("request", "client", "one"), ALTERED[name], record("answer", "client", "one"))
    assert sets(hour) == {"asked": {"one"}, "client": {"one"}}


def test_the_oldest_record_says_where_to_begin() -> None:
    assert hours.first(log()) is None
    assert hours.first(log(record("request", "client", "one"), record("request", "client", "two", written=99))) == HOUR
    assert hours.first(log(b"altered")) == 0


def test_who_waits_no_more_ends_the_reading() -> None:
    ended = Event()
    ended.set()
    with pytest.raises(sqlite3.OperationalError):
        hours.read(log(*(record("request", "client", f"one-{number}") for number in range(2000))), HOUR, ended)


_MEASURED = """
import resource, sys
from threading import Event
from smartgov.engines.troad.hours import Hour
hour, number = Hour(Event()), int(sys.argv[1])
for low in range(0, number, 500):
    ids = [f"0190b2c4-7a1e-7{one % 4096:03x}-9000-{one:012x}" for one in range(low, low + 500)]
    hour.add([("peer", "client", one) for one in ids])
hour.close()
print(hour.ids("peer", "client").part().count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
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
