"""Growth and verification of a log: entries appended a second, and verified a second of one core from disk.

Records are those of real exchanges in form and size, each different. The log is folded into its file and dropped from
the kernel's cache (where that is allowed) before it is verified by the same code that `smartgov verify HOME` runs;
signatures are not in it. Every verdict is checked: the sound log must be found sound, its root must be that of another
implementation (the standard way, one node at a time), and a copy with one altered record must be found altered there.

First it says what one record costs a gateway's writer in a commit window with 1, 8 and 64 of them: everything between
the message and the end of the transaction (canonical JSON, tree, encrypted body, all rows, commit with fsync).
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.machine import filesystem
from smartgov.engines.ledger import Appender, Log
from smartgov.engines.pki import keys
from smartgov.engines.troad.archive_file import Fold
from smartgov.engines.troad.batch import Batch
from smartgov.engines.troad.store import Entry, Place, Store, once
from smartgov.shared import canonical
from smartgov.shared.ids import uuid7

SIZES = (10_000, 100_000, 1_000_000)
FULL = (*SIZES, 10_000_000)
AIM = 300_000
WINDOWS = (1, 8, 64)
TIME, PEER = "2026-11-28T12:00:00.000Z", "TW/GOV/ris/gw1"
HOUR = int(datetime.fromisoformat(TIME).timestamp()) // 3600
_IN_WINDOWS = 4096
_BATCH = 512


def main() -> None:
    """Print one line a size; `--full` goes on to ten million entries (about 15 GB of disk)."""
    parser = argparse.ArgumentParser(prog="bench.ledger")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--sizes", type=int, nargs="*", help="numbers of entries, in place of the usual ones")
    given = [word for word in sys.argv[1:] if word.startswith("-") or word.isdigit()]
    options = parser.parse_args(given)
    sizes = options.sizes or (FULL if options.full else SIZES)
    _windows()
    print("entries      bytes/entry  append us  verify us  verify/s  wall s  peak MB, of which the mapped file is most")
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=os.environ.get("SMARTGOV_BENCH_DISK")) as folder:
            _measure(size, Path(folder))
    print(
        f"on {filesystem(Path(tempfile.gettempdir()))}; aim: {AIM:,} entries verified a second a core, signatures apart"
    )


def _windows() -> None:
    """Print the writer's CPU a record by the size of a commit window; what was written must verify."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("SMARTGOV_BENCH_DISK")) as name:
        file, wal = Path(name) / "log.sqlite3", Path(name) / "log.sqlite3-wal"
        Store(file, origin="bench", log_key=keys.generate_ed25519(), body_key=os.urandom(32)).stop()  # its tables
        with closing(sqlite3.connect(file, isolation_level=None, cached_statements=256)) as db:
            db.executescript("PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=0;")
            appender = Appender(db)
            for window in WINDOWS:
                before = wal.stat().st_size if wal.exists() else 0
                micros = _window(db, appender, window)
                written = (wal.stat().st_size - before) / _IN_WINDOWS / 1024
                print(f"{window:>3} records in a commit: {micros:6.1f} CPU us and {written:5.1f} KiB written, each")
            if Log(db, "bench").size() != len(WINDOWS) * _IN_WINDOWS or Log(db, "bench").verify_stored():
                raise SystemExit("the log does not hold what was written")


def _window(db: sqlite3.Connection, appender: Appender, window: int) -> float:
    wrap, spent = AESGCM(os.urandom(32)), 0.0
    made = [_entry(json.loads(record)) for record in _records(_IN_WINDOWS)]
    for first in range(0, _IN_WINDOWS, window):
        entries = made[first : first + window]
        started = time.process_time()
        db.execute("BEGIN IMMEDIATE")
        batch = Batch(db, appender, wrap, Place)
        batch.prepare(entries)
        for entry in entries:
            batch.take([entry])
        batch.flush()
        db.execute("COMMIT")
        spent += time.process_time() - started
    return spent / _IN_WINDOWS * 1e6


def _entry(record: dict[str, Any]) -> Entry:
    """A provider's question with all that belongs to it: body, nonce, the person's list."""
    nonce, now = secrets.token_urlsafe(16), int(time.time())
    entry = Entry(record, now, record["id"], body=(os.urandom(32), os.urandom(200), os.urandom(700)))
    entry.nonce, entry.visible_to = once(now, nonce), secrets.token_hex(32)
    return entry


