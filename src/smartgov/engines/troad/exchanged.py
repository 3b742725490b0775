"""Which exchanges a gateway had with another one in an hour, as counts and roots that two gateways can compare.

Three sets for each hour (of the signed question) and each other gateway, by the log's records: `asked` (questions
sent), `client` (answers taken in), `provider` (answers given). What one took in the other has given, and what the other
has given one has asked: client within provider within asked. A set is told by its size and Merkle root; where these
differ, by those of its sixteen parts (by the first hex digits of the ids' SHA-256), down to lists of ids.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from smartgov.engines.ledger import merkle

PATH = "/peers/v1/exchanged"
ROLES = {"asked": ("request", "client"), "client": ("answer", "client"), "provider": ("answer", "provider")}
"""Kind and side of the record by which an exchange belongs to the set."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS exchanged (
    hour INTEGER, peer TEXT, role TEXT, id TEXT, PRIMARY KEY (hour, peer, role, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS compared (
    hour INTEGER, peer TEXT, agrees INTEGER NOT NULL, detail TEXT NOT NULL, made INTEGER NOT NULL,
    PRIMARY KEY (hour, peer)
) WITHOUT ROWID;
"""
KEPT_HOURS = 8 * 24
LIST = 200
"""So many ids are listed; of more, parts are told."""
MOST_DIFFERENCES = 10_000
"""So many ids that differ are looked for: with more, it is not single records that are missing."""
_AT_ONCE = 2000
"""Ids read in one go: no other reader or writer of the log waits for an hour's."""
_DIGITS = "0123456789abcdef"
_NOTHING = 0, merkle.EMPTY_ROOT.hex()
_MOST_DIGITS = 16
Tell = Callable[[str], Awaitable["Part"]]
"""Gives the other's part under a prefix of hex digits."""
Reading = Callable[[], AbstractContextManager[tuple[sqlite3.Connection, Any]]]
"""Gives a connection that reads the gateway's file (`Store.reading`)."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a set under a prefix: size and root, and either its ids or those two for each of sixteen parts."""

    count: int
    root: str
    ids: tuple[str, ...] | None = None
    parts: dict[str, tuple[int, str]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As it stands in a signed answer."""
        listed = {"ids": list(self.ids)} if self.ids is not None else {"parts": self.parts}
        return {"count": self.count, "root": self.root, **listed}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Part:
        """Read it. KeyError, TypeError or ValueError for another form, and for ids that do not give the root."""
        count, root = int(told["count"]), str(told["root"])
        if "ids" not in told:
            parts = {str(digit): (int(one), str(two)) for digit, (one, two) in told["parts"].items()}
            if not set(parts) <= set(_DIGITS):
                raise ValueError("a part is named by a hex digit")
            return cls(count, root, None, parts)
        ids = {sha256(str(one).encode()).digest(): str(one) for one in told["ids"]}
        order = sorted(ids)
        if (len(ids), merkle.root([merkle.leaf_hash(one) for one in order]).hex()) != (count, root):
            raise ValueError("the ids are not those of the root")
        return cls(count, root, tuple(ids[one] for one in order))


class Ids:
    """A set of exchange ids in the order of their hashes, however many: an hour can have millions.

    They lie in a file that has no name and goes with the set; SQLite keeps little of it in memory.
    """

    def __init__(self, ids: Iterable[str] = (), most: int = LIST) -> None:
        """`most`: so many are listed; of more, parts are told."""
        self._most = most
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-256;"
            "CREATE TABLE one (hash TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID; BEGIN;"
        )
        pairs = ((sha256(one.encode()).hexdigest(), one) for one in ids)
        self._db.executemany("INSERT OR IGNORE INTO one VALUES (?, ?)", pairs)
        self._db.execute("COMMIT")
        self._whole: Part | None = None

    def part(self, prefix: str = "") -> Part:
        """What is told of the ids whose hash begins with `prefix`; of all of them it is reckoned once."""
        if prefix:
            return self._part(prefix)
        if self._whole is None:
            self._whole = self._part("")
        return self._whole

    def under(self, prefix: str = "") -> set[str]:
        """The ids whose hash begins with `prefix`, the first so many of them."""
        return set(self._first(prefix, MOST_DIFFERENCES + LIST))

    def _part(self, prefix: str) -> Part:
        whole, under, at = merkle.Tree(), {digit: merkle.Tree() for digit in _DIGITS}, len(prefix)
        for (one,) in self._db.execute("SELECT hash FROM one WHERE hash >= ? AND hash < ?", _range(prefix)):
            leaf = merkle.leaf_hash(bytes.fromhex(one))
            whole.add(leaf)
            if at < _MOST_DIGITS:
                under[one[at]].add(leaf)
        size, root = whole.size, whole.root().hex()
        if size <= self._most or at >= _MOST_DIGITS:
            return Part(size, root, tuple(self._first(prefix, size)))
        parts = {digit: (tree.size, tree.root().hex()) for digit, tree in under.items() if tree.size}
        return Part(size, root, None, parts)

    def _first(self, prefix: str, most: int) -> list[str]:
        rows = self._db.execute("SELECT id FROM one WHERE hash >= ? AND hash < ? LIMIT ?", (*_range(prefix), most))
        return [str(one) for (one,) in rows]


def _range(prefix: str) -> tuple[str, str]:
    return prefix, prefix + "g"


async def differences(here: Ids, tell: Tell, prefix: str = "") -> tuple[set[str], set[str]]:
    """The ids that are only here, and those only there, up to `MOST_DIFFERENCES`; asks for no part that is the same."""
    there = await tell(prefix)
    mine = await asyncio.to_thread(here.part, prefix)
    if (mine.count, mine.root) == (there.count, there.root):
        return set(), set()
    if there.ids is not None:
        own = here.under(prefix)
        return own - set(there.ids), set(there.ids) - own
    only_here, only_there = set[str](), set[str]()
    for digit in _DIGITS:
        if await _root(here, mine, prefix + digit) == there.parts.get(digit, _NOTHING)[1]:
            continue
        if digit not in there.parts:
            only_here |= here.under(prefix + digit)
            continue
        one, two = await differences(here, tell, prefix + digit)
        only_here, only_there = only_here | one, only_there | two
        if max(len(only_here), len(only_there)) >= MOST_DIFFERENCES:
            break
    return only_here, only_there


async def _root(here: Ids, mine: Part, prefix: str) -> str:
    """The root under a prefix, one digit further than `mine`, which tells it unless it lists its ids."""
    if mine.ids is None:
        return mine.parts.get(prefix[-1], _NOTHING)[1]
    return (await asyncio.to_thread(here.part, prefix)).root


def unsent(hour: int, peer: str, exchange: str) -> Callable[[sqlite3.Connection], None]:
    """What the transaction does that records that a question never left: it was not asked, and an answer to it would
    be a difference. Where the same id was put to that gateway more than once the set keeps it, because one may have.
    """

    def effect(db: sqlite3.Connection) -> None:
        (asked,) = db.execute(
            "SELECT count(*) FROM place AS p JOIN ledger_record AS r ON r.idx = p.idx WHERE p.exchange = ?"
            " AND json_extract(CAST(r.record AS TEXT), '$.kind') = 'request'"
            " AND json_extract(CAST(r.record AS TEXT), '$.gateway') = ?",
            (exchange, peer),
        ).fetchone()
        if asked <= 1:
            row = (hour, peer, exchange)
            db.execute("DELETE FROM exchanged WHERE hour = ? AND peer = ? AND role = 'asked' AND id = ?", row)

    return effect


# -- the tables ---------------------------------------------------------------------------------------------------


def load(reading: Reading, hour: int, peer: str, role: str) -> Ids:
    """The set of an hour, of those exchanges only whose record is still in the log; read a part at a time."""
    return Ids(_recorded(reading, hour, peer, role))


def _recorded(reading: Reading, hour: int, peer: str, role: str) -> Iterator[str]:
    kind, side = ROLES[role]
    last = ""
    while True:
        with reading() as (db, _):
            rows = db.execute(
                "SELECT id, EXISTS (SELECT 1 FROM place AS p JOIN ledger_record AS r ON r.idx = p.idx"
                " WHERE p.exchange = e.id AND json_extract(CAST(r.record AS TEXT), '$.kind') = ?"
                " AND json_extract(CAST(r.record AS TEXT), '$.side') = ?) FROM (SELECT id FROM exchanged"
                " WHERE hour = ? AND peer = ? AND role = ? AND id > ? ORDER BY id LIMIT ?) AS e",
                (kind, side, hour, peer, role, last, _AT_ONCE),
            ).fetchall()
        yield from (str(one) for one, is_there in rows if is_there)
        if len(rows) < _AT_ONCE:
            return
        last = max(str(one) for one, _ in rows)


def peers(db: sqlite3.Connection, hour: int) -> Iterator[str]:
    """The gateways with which there was an exchange in this hour; one look into the index for each."""
    last = ""
    while True:
        row = db.execute("SELECT min(peer) FROM exchanged WHERE hour = ? AND peer > ?", (hour, last)).fetchone()
        if row[0] is None:
            return
        last = str(row[0])
        yield last


def forget(db: sqlite3.Connection, now: int) -> None:
    """Drop what nobody compares any more."""
    oldest = now // 3600 - KEPT_HOURS
    db.execute("DELETE FROM exchanged WHERE hour < ?", (oldest,))
    db.execute("DELETE FROM compared WHERE hour < ?", (oldest,))
