"""What has come to its end is erased in small parts: exchanges are recorded meanwhile, whatever there is to erase."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartgov.engines.pki import keys
from smartgov.engines.troad import evidence, heads, retention
from smartgov.engines.troad.retention import AT_ONCE
from smartgov.engines.troad.store import Entry, Store, once

NOW, DAY = 1_800_000_000, 86_400
MANY = 5 * AT_ONCE + 1


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(
        tmp_path / "log.sqlite3", origin="TW/GOV/a/gw1", log_key=keys.generate_ed25519(), body_key=os.urandom(32)
    )
    made.start()
    yield made
    made.stop()


def entry(name: str, made: int, until: int | None = None) -> Entry:
    """A message with its body, and with what is spent and remembered for it."""
    body = (os.urandom(32), b"content", b"base")
    found = Entry({"kind": "request", "id": name}, made, name, body=body, keep_until=until, nonce=once(made, name))
    found.spend = ("token", name, made + 60)
    return found


def with_bodies(store: Store) -> set[str]:
    with store.reading() as (db, _):
        rows = db.execute("SELECT exchange FROM message WHERE wrapped_key IS NOT NULL AND sealed IS NOT NULL")
        return {row[0] for row in rows}


def test_each_body_ends_when_its_service_says_and_all_others_after_the_default(store: Store) -> None:
    async def course() -> None:
        await store.commit(
            [
                entry("said-over", NOW - DAY, NOW - 1),
                entry("said-not-yet", NOW - 90 * DAY, NOW + 1),
                entry("default-over", NOW - 30 * DAY - 1),
                entry("default-not-yet", NOW - 30 * DAY),
            ]
        )
        assert await store.erase_due(NOW, 30) == 2
        assert with_bodies(store) == {"said-not-yet", "default-not-yet"}
        assert await store.erase_due(NOW, 30) == 0
        assert await store.erase_due(NOW + 2, 30) == 2
        assert with_bodies(store) == set()

    asyncio.run(course())


def test_exchanges_are_recorded_while_much_comes_to_its_end(store: Store) -> None:
    recorded = [0]

    async def exchanging() -> None:
        while True:
            await store.commit([entry(f"new-{recorded[0]}", NOW)])
            recorded[0] += 1

    async def course() -> None:
        for half, until in enumerate((None, NOW - DAY)):
            await store.commit([entry(f"old-{half}-{number}", NOW - 40 * DAY, until) for number in range(MANY)])
        others = asyncio.create_task(exchanging())
        before = recorded[0]
        assert await store.erase_due(NOW, 30) == 2 * MANY
        assert recorded[0] - before >= 2 * MANY // AT_ONCE, "at least one between any two parts"
        before = recorded[0]
        await store.forget_stale(NOW)
        assert recorded[0] - before >= 2 * MANY // AT_ONCE
        others.cancel()

    asyncio.run(course())
    assert not any(name.startswith("old") for name in with_bodies(store))
    assert {f"new-{number}" for number in range(recorded[0])} <= with_bodies(store), "each that was acknowledged"
    with store.reading() as (db, _):
        for table in ("nonce", "spent"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] in (recorded[0], recorded[0] + 1)


def claim(name: int, *, made: int, until: int | None, state: str = "done") -> tuple[tuple[Any, ...], ...]:
    id_ = name.to_bytes(8, "big")
    kept = (id_, made, f"exchange-{name}", state, b"salt", b"tag", b"answer", None)
    return kept, () if until is None else (id_, until)


def test_many_keys_end_in_parts_and_those_in_use_keep_none_of_them_back(store: Store) -> None:
    made = [claim(number, made=NOW, until=NOW - 5, state="running") for number in range(2 * AT_ONCE)]
    made += [claim(number, made=NOW - 2 * DAY, until=NOW - DAY) for number in range(2 * AT_ONCE, 2 * AT_ONCE + MANY)]
    made += [claim(10**6 + number, made=NOW - 8 * DAY, until=None) for number in range(MANY)]

    def fill(db: sqlite3.Connection) -> int:
        db.executemany("INSERT INTO claim VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [one for one, _ in made])
        return db.executemany("INSERT INTO claim_until VALUES (?, ?)", [one for _, one in made if one]).rowcount

    async def course() -> None:
        await store.apply(fill)
        assert await store.erase_due(NOW, 30) == MANY
        await store.forget_stale(NOW)

    asyncio.run(course())
    with store.reading() as (db, _):
        states = dict(db.execute("SELECT state, count(*) FROM claim GROUP BY state").fetchall())
        assert states == {"running": 2 * AT_ONCE, "erased": MANY}
        assert db.execute("SELECT count(*) FROM claim_until").fetchone() == (2 * AT_ONCE,)


class Explained:
    """Says of each statement how it is done."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.said: list[str] = []

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        plan = self._db.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        self.said.extend(str(line[-1]) for line in plan)
        return self._db.execute(statement, values)


def test_what_has_ended_is_found_without_looking_at_what_has_not(store: Store) -> None:
    with store.reading() as (db, _):
        explained: Any = Explained(db)
        for step in (*retention.erasing(NOW, 30), *retention.erasing(NOW, 1), *retention.forgetting(NOW, NOW)[:-1]):
            step(explained)
    assert len(explained.said) > 10
    assert [line for line in explained.said if line.startswith("SCAN")] == []


def test_the_head_and_stamp_of_old_records_are_found_among_those_of_years(store: Store) -> None:
    kept = [(size, f"note of {size}", NOW) for size in range(10, 5000, 10)]
    stamps = [(size, NOW + size, NOW, b"token") for size in (1000, 2000)]

    def fill(db: sqlite3.Connection) -> int:
        db.executemany("INSERT INTO stamp VALUES (?, ?, ?, ?)", stamps)
        return db.executemany("INSERT INTO head VALUES (?, ?, ?)", kept).rowcount

    asyncio.run(store.apply(fill))
    with store.reading() as (db, _):
        explained: Any = Explained(db)
        assert evidence.covering(explained, 5) == (1000, "note of 1000")
        assert evidence.covering(explained, 1001) == (2000, "note of 2000")
        assert evidence.covering(explained, 2001) == (2010, "note of 2010"), "no stamp is over it yet"
        explained.execute(heads.NEWEST_STAMP)
    assert [line for line in explained.said if line.startswith("USE TEMP B-TREE")] == []
