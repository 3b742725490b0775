"""Which exchanges a gateway had with another one in an hour, as counts and roots that two gateways can compare.

Three sets for each hour (of the signed question) and each other gateway, by the log's records: `asked` (questions
sent), `client` (answers taken in), `provider` (answers given). What one took in the other has given, and what the other
has given one has asked: client within provider within asked. A set is told by its size and Merkle root; where these
differ, by those of its sixteen parts (by the first hex digits of the ids' SHA-256), down to lists of ids.
"""

from __future__ import annotations

import bisect
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator
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
_DIGITS = "0123456789abcdef"
_MOST_DIGITS = 16
Tell = Callable[[str], Awaitable["Part"]]
"""Gives the other's part under a prefix of hex digits."""


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
        ids = Ids(str(one) for one in told["ids"])
        if (len(ids.ids), ids.root()) != (count, root):
            raise ValueError("the ids are not those of the root")
        return cls(count, root, tuple(ids.ids))


class Ids:
    """A set of exchange ids in the order of their hashes."""

    def __init__(self, ids: Iterable[str]) -> None:
        pairs = sorted((sha256(one.encode()).hexdigest(), one) for one in set(ids))
        self._hashes = [digest for digest, _ in pairs]
        self.ids = [one for _, one in pairs]

    def part(self, prefix: str, most: int = LIST) -> Part:
        """What is told of the ids whose hash begins with `prefix`."""
        low, high = self._range(prefix)
        if high - low <= most or len(prefix) >= _MOST_DIGITS:
            return Part(high - low, self._root(low, high), tuple(self.ids[low:high]))
        under = {digit: self._range(prefix + digit) for digit in _DIGITS}
        parts = {digit: (b - a, self._root(a, b)) for digit, (a, b) in under.items() if b > a}
        return Part(high - low, self._root(low, high), None, parts)

    def root(self, prefix: str = "") -> str:
        """The Merkle root (hex) over the hashes that begin with `prefix`."""
        return self._root(*self._range(prefix))

    def under(self, prefix: str) -> set[str]:
        """The ids whose hash begins with `prefix`."""
        low, high = self._range(prefix)
        return set(self.ids[low:high])

    def _range(self, prefix: str) -> tuple[int, int]:
        return bisect.bisect_left(self._hashes, prefix), bisect.bisect_left(self._hashes, prefix + "g")

    def _root(self, low: int, high: int) -> str:
        return merkle.root([merkle.leaf_hash(bytes.fromhex(one)) for one in self._hashes[low:high]]).hex()


async def differences(here: Ids, tell: Tell, prefix: str = "") -> tuple[set[str], set[str]]:
    """The ids that are only here, and those only there; asks for no part that is the same."""
    there = await tell(prefix)
    mine = here.part(prefix)
    if (mine.count, mine.root) == (there.count, there.root):
        return set(), set()
    if there.ids is not None:
        own = here.under(prefix)
        return own - set(there.ids), set(there.ids) - own
    only_here, only_there = set[str](), set[str]()
    for digit in _DIGITS:
        if here.root(prefix + digit) == there.parts.get(digit, (0, merkle.EMPTY_ROOT.hex()))[1]:
            continue
        if digit not in there.parts:
            only_here |= here.under(prefix + digit)
            continue
        one, two = await differences(here, tell, prefix + digit)
        only_here, only_there = only_here | one, only_there | two
    return only_here, only_there


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


def load(db: sqlite3.Connection, hour: int, peer: str, role: str) -> Ids:
    """The set of an hour, of those exchanges only whose record is still in the log."""
    kind, side = ROLES[role]
    rows = db.execute(
        "SELECT id FROM exchanged AS e WHERE hour = ? AND peer = ? AND role = ? AND EXISTS ("
        "SELECT 1 FROM place AS p JOIN ledger_record AS r ON r.idx = p.idx WHERE p.exchange = e.id"
        " AND json_extract(CAST(r.record AS TEXT), '$.kind') = ?"
        " AND json_extract(CAST(r.record AS TEXT), '$.side') = ?)",
        (hour, peer, role, kind, side),
    )
    return Ids(str(one) for (one,) in rows)


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
