"""Checking a whole log from its records, block by block, so that neither its size nor a hole in it matters.

A block's leaves are hashed, its subtrees computed level by level and compared with the stored ones in lists, which is
what Python does fastest; the subtrees above the blocks are computed of the blocks' roots. Only where something differs
is a single record looked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import sha256

from smartgov.engines.ledger import merkle

LEVELS = 13
"""Of the subtree over a block: 8,192 records are in memory at a time."""


def verify(db: sqlite3.Connection, levels: int = LEVELS) -> list[int]:
    """The indexes of altered or missing records; [-1] when only the tree or a kept checkpoint was altered; else []."""
    size, archived = _sizes(db)
    bad, whole, roots = list[int](), _counts_fit(db, size), list[bytes]()
    for low in range(0, size, 1 << levels):
        high = min(low + (1 << levels), size)
        leaves, wrong = _leaves(db, low, high, archived)
        bad += wrong
        if wrong or not whole:
            whole = False
            continue
        whole = _climb(db, leaves, low, levels, roots)
    if bad:
        return bad
    return [] if whole and _upper(db, roots, levels) and _heads_hold(db, size) else [-1]


def _sizes(db: sqlite3.Connection) -> tuple[int, int]:
    (last,) = db.execute("SELECT max(idx) FROM ledger_record").fetchone()
    (leaf,) = db.execute("SELECT max(idx) FROM ledger_node WHERE level = 0").fetchone()
    known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger_archive'").fetchone()
    (archived,) = db.execute("SELECT max(size) FROM ledger_archive").fetchone() if known else (0,)
    return max(-1 if last is None else last, -1 if leaf is None else leaf) + 1, archived or 0


def _counts_fit(db: sqlite3.Connection, size: int) -> bool:
    """Whether there are as many subtrees as in a log of this size; that these are the right ones is seen one by one."""
    (count,) = db.execute("SELECT count(*) FROM ledger_node").fetchone()
    return bool(count == sum(size >> level for level in range(size.bit_length())))


def _leaves(db: sqlite3.Connection, low: int, high: int, archived: int) -> tuple[list[bytes], list[int]]:
    """The leaf hashes of a block as its records give them, and the indexes of those that do not fit the stored ones."""
    stored = _stored(db, 0, low, high)
    first = min(max(low, archived), high)  # what an archive holds is told here by its hashes alone
    rows = db.execute("SELECT record FROM ledger_record WHERE idx >= ? AND idx < ? ORDER BY idx", (first, high))
    try:
        leaves = stored[: first - low] + [sha256(b"\x00" + record).digest() for (record,) in rows]
    except TypeError:
        leaves = []  # somebody's UPDATE has made one a text
    if leaves == stored and len(leaves) == high - low:
        return leaves, []
    return leaves, list(_wrong(db, first, high))


def _bytes(record: bytes | str) -> bytes:
    return record if isinstance(record, bytes) else record.encode()


def _wrong(db: sqlite3.Connection, low: int, high: int) -> Iterator[int]:
    query = "SELECT idx, record FROM ledger_record WHERE idx >= ? AND idx < ?"
    found = {index: merkle.leaf_hash(_bytes(record)) for index, record in db.execute(query, (low, high))}
    query = "SELECT idx, hash FROM ledger_node WHERE level = 0 AND idx >= ? AND idx < ?"
    stored = dict(db.execute(query, (low, high)))
    yield from (index for index in range(low, high) if index not in found or found[index] != stored.get(index))


def _climb(db: sqlite3.Connection, level_0: list[bytes], low: int, levels: int, roots: list[bytes]) -> bool:
    """Whether the complete subtrees over a block are the stored ones; a complete block's root is added to `roots`."""
    nodes = level_0
    for level in range(1, levels + 1):
        nodes = merkle.pairs(nodes)
        start = low >> level
        if nodes != _stored(db, level, start, start + len(nodes)):
            return False
    roots += nodes
    return True


def _upper(db: sqlite3.Connection, roots: list[bytes], level: int) -> bool:
    nodes = roots
    while len(nodes) > 1:
        nodes, level = merkle.pairs(nodes), level + 1
        if nodes != _stored(db, level, 0, len(nodes)):
            return False
    return True


def _stored(db: sqlite3.Connection, level: int, low: int, high: int) -> list[bytes]:
    if low == high:
        return []
    query = "SELECT hash FROM ledger_node WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx"
    return [value for (value,) in db.execute(query, (level, low, high))]


def _heads_hold(db: sqlite3.Connection, size: int) -> bool:
    """Whether the tree, whose subtrees are right by now, has the roots of all checkpoints that were given out."""
    heads = db.execute("SELECT size, root FROM ledger_checkpoint WHERE size > 0").fetchall()
    return all(count <= size and _root(db, count) == root for count, root in heads)


def _root(db: sqlite3.Connection, size: int) -> bytes:
    """The root over the first `size` records, of the largest complete subtrees, from the right."""
    result, low = b"", 0
    parts: list[bytes] = []
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            parts += _stored(db, level, low >> level, (low >> level) + 1)
            low += 1 << level
    for part in reversed(parts):
        result = merkle.node_hash(part, result) if result else part
    return result