def _measure(size: int, folder: Path) -> None:
    file = folder / "log.sqlite3"
    started, (count, root) = time.process_time(), _grow(file, size)
    append = (time.process_time() - started) / size * 1e6
    _drop_from_cache(file)
    began, started = time.perf_counter(), time.process_time()
    found = _verify(file)
    cpu, wall = time.process_time() - started, time.perf_counter() - began
    if found:
        raise SystemExit(f"a sound log was found altered: {found[:5]}")
    _hold_to_another_implementation(file, root)
    _find_an_altered_record(file, size)
    print(
        f"{size:>11,}  {count / size:>11.0f}  {append:>9.2f}  {cpu / size * 1e6:>9.2f}  {size / cpu:>8,.0f}"
        f"  {wall:>6.1f}  {_peak():>7.0f}",
        flush=True,
    )


def answers(count: int) -> Iterator[bytes]:
    """Records as a gateway writes them: answers with their proof, to questions of one gateway and one hour."""
    for number, record in enumerate(_records(count)):
        changed = {"kind": "answer", "status": 200, "asked": HOUR * 3600 + number * 3600 // count}
        yield canonical.dumps(json.loads(record) | changed | {"time": TIME})


def _records(count: int) -> Iterator[bytes]:
    """Records as a gateway writes them: a request with its proof."""
    body, base, signature = secrets.token_hex(32), secrets.token_hex(32), secrets.token_urlsafe(66)
    covered = '("@method" "@authority" "@path" "@query" "troad-body" "x-road-client" "x-road-id" "troad-receiver")'
    for _ in range(count):
        yield canonical.dumps(
            {
                "kind": "request",
                "side": "provider",
                "time": TIME,
                "id": uuid7(),
                "client": "TW/GOV/ris/cases",
                "service": "TW/GOV/hpa/births/births.v1",
                "method": "POST",
                "path": "/births/query",
                "gateway": PEER,
                "user": "seat-17",
                "issue": "case-2026-000017",
                "purpose": "birth-registration",
                "basis": {"kind": "statute", "code": "household-act-48"},
                "fields": ["born_on", "hospital", "mother_id"],
                "subject": base,
                "body": f"hmac-sha-256=:{body}:",
                "base": base,
                "input": f'troad={covered};created=1764331200;nonce="{body[:22]}";keyid="{base[:43]}";tag="troad-v2"',
                "signature": f"troad=:{signature}:",
            }
        )


def _grow(file: Path, size: int) -> tuple[int, bytes]:
    """Append `size` records in batches of a transaction each; their bytes and the root over them."""
    written = 0
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2000;")
        log = Log(db, "bench", keys.generate_ed25519())
        log.create_tables()
        made = _records(size)
        for first in range(0, size, _BATCH):
            batch = [next(made) for _ in range(min(_BATCH, size - first))]
            written += sum(map(len, batch))
            db.execute("BEGIN IMMEDIATE")
            log.append(batch)
            db.execute("COMMIT")
        log.remember(log.checkpoint())
        log.remember(log.checkpoint(size // 3 or 1))
        root = log.root()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return written, root


def _verify(file: Path) -> list[int]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        db.execute("PRAGMA mmap_size=1099511627776")
        return Log(db, "bench").verify_stored()


def _hold_to_another_implementation(file: Path, root: bytes) -> None:
    fold = Fold()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        for (record,) in db.execute("SELECT record FROM ledger_record ORDER BY idx"):
            fold.push(sha256(b"\x00" + record).digest())
    if fold.root() != root:
        raise SystemExit("two implementations differ about the root")


def _find_an_altered_record(file: Path, size: int) -> None:
    at = secrets.randbelow(size)
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("UPDATE ledger_record SET record = ? WHERE idx = ?", (b"forged", at))
    if _verify(file) != [at]:
        raise SystemExit(f"an altered record was not found at {at}")


def _drop_from_cache(file: Path) -> None:
    """Let the reading begin on the disk: the file's pages are written and given up."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def _peak() -> float:
    """The process's largest resident size so far, in MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
