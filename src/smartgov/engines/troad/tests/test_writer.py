"""When a commit begins, and who waits for what: `writer.py` over a file of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from smartgov.engines.pki import keys
from smartgov.engines.troad import folding, writer
from smartgov.engines.troad.store import Entry, Place, Store
from smartgov.shared.problems import Problem


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "log.sqlite3", origin="TW/GOV/ris/gw1", log_key=keys.generate_ed25519(), body_key=bytes(32))
    made.start()
    yield made
    made.stop()


def _entry(number: int) -> Entry:
    return Entry({"n": number}, made=1000)


def _sizes(store: Store) -> list[int]:
    """How many jobs each commit holds, from now on."""
    sizes: list[int] = []
    original = store.writer._committed

    def counted(jobs: Any, results: Any) -> Any:
        sizes.append(len(jobs))
        return original(jobs, results)

    store.writer._committed = counted  # type: ignore[method-assign]
    return sizes


def test_a_commit_waits_for_half_of_what_is_running(store: Store) -> None:
    store.writer.expected = lambda: 8
    sizes = _sizes(store)

    async def come(number: int) -> list[Place]:
        for _ in range(number):  # one after the other, each in a later turn of the loop
            await asyncio.sleep(0)
        return await store.commit([_entry(number)])

    async def all_of_them() -> list[list[Place]]:
        return await asyncio.gather(*(come(number) for number in range(4)))

    places = asyncio.run(all_of_them())
    assert sorted(place.index for (place,) in places) == [0, 1, 2, 3]
    assert sizes == [4]


def test_a_single_one_is_committed_though_others_never_come(store: Store) -> None:
    store.writer.expected = lambda: 1000
    (place,) = asyncio.run(asyncio.wait_for(_commit(store, 1), 10))
    assert place.index == 0


async def _commit(store: Store, number: int) -> list[Place]:
    return await store.commit([_entry(number)])


def test_the_loop_goes_on_while_another_process_holds_the_file(store: Store) -> None:
    async def work(other: sqlite3.Connection) -> int:
        waiting = asyncio.ensure_future(_commit(store, 1))
        turns = 0
        while turns < 20:
            await asyncio.sleep(0.01)
            turns += 1
            assert not waiting.done()
        other.execute("COMMIT")
        (place,) = await waiting
        return place.index

    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert asyncio.run(work(other)) == 0


def test_nobody_goes_on_before_the_commit_but_who_said_so(store: Store) -> None:
    gate, original = threading.Event(), store.writer._committed

    def late(jobs: Any, results: Any) -> Any:
        gate.wait(10)
        return original(jobs, results)

    store.writer._committed = late  # type: ignore[method-assign]

    async def both() -> bool:
        strict = asyncio.ensure_future(_commit(store, 1))
        soon = asyncio.ensure_future(_soon(store, 2))
        (place,) = await asyncio.wait_for(soon, 10)
        before = strict.done()
        gate.set()
        await strict
        return before or place.index != 1

    assert asyncio.run(both()) is False


async def _soon(store: Store, number: int) -> list[Place]:
    return await store.commit([_entry(number)], soon=True)


def test_a_commit_that_fails_is_undone_for_all_and_the_next_one_holds(store: Store) -> None:
    broken = Entry({"n": 0.5}, made=1000)  # canonical JSON holds no floats

    async def together() -> list[Any]:
        both = [store.commit([_entry(1)]), store.commit([broken])]
        return list(await asyncio.gather(*both, return_exceptions=True))

    assert [one.slug for one in asyncio.run(together()) if isinstance(one, Problem)] == ["log-unavailable"] * 2
    (place,) = asyncio.run(_commit(store, 3))
    assert place.index == 0


def test_what_waits_when_it_stops_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    store = Store(path, origin="TW/GOV/ris/gw1", log_key=keys.generate_ed25519(), body_key=bytes(32))
    store.start()

    async def go() -> list[Place]:
        waiting = asyncio.ensure_future(_commit(store, 1))
        await asyncio.sleep(0)
        await asyncio.to_thread(store.stop)
        return await asyncio.wait_for(waiting, 10)

    (place,) = asyncio.run(go())
    assert place.index == 0
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM ledger_record").fetchone() == (1,)


# -- folding the write-ahead log --------------------------------------------------------------------------------------


@pytest.fixture
def folds_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "AFTER_COMMITS", 4)


def _log_bytes(store: Store) -> int:
    return store.path.with_name(f"{store.path.name}-wal").stat().st_size


async def _one_after_another(store: Store, count: int) -> None:
    for number in range(count):
        await store.commit([_entry(number)])


@pytest.mark.usefixtures("folds_often")
def test_the_write_ahead_log_begins_anew_while_commits_go_on(store: Store) -> None:
    asyncio.run(_one_after_another(store, 200))
    often = _log_bytes(store)
    asyncio.run(_one_after_another(store, 400))
    assert _log_bytes(store) < 3 * often


def test_a_commit_that_outlasts_its_loop_holds_nobody_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding follows a commit: who waited for it goes on before, and may be done with everything."""
    ended = threading.Event()
    monkeypatch.setattr(store.writer._folding, "is_due", lambda jobs: not ended.is_set())
    monkeypatch.setattr(store.writer._folding, "go_on", lambda db: ended.wait(30))
    asyncio.run(_commit(store, 1))

    async def next_one() -> list[Place]:
        waiting = asyncio.ensure_future(_commit(store, 2))
        await asyncio.sleep(0.05)
        ended.set()
        return await asyncio.wait_for(waiting, 10)

    (place,) = asyncio.run(next_one())
    assert place.index == 1


