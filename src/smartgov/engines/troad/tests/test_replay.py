"""A message is taken in once, also across a change of the form in which that is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartgov.engines.pki import keys
from smartgov.engines.troad.store import Entry, Store, once
from smartgov.shared.problems import Problem

NONCE = "abcdefghijklmnop-_0123"


def _store(folder: Path) -> Store:
    return Store(folder / "log.sqlite3", origin="TW/GOV/ris/gw1", log_key=keys.generate_ed25519(), body_key=bytes(32))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = _store(tmp_path)
    made.start()
    yield made
    made.stop()


def _entry(nonce: str) -> Entry:
    return Entry({"kind": "request"}, made=1000, nonce=nonce)


def _take(store: Store, *nonces: str) -> None:
    async def take() -> None:
        for nonce in nonces:
            await store.commit([_entry(nonce)])

    asyncio.run(take())


def test_a_second_message_with_the_same_time_and_nonce_is_a_replay(store: Store) -> None:
    _take(store, once(1000, NONCE), once(1001, NONCE))
    with pytest.raises(Problem, match="replay"):
        _take(store, once(1000, NONCE))


def test_two_in_one_commit_are_a_replay(store: Store) -> None:
    async def take() -> None:
        await store.commit([_entry(once(1000, NONCE)), _entry(once(1000, NONCE))])

    with pytest.raises(Problem, match="replay"):
        asyncio.run(take())


def test_what_was_received_before_the_keys_began_with_a_time_is_still_known(tmp_path: Path) -> None:
    before = _store(tmp_path)
    before.start()
    _take(before, NONCE)  # as a gateway of an earlier version kept it
    before.stop()
    after = _store(tmp_path)
    after.start()
    try:
        with pytest.raises(Problem, match="replay"):
            _take(after, once(1000, NONCE))
        _take(after, once(1000, NONCE[::-1]))
    finally:
        after.stop()
