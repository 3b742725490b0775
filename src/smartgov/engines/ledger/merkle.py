"""Merkle tree arithmetic of RFC 9162 section 2.1: pure functions over hashes, no storage.

A tree over n leaves splits at the largest power of two below n; leaves are hashed with a 0x00 prefix and inner nodes
with 0x01, so that neither can pass for the other.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
Range = Callable[[int, int], bytes]
"""Gives the root over the leaves from the first number up to, not including, the second."""


def leaf_hash(record: bytes) -> bytes:
    """The hash of one record."""
    return sha256(b"\x00" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two that is smaller than `size` (which is at least 2)."""
    return 1 << (size - 1).bit_length() - 1


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, level by level: an odd last one is the subtree of the level above as it is."""
    level = list(leaves)
    while len(level) > 1:
        odd = level[-1:] if len(level) & 1 else []
        level = pairs(level) + odd
    return level[0] if level else EMPTY_ROOT


def pairs(level: Sequence[bytes]) -> list[bytes]:
    """The hashes over neighbours, two by two; an odd last one is left out."""
    each = iter(level)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(each, each, strict=False)]


class Tree:
    """The root over leaf hashes that come one after another: it holds one hash for each level, however many come."""

    def __init__(self) -> None:
        self.size = 0
        self._complete: list[bytes] = []
        """The roots of the complete subtrees, largest first."""

    def add(self, leaf: bytes) -> None:
        """Take the next leaf hash."""
        self.size += 1
        waiting = self.size
        while not waiting & 1:
            leaf = node_hash(self._complete.pop(), leaf)
            waiting >>= 1
        self._complete.append(leaf)

    def root(self) -> bytes:
        """The root over what came until now."""
        if not self._complete:
            return EMPTY_ROOT
        *others, found = self._complete
        for left in reversed(others):
            found = node_hash(left, found)
        return found


def peaks(size: int) -> list[int]:
    """The levels of the complete subtrees that a tree of this size consists of, largest first."""
    return [level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]


def over(leaves: Sequence[bytes]) -> Range:
    """Roots of ranges, computed from leaf hashes in memory."""

    def part(low: int, high: int) -> bytes:
        if high - low == 1:
            return leaves[low]
        middle = low + split(high - low)
        return node_hash(part(low, middle), part(middle, high))

    return part


def inclusion_proof(index: int, size: int, part: Range) -> list[bytes]:
    """The sibling hashes that lead from leaf `index` to the root of the first `size` leaves, lowest first."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of this size")
    proof: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + split(high - low)
        if index < middle:
            proof.append(part(middle, high))
            high = middle
        else:
            proof.append(part(low, middle))
            low = middle
    return proof[::-1]


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `proof` shows that the leaf hash stands at `index` under `expected_root` (RFC 9162 section 2.1.3.2)."""
    found = root_from(leaf=leaf, index=index, size=size, proof=proof)
    return found is not None and hmac.compare_digest(found, expected_root)


def root_from(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root to which `proof` leads from a leaf hash at `index`; None when it is not as long as it has to be."""
    if not 0 <= index < size:
        return None
    fn, sn, result = index, size - 1, leaf
    for sibling in proof:  # `node_hash` is written out: every message of a batch climbs its tree here
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            result = sha256(b"\x01" + sibling + result).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = sha256(b"\x01" + result + sibling).digest()
        fn, sn = fn >> 1, sn >> 1
    return result if sn == 0 else None


def consistency_proof(old: int, new: int, part: Range) -> list[bytes]:
    """The hashes which show that the first `old` of `new` leaves are unchanged (RFC 9162 section 2.1.4.1)."""
    if not 0 < old <= new:
        raise ValueError("a proof leads from a non-empty tree to one at least as large")
    return [] if old == new else _subproof(old, 0, new, part, whole=True)


def _subproof(old: int, low: int, high: int, part: Range, *, whole: bool) -> list[bytes]:
    if low + old == high:
        return [] if whole else [part(low, high)]
    middle = low + split(high - low)
    if low + old <= middle:
        return [*_subproof(old, low, middle, part, whole=whole), part(middle, high)]
    return [*_subproof(low + old - middle, middle, high, part, whole=False), part(low, middle)]


def verify_consistency(*, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of size `old` is the beginning of the one of size `new` (2.1.4.2)."""
    if old == new:
        return not proof and hmac.compare_digest(old_root, new_root)
    if not 0 < old < new or not proof:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old_seen = new_seen = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old_seen, new_seen = node_hash(sibling, old_seen), node_hash(sibling, new_seen)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new_seen = node_hash(new_seen, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hmac.compare_digest(old_seen, old_root) and hmac.compare_digest(new_seen, new_root)
