"""Taking old records out of a gateway's log into files that verify alone; the tree keeps all its hashes.

`write` only reads: it makes the file, checks it as anybody would, and leaves a note of it in the home. The running
gateway finds the note (`take_out`), records the file's digest in the log, and only then drops the records. What stays
is the tree, so that every later proof holds, and the keys of archived bodies, so that they can still be erased.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartgov.engines.ledger import Log
from smartgov.engines.pki import keys
from smartgov.engines.troad import archive_file, past, records
from smartgov.engines.troad.home import Home
from smartgov.engines.trust import proving
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

FOLDER = "archives"
LEAST_DAYS = 8
"""No younger records are archived: idempotency keys and comparisons with peers still need them."""
_SLICE = 500


def write(home: Home, before: datetime, out: Path, *, remove: bool) -> Path:
    """Archive what was recorded before a time into a new file of the folder `out`; Problem `archive-impossible`.

    The file ends with a head that was published by then, a time-stamped one where there is such.
    """
    with closing(sqlite3.connect(f"file:{home.path / 'log.sqlite3'}?mode=ro", uri=True)) as db:
        db.execute("BEGIN")
        log = Log(db, home.gateway)
        first = log.archived()
        most = min(log.size() - 1, records.first_after(db, records.moment(before)))
        size = _end(db, first, most, int(before.timestamp()))
        out.mkdir(parents=True, exist_ok=True)
        file = out / f"{first:012d}-{size:012d}{archive_file.SUFFIX}"
        _write(file, _lines(home, db, log, first, size))
        root = log.root(size).hex()
    if remove:
        note = {"first": first, "size": size, "root": root, "file": file.name, "sha256": _digest(file)}
        keys.write_secret(home.path / FOLDER / f"{file.name}.json", json.dumps(note).encode())
    return file


async def take_out(core: Core) -> None:
    """Drop the records of archives that were noted in the home and are not taken out yet."""
    for path in sorted((core.home.path / FOLDER).glob("*.json")):
        note = json.loads(path.read_text())
        with core.store.reading() as (_, log):
            archived = log.archived()
            fits = note["size"] < log.size() and log.root(note["size"]).hex() == note["root"]
        if not fits or note["first"] > archived:
            core.alarms.set("archive-does-not-fit", note["file"])
            continue
        if core.store.fact(f"archive:{note['file']}") is None:
            await core.store.commit([_entry(core, note)])
        for low in range(archived, note["size"], _SLICE):
            high = min(low + _SLICE, note["size"])
            await core.store.apply(lambda db, low=low, high=high: _drop(core, db, low, high))  # type: ignore[misc]
            await asyncio.sleep(0)  # exchanges come between
        path.unlink()


def _entry(core: Core, note: dict[str, Any]) -> Any:
    record = {"kind": "archive", "side": "own", "time": records.moment(core.now()), **note}
    entry = core.entry(record)
    fact = (f"archive:{note['file']}", note["sha256"])
    entry.effects.append(lambda db: db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", fact))  # type: ignore[arg-type]
    return entry


def _drop(core: Core, db: sqlite3.Connection, low: int, high: int) -> None:
    Log(db, core.home.gateway).drop(high)
    db.execute("UPDATE message SET sealed = NULL WHERE idx >= ? AND idx < ?", (low, high))


# -- the file -----------------------------------------------------------------------------------------------------


def _end(db: sqlite3.Connection, first: int, most: int, before: int) -> int:
    row = db.execute(
        "SELECT size FROM head WHERE size > ? AND size <= ? AND made < ?"
        " ORDER BY size IN (SELECT size FROM stamp) DESC, size DESC LIMIT 1",
        (first, most, before),
    ).fetchone()
    if row is None:
        raise impossible(
            "No head of the log was published over records from before that time which are not archived yet.",
            "該時間之前沒有尚未歸檔且已公布檢查點的紀錄。",
        )
    return int(row[0])


def _lines(home: Home, db: sqlite3.Connection, log: Log, first: int, size: int) -> Iterator[dict[str, Any]]:
    yield {
        "type": archive_file.TYPE,
        "gateway": home.gateway,
        "first": first,
        "size": size,
        "left": [part.hex() for part in log.peaks(first)],
        "heads": list(_heads(db, first, size)),
        "configurations": _configurations(home, log, first, size),
    }
    for index, exact in log.records(first, size):
        row = db.execute("SELECT sealed FROM message WHERE idx = ?", (index,)).fetchone()
        line = {"index": index, "record": base64.b64encode(exact).decode()}
        if row and row[0] is not None:
            line["sealed"] = base64.b64encode(row[0]).decode()
        yield line


def _heads(db: sqlite3.Connection, first: int, size: int) -> Iterator[dict[str, Any]]:
    rows = db.execute(
        "SELECT h.size, h.note, (SELECT token FROM stamp AS s WHERE s.size = h.size ORDER BY time LIMIT 1) AS token"
        " FROM head AS h WHERE h.size > ? AND h.size <= ? ORDER BY h.size",
        (first, size),
    )
    for at, note, token in rows:
        if token is not None or at == size:
            yield {"head": note, "stamp": base64.b64encode(token).decode() if token else None}


def _configurations(home: Home, log: Log, first: int, size: int) -> list[dict[str, Any]]:
    begin, end = (_unix(log.record(index)) for index in (first, size - 1))
    found = past.between(home.path, begin - past.NEAR, end + past.NEAR)
    return [{"from": since, "files": proving(json.loads(bundle)["files"])} for since, bundle in found]


def _unix(exact: bytes) -> float:
    record = json.loads(exact)
    return datetime.fromisoformat(record.get("logged") or record["time"]).timestamp()


def _write(file: Path, content: Iterator[dict[str, Any]]) -> None:
    draft = file.with_name(f".{file.name}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, compresslevel=6) as packed:
            for line in content:
                packed.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        raw.flush()
        os.fsync(raw.fileno())
    draft.replace(file)


def _digest(file: Path) -> str:
    digest = sha256()
    with file.open("rb") as raw:
        while part := raw.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def impossible(en: str, zh: str) -> Problem:
    """Problem `archive-impossible`."""
    return Problem(
        "archive-impossible",
        422,
        what=Text("Nothing was archived.", "未進行歸檔。"),
        why=Text(en, zh),
        todo=Text("Choose another time; the log is as it was.", "請選擇其他時間；日誌未變更。"),
    )
