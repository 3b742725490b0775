"""What is kept of an exchange is found by its records' places, also in a file of a version that had an index for it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from smartgov.engines.pki import keys
from smartgov.engines.troad.store import Entry, Store

BODY = (bytes(32), b"yes", b"base")


def _store(folder: Path) -> Store:
    return Store(folder / "log.sqlite3", origin="TW/GOV/ris/gw1", log_key=keys.generate_ed25519(), body_key=bytes(32))


async def _fill(store: Store) -> None:
    for exchange in ("first-exchange", "second-exchange"):
        await store.commit([Entry({"id": exchange}, 1000, exchange, BODY)])


@pytest.mark.parametrize("earlier", [False, True])
def test_one_exchange_is_erased_and_no_other(tmp_path: Path, earlier: bool) -> None:
    made = _store(tmp_path)
    made.start()
    asyncio.run(_fill(made))
    made.stop()
    if earlier:
        with closing(sqlite3.connect(tmp_path / "log.sqlite3")) as db:
            db.execute("CREATE INDEX message_exchange ON message (exchange)")
            db.execute("DELETE FROM place")
            db.commit()
    store = _store(tmp_path)
    store.start()
    try:
        assert list(store.body_keys("first-exchange")) == [0]
        assert asyncio.run(store.erase("first-exchange")) == 1
        assert (store.message(0), store.message(1)) == (None, BODY)
        assert store.body_keys("first-exchange") == {}
    finally:
        store.stop()
