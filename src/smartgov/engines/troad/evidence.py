"""The evidence bundle: everything that proves one exchange, in one JSON file that is checked without this gateway.

It holds the exact records with their proofs under one signed head, the head's co-signatures and time stamp, an earlier
head that bounds the time from below, the configuration of that day, and salt, body and signature base where they were
not erased. Where the head is of much later (the reader has kept one of now, or the log's key has changed since), it
holds the first head over the records too, and the configuration of the later one: the head of now says by which key
the older one was signed. `docs/protocols/troad-evidence-1.md` is the specification.
"""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from smartgov.engines.ledger import Log, checkpoint
from smartgov.engines.pki import keys
from smartgov.engines.troad import past
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.records import parsed
from smartgov.engines.trust import proving
from smartgov.shared.problems import Problem

TYPE = "troad-evidence-v1"
_SIGNED_KINDS = {"request", "answer", "trail"}


async def bundle(core: Core, exchange: str, have: Iterable[int] = ()) -> dict[str, Any]:
    """The bundle of an exchange; Problem `record-unknown`. `have` are sizes of heads that the reader has kept."""
    with core.store.reading() as (db, _):
        indexes = [int(i) for (i,) in db.execute("SELECT idx FROM place WHERE exchange = ? ORDER BY idx", (exchange,))]
    if not indexes:
        raise refuse("record-unknown")
    with core.store.reading() as (_, log):
        if indexes[0] < log.archived():
            raise refuse("record-archived")
    await core.heads.publish(at_least=indexes[-1] + 1)
    with core.store.reading() as (db, log):
        sizes = sorted({size for size in have if 0 < size <= log.size()})
        nearest = covering(db, indexes[-1] + 1)
        said = [parsed(_exact(log, index)) for index in indexes]
        moment = _unix(str(said[0].get("time", "")), core)
        day = past.of_exchange(core.home.path, moment, [str(one.get("input", "")) for one in said])
    later = bool(sizes and sizes[-1] > nearest[0]) or not _is_listed(day, core.home.gateway, nearest[1])
    if later:
        await core.heads.publish()
    with core.store.reading() as (db, log):
        head = _newest(db) if later else nearest
        content = _collect(core, db, log, exchange, indexes, head, day)
        content["have"] = [{"size": old, **_link(log, old, head[0])} for old in sizes if old <= head[0]]
        if later:
            content |= _of_later(core, db, log, nearest, head, day)
    return content


def parties(core: Core, exchange: str) -> set[str]:
    """The information systems of this exchange: who asked, and whose service it was."""
    with core.store.reading() as (db, log):
        indexes = db.execute("SELECT idx FROM place WHERE exchange = ?", (exchange,)).fetchall()
        records = [parsed(_exact(log, int(index))) for (index,) in indexes]
    named = {str(record.get("client", "")) for record in records}
    return named | {str(record.get("service", "")).rpartition("/")[0] for record in records}


def _collect(
    core: Core,
    db: sqlite3.Connection,
    log: Log,
    exchange: str,
    indexes: list[int],
    head: tuple[int, str],
    day: bytes | None,
) -> dict[str, Any]:
    size, note = head
    earlier = db.execute("SELECT size, note FROM head WHERE size <= ? ORDER BY size DESC LIMIT 1", (indexes[0],))
    before = earlier.fetchone()
    members = _members(log, indexes) | {core.home.member} | _signers(note, before[1] if before else "")
    return {
        "type": TYPE,
        "exchange": exchange,
        "gateway": core.home.gateway,
        "configuration": _proving(day, members) if day else {},
        "head": note,
        "stamp": _stamp(db, size),
        "before": before and _beside(db, log, (int(before[0]), before[1]), size),
        "entries": [_entry(core, log, index, size) for index in indexes],
    }


def _of_later(
    core: Core, db: sqlite3.Connection, log: Log, nearest: tuple[int, str], head: tuple[int, str], day: bytes | None
) -> dict[str, Any]:
    """What links a head of now to the records: the first head over them, the newest configuration that lists its key.

    That is the one in force, unless this gateway has been taken out of service since.
    """
    gateway = core.home.gateway
    now = next((one for one in past.newest_first(core.home.path) if _is_listed(one, gateway, head[1])), None)
    return {
        "over": _beside(db, log, nearest, head[0]) if nearest[0] < head[0] else None,
        "head_configuration": _proving(now, {core.home.member} | _signers(head[1], nearest[1]))
        if now and now != day
        else None,
    }


