"""Checking a whole log from its records, block by block, so that neither its size nor a hole in it matters.

A block's leaves are hashed, the subtrees over them computed level by level in lists, which is what Python does fastest,
and put together as the file holds them: with each record the subtrees that it completes. Then two lists must be equal.
Only where they are not is a single record looked for.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from operator import add

from smartgov.engines.ledger import merkle, upgrade
from smartgov.engines.ledger.appender import stored

_AHEAD = 32 * 2**20
"""Bytes of the file that the kernel is asked for before they are needed."""
LEVELS = 11
"""Of the subtree over a block: 2,048 records are in memory at a time, about what a processor's cache holds."""


def verify(db: sqlite3.Connection, levels: int = LEVELS) -> list[int]:
    """The indexes of altered or missing records; [-1] when only the tree or a kept checkpoint was altered; else []."""
    upgrade.readable(db)
    size, archived = sizes(db)
    bad, edge, whole = list[int](), list[bytes](), _nothing_before(db)
    with _read_ahead(db) as ahead:
        for low in range(0, size, 1 << levels):
            ahead(low / size)
            high = min(low + (1 << levels), size)
            kept = kept_hashes(db, low, high)
            leaves = _leaves(db, low, high, kept, archived)
            if not (whole and leaves and kept == hashes_of(leaves, low, levels, edge)):
                whole = False
                bad += wrong(db, max(low, archived), high)
    if bad:
        return bad
    return [] if whole and _heads_hold(db, size) else [-1]


@contextmanager
def _read_ahead(db: sqlite3.Connection) -> Iterator[Callable[[float], None]]:
    """Gives what is told how much of the log is done, and asks the kernel for what comes next.

    Both tables grow at their end, so that a part of the log is about the same part of the file. The disk works while
    hashes are computed, and a page that is there already costs a third less of CPU than one that has to be waited for.
    """
    (path,) = (row[2] for row in db.execute("PRAGMA database_list") if row[1] == "main")
    if not path or not hasattr(os, "posix_fadvise"):
        yield lambda _: None  # in memory, or on a system that cannot be asked
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        whole, asked = os.fstat(handle).st_size, 0

        def ahead(done: float) -> None:
            nonlocal asked
            if asked < whole and whole * done > asked - _AHEAD // 2:
                os.posix_fadvise(handle, asked, _AHEAD, os.POSIX_FADV_WILLNEED)
                asked += _AHEAD

        yield ahead
    finally:
        os.close(handle)


def sizes(db: sqlite3.Connection) -> tuple[int, int]:
    """How many records there are by records and hashes, and how many of them an archive holds."""
    (last,) = db.execute("SELECT max(idx) FROM ledger_record").fetchone()
    (leaf,) = db.execute("SELECT max(idx) FROM ledger_hash").fetchone()
    known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger_archive'").fetchone()
    (archived,) = db.execute("SELECT max(size) FROM ledger_archive").fetchone() if known else (0,)
    return max(-1 if last is None else last, -1 if leaf is None else leaf) + 1, archived or 0


def _nothing_before(db: sqlite3.Connection) -> bool:
    (count,) = db.execute(
        "SELECT (SELECT count(*) FROM ledger_record WHERE idx < 0) + (SELECT count(*) FROM ledger_hash WHERE idx < 0)"
    ).fetchone()
    return bool(count == 0)


def kept_hashes(db: sqlite3.Connection, low: int, high: int) -> list[bytes]:
    """What the file holds of the tree with each record of a block."""
    rows = db.execute("SELECT hashes FROM ledger_hash WHERE idx >= ? AND idx < ? ORDER BY idx", (low, high))
    return [hashes for (hashes,) in rows]


def _leaves(db: sqlite3.Connection, low: int, high: int, kept: list[bytes], archived: int) -> list[bytes]:
    """The leaf hashes of a block as its records give them, or none when that cannot be said."""
    first = min(max(low, archived), high)  # what an archive holds is told here by its hashes alone
    rows = db.execute("SELECT record FROM ledger_record WHERE idx >= ? AND idx < ? ORDER BY idx", (first, high))
    try:
        told = [bytes(hashes[:32]) for hashes in kept[: first - low]]
        leaves = told + [sha256(b"\x00" + record).digest() for (record,) in rows]
    except TypeError:
        return []  # somebody's UPDATE has made one a text
    return leaves if len(leaves) == len(kept) == high - low else []


def hashes_of(leaves: list[bytes], low: int, levels: int, edge: list[bytes]) -> list[bytes]:
    """What the file must hold with each record of a block: its leaf hash and the subtrees that it completes.

    `edge` holds the subtrees before the block that wait for their sibling, smallest last, and is brought up to date.
    """
    found, nodes = leaves.copy(), leaves
    for level in range(1, levels + 1):
        nodes = merkle.pairs(nodes)
        if not nodes:
            return found  # the log ends in this block
        every = slice((1 << level) - 1, None, 1 << level)
        found[every] = map(add, found[every], nodes)
    if len(leaves) == 1 << levels:
        value, at = nodes[0], low >> levels
        while at & 1:
            value, at = merkle.node_hash(edge.pop(), value), at >> 1
            found[-1] += value
        edge.append(value)
    return found


def wrong(db: sqlite3.Connection, low: int, high: int) -> Iterator[int]:
    """The records that are missing or do not fit the leaf hash that is kept."""
    query = "SELECT idx, CAST(record AS BLOB) FROM ledger_record WHERE idx >= ? AND idx < ?"
    found = {index: merkle.leaf_hash(record) for index, record in db.execute(query, (low, high))}
    query = "SELECT idx, CAST(substr(hashes, 1, 32) AS BLOB) FROM ledger_hash WHERE idx >= ? AND idx < ?"
    kept = dict(db.execute(query, (low, high)))
    yield from (index for index in range(low, high) if index not in found or found[index] != kept.get(index))


def _heads_hold(db: sqlite3.Connection, size: int) -> bool:
    """Whether the tree, whose subtrees are right by now, has the roots of all checkpoints that were given out."""
    heads = db.execute("SELECT size, root FROM ledger_checkpoint WHERE size > 0").fetchall()
    return all(count <= size and _root(db, count) == root for count, root in heads)


def _root(db: sqlite3.Connection, size: int) -> bytes:
    """The root over the first `size` records, of the largest complete subtrees, from the right."""
    levels = merkle.peaks(size)
    result = stored(db, levels[-1], (size >> levels[-1]) - 1)
    for level in levels[-2::-1]:
        result = merkle.node_hash(stored(db, level, (size >> level) - 1), result)
    return result
