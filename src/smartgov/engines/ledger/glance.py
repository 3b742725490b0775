"""Looking at a log for as much as one look may cost, whatever its size; `audit` reads all of it.

The newest records are read with their part of the tree, some older ones are drawn by chance and proven under the root,
and the root is held to a head that was signed. A single old record that was altered is found by chance only; a log that
was cut off, mended or torn is found always.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import partial
from random import SystemRandom

from smartgov.engines.ledger import audit, merkle
from smartgov.engines.ledger.appender import part, stored

DRAWN = 64
"""Older records that are looked at."""


@dataclass(frozen=True, slots=True)
class Glance:
    """How many records there are, which of those looked at are altered or missing, whether the tree is torn."""

    size: int
    altered: tuple[int, ...] = ()
    torn: bool = False


def look(
    db: sqlite3.Connection, head: tuple[int, bytes] | None = None, *, levels: int = audit.LEVELS, drawn: int = DRAWN
) -> Glance:
    """Look at the newest one or two blocks and at `drawn` older records; `head` is a size and the root it must have.

    A head of more records than there are says nothing here.
    """
    size, archived = audit.sizes(db)
    try:
        altered, whole = _newest(db, size, archived, levels)
        older = range(archived, _begin(size, levels))
        some = SystemRandom().sample(older, min(drawn, len(older)))
        altered += [index for index in some if not _proven(db, index, size)]
        whole = whole and (head is None or not 0 < head[0] <= size or part(db, 0, head[0]) == head[1])
    except (KeyError, TypeError):  # a part of the tree is missing, or is no hash
        return Glance(size, torn=True)
    return Glance(size, tuple(sorted(altered)), not whole)


def _begin(size: int, levels: int) -> int:
    """Where the block before the last one begins."""
    return max(0, ((size - 1) >> levels) - 1) << levels


def _newest(db: sqlite3.Connection, size: int, archived: int, levels: int) -> tuple[list[int], bool]:
    """The altered ones among the newest records, and whether the tree over them is put together as it must be."""
    low, bad, whole = _begin(size, levels), list[int](), _ends_agree(db)
    edge = [stored(db, level, (low >> level) - 1) for level in merkle.peaks(low)]
    for begin in range(low, size, 1 << levels):
        end = min(begin + (1 << levels), size)
        kept = audit.kept_hashes(db, begin, end)
        leaves = [bytes(hashes[:32]) for hashes in kept]
        whole = whole and len(kept) == end - begin and kept == audit.hashes_of(leaves, begin, levels, edge)
        bad += audit.wrong(db, max(begin, archived), end)
    return bad, whole


def _ends_agree(db: sqlite3.Connection) -> bool:
    """Whether the last record and the last hash are of the same index: else nothing can be added."""
    query = "SELECT (SELECT max(idx) FROM ledger_record) IS (SELECT max(idx) FROM ledger_hash)"
    (same,) = db.execute(query).fetchone()
    return bool(same)


def _proven(db: sqlite3.Connection, index: int, size: int) -> bool:
    """Whether a record is under the root of the tree."""
    row = db.execute("SELECT CAST(record AS BLOB) FROM ledger_record WHERE idx = ?", (index,)).fetchone()
    if row is None:
        return False
    inside = partial(part, db)
    proof, root = merkle.inclusion_proof(index, size, inside), inside(0, size)
    return merkle.verify_inclusion(
        leaf=merkle.leaf_hash(row[0]), index=index, size=size, proof=proof, expected_root=root
    )