def _members(log: Log, indexes: Sequence[int]) -> set[str]:
    """Who asked and who answered: what both signed about the service and the right goes into the bundle."""
    records = [parsed(_exact(log, index)) for index in indexes]
    named = [str(record.get(name, "")) for record in records for name in ("client", "service")]
    return {"/".join(name.split("/")[:3]) for name in named}


def _signers(*notes: str) -> set[str]:
    """The members whose gateways stand under these heads: what they signed about their keys is proof too."""
    lines = [line.removeprefix("— ") for note in notes for line in note.splitlines() if line.startswith("— ")]
    return {line.rpartition(" ")[0].rpartition("/")[0] for line in lines}


def _proving(configuration: bytes, members: Iterable[str]) -> dict[str, Any]:
    return {"files": proving(json.loads(configuration)["files"], members)}


def _beside(db: sqlite3.Connection, log: Log, head: tuple[int, str], under: int) -> dict[str, Any]:
    size, note = head
    return {"head": note, "stamp": _stamp(db, size), **_link(log, size, under)}


def covering(db: sqlite3.Connection, least: int) -> tuple[int, str]:
    """The first stamped head that covers the records, because its stamp is nearest to them; else the first of any."""
    stamped = "SELECT size, note FROM stamp JOIN head USING (size) WHERE size >= ? ORDER BY size LIMIT 1"
    of_any = "SELECT size, note FROM head WHERE size >= ? ORDER BY size LIMIT 1"
    row = db.execute(stamped, (least,)).fetchone() or db.execute(of_any, (least,)).fetchone()
    if row is None:
        raise refuse("record-unknown")
    return int(row[0]), str(row[1])


def _newest(db: sqlite3.Connection) -> tuple[int, str]:
    size, note = db.execute("SELECT size, note FROM head ORDER BY size DESC LIMIT 1").fetchone()
    return int(size), str(note)


def _is_listed(configuration: bytes | None, gateway: str, note: str) -> bool:
    """Whether a configuration lists the log key that signed this head."""
    files = json.loads(configuration)["files"] if configuration else {}
    member, _, code = gateway.rpartition("/")
    for country in (json.loads(text) for name, text in files.items() if name.endswith(".country.json")):
        listed = [one for entry in country["members"] if entry["id"] == member for one in entry["gateways"]]
        for key in (keys.from_jwk(one["log_key"]) for one in listed if one["code"] == code):
            with contextlib.suppress(Problem):
                return isinstance(key, Ed25519PublicKey) and bool(checkpoint.verify(note, key))
    return False


def _stamp(db: sqlite3.Connection, size: int) -> str | None:
    row = db.execute("SELECT token FROM stamp WHERE size = ? ORDER BY time LIMIT 1", (size,)).fetchone()
    return None if row is None else base64.b64encode(row[0]).decode()


def _link(log: Log, old: int, new: int) -> dict[str, Any]:
    return {"consistency": [part.hex() for part in log.consistency(old, new)] if 0 < old < new else []}


def _entry(core: Core, log: Log, index: int, size: int) -> dict[str, Any]:
    exact = _exact(log, index)
    entry: dict[str, Any] = {
        "index": index,
        "record": base64.b64encode(exact).decode(),
        "proof": [part.hex() for part in log.inclusion(index, size)],
    }
    if parsed(exact).get("kind") in _SIGNED_KINDS and (kept := _kept(core, index)) is not None:
        names = ("salt", "body", "base")
        entry |= {name: base64.b64encode(part).decode() for name, part in zip(names, kept, strict=True)}
    if (veil := core.store.veil(index)) is not None:
        entry |= {"veil_salt": base64.b64encode(veil[0]).decode(), "veil": base64.b64encode(veil[1]).decode()}
    return entry


def _kept(core: Core, index: int) -> tuple[bytes, bytes, bytes] | None:
    try:
        return core.store.message(index)
    except (ValueError, Problem):
        return None  # somebody has damaged it: the record stands without


def _exact(log: Log, index: int) -> bytes:
    try:
        return log.record(index)
    except KeyError:
        return b""  # somebody has removed it: it is shown, and cannot be proven


def _unix(text: str, core: Core) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return core.now().timestamp()
