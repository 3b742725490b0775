"""How long exchanges wait while bodies come to the end of their retention: the longest commit beside it.

A gateway's log with as many bodies whose time is over; while all are erased, records are committed one after the other
(10 ms between two). Every body must be gone at the end, and every record that was acknowledged there.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
import time
from pathlib import Path

from bench.hours import sizes
from smartgov.engines.pki import keys
from smartgov.engines.troad.folding import truncate
from smartgov.engines.troad.store import Entry, Store

SIZES = (10_000, 100_000)
_DAY, _DAYS, _AT_ONCE, _PAUSE = 86_400, 30, 500, 0.01


def main() -> None:
    """Print one line a size; `--sizes=N,...` for others."""
    print("bodies    us each   commits meanwhile   longest ms   longest ms before")
    for size in sizes(SIZES):
        with tempfile.TemporaryDirectory(dir=os.environ.get("SMARTGOV_BENCH_DISK")) as folder:
            asyncio.run(_measure(Path(folder), size))


async def _measure(folder: Path, size: int) -> None:
    log_key = keys.generate_ed25519()
    store = Store(folder / "log.sqlite3", origin="TW/GOV/a/gw1", log_key=log_key, body_key=os.urandom(32))
    store.start()
    now = int(time.time())
    for first in range(0, size, _AT_ONCE):
        await store.commit([_entry(now - 2 * _DAYS * _DAY) for _ in range(min(_AT_ONCE, size - first))])
    await store.writer.submit(truncate)
    waits: list[float] = []
    others = asyncio.create_task(_commit(store, now, waits))
    await asyncio.sleep(1)
    before = max(waits)
    waits.clear()
    began = time.perf_counter()
    erased = await store.erase_due(now, _DAYS)
    each, longest, commits = (time.perf_counter() - began) / size * 1e6, max(waits, default=0.0), len(waits)
    others.cancel()
    with store.reading() as (db, log):
        (left,) = db.execute(
            "SELECT count(*) FROM message WHERE wrapped_key IS NOT NULL AND made < ?", (now,)
        ).fetchone()
        complete = log.size() >= size + commits
    store.stop()
    if (erased, left, complete) != (size, 0, True):
        raise SystemExit(f"{erased} of {size} bodies were erased, {left} are left; log complete: {complete}")
    print(f"{size:>7,} {each:>9.0f} {commits:>19,} {longest * 1e3:>12.0f} {before * 1e3:>19.0f}", flush=True)


async def _commit(store: Store, now: int, waits: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await store.commit([_entry(now)])
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(_PAUSE)


def _entry(made: int) -> Entry:
    name = secrets.token_hex(16)
    body = (os.urandom(32), os.urandom(1000), os.urandom(800))
    return Entry({"kind": "request", "side": "client", "id": name}, made, name, body=body)


if __name__ == "__main__":
    main()