def test_without_folding_it_grows_with_every_commit(store: Store) -> None:
    asyncio.run(_one_after_another(store, 100))
    before = _log_bytes(store)
    asyncio.run(_one_after_another(store, 200))
    assert _log_bytes(store) > 2 * before


@pytest.mark.usefixtures("folds_often")
def test_commits_go_on_while_it_is_folded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, original = threading.Event(), threading.Event(), folding.fold

    def slow(db: sqlite3.Connection) -> None:
        if threading.current_thread().name == "log-folding":
            begun.set()
            go_on.wait(30)
        original(db)

    monkeypatch.setattr(folding, "fold", slow)

    async def work() -> None:
        await _one_after_another(store, 5)
        await asyncio.to_thread(begun.wait, 30)
        await asyncio.wait_for(_one_after_another(store, 20), 30)

    try:
        asyncio.run(work())
        assert begun.is_set()
    finally:
        go_on.set()


def test_what_was_erased_beside_a_reader_leaves_the_write_ahead_log_when_he_is_gone(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_WAIT_FOR_LOCK", "PRAGMA busy_timeout=1")
    log, secret = tmp_path / "log.sqlite3-wal", b"a key that is to be destroyed"

    async def keep_and_destroy() -> None:
        row = "INSERT INTO message VALUES (0, 'one', 1, ?, x'00', NULL)"
        await store.apply(lambda db: db.execute(row, (secret,)).rowcount)
        await store.apply(lambda db: db.execute("INSERT INTO place VALUES ('one', 0)").rowcount)
        with store.reading() as (db, _):
            db.execute("SELECT count(*) FROM message").fetchone()  # a backup, say, that takes a while
            assert await store.erase("one") == 1
            assert secret in log.read_bytes(), "he still reads it from there"
        await store.set_fact("anything", "that is written next")

    asyncio.run(keep_and_destroy())
    store.stop()
    left = b"".join(path.read_bytes() for path in tmp_path.glob("log.sqlite3*"))
    assert secret not in left


def test_what_a_process_left_in_the_write_ahead_log_is_folded_at_the_next_start(tmp_path: Path) -> None:
    def made() -> Store:
        key = keys.generate_ed25519()
        return Store(tmp_path / "log.sqlite3", origin="TW/GOV/ris/gw1", log_key=key, body_key=bytes(32))

    first = made()
    first._db.execute("INSERT INTO fact VALUES ('left', 'behind')")
    files = {name: (tmp_path / name).read_bytes() for name in ("log.sqlite3", "log.sqlite3-wal")}
    first._db.close()
    assert b"behind" in files["log.sqlite3-wal"]
    for name, content in files.items():  # as they lay there when it was killed
        (tmp_path / name).write_bytes(content)
    second = made()
    second.start()
    assert (tmp_path / "log.sqlite3-wal").read_bytes() == b""
    assert second.fact("left") == "behind"
    second.stop()
