"""Sets of exchange ids as counts and roots that two gateways can compare, however many: an hour can have millions.

A set is told by its size and root. It lies in a tree by the hex digits of the ids' SHA-256: up to 200 ids are a leaf,
more are a node with sixteen parts. Where two roots differ those of the parts do, down to lists of ids.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

PATH = "/peers/v1/exchanged"
LIST = 200
"""So many ids are a leaf, and are listed; of more, parts are told."""
MOST_DIFFERENCES = 10_000
"""So many ids that differ are looked for: with more, it is not single records that are missing."""
DIGITS = "0123456789abcdef"
_LEAF, _NODE = b"\x00", b"\x01"
NOTHING = 0, sha256(_LEAF).hexdigest()
"""Count and root of an empty set."""
_MOST_DIGITS = 16
"""So deep differences are looked for: 200 ids under one prefix of 64 bits are nobody's chance."""
Told = tuple[int, str]
"""Count and root."""
Tell = Callable[[str], Awaitable["Part"]]
"""Gives the other's part under a prefix of hex digits."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a set under a prefix: size and root, and either its ids or those two for each of sixteen parts."""

    count: int
    root: str
    ids: tuple[str, ...] | None = None
    parts: dict[str, Told] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As it stands in a signed answer."""
        listed = {"ids": list(self.ids)} if self.ids is not None else {"parts": self.parts}
        return {"count": self.count, "root": self.root, **listed}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Part:
        """Read it. KeyError, TypeError or ValueError for another form, and for ids or parts that give another root."""
        count, root = int(told["count"]), str(told["root"])
        if "ids" in told:
            ids = {sha256(str(one).encode()).digest(): str(one) for one in told["ids"]}
            order = sorted(ids)
            if (len(ids), leaf(order)) != (count, root):
                raise ValueError("the ids are not those of the root")
            return cls(count, root, tuple(ids[one] for one in order))
        parts = {str(digit): (int(one), str(two)) for digit, (one, two) in told["parts"].items()}
        if not set(parts) <= set(DIGITS) or count <= LIST:
            raise ValueError("more than a list holds have parts, which are named by a hex digit")
        if (sum(one for one, _ in parts.values()), node(parts)) != (count, root):
            raise ValueError("the parts are not those of the root")
        return cls(count, root, None, parts)


def leaf(hashes: Sequence[bytes]) -> str:
    """The root of up to 200 ids: SHA-256 over 0x00 and their hashes in order."""
    return sha256(b"".join((_LEAF, *hashes))).hexdigest()


def node(parts: Mapping[str, Told]) -> str:
    """The root over sixteen parts: SHA-256 over 0x01 and their roots, in the order of their digits."""
    roots = (bytes.fromhex(parts.get(digit, NOTHING)[1]) for digit in DIGITS)
    return sha256(b"".join((_NODE, *roots))).hexdigest()


def tree(hashes: Sequence[bytes], depth: int = 0) -> Told:
    """Count and root of hashes in order that agree in their first `depth` hex digits."""
    if len(hashes) <= LIST:
        return len(hashes), leaf(hashes)
    return len(hashes), node(split(hashes, depth))


def split(hashes: Sequence[bytes], depth: int) -> dict[str, Told]:
    """Count and root of each part of hashes that agree in their first `depth` digits; empty parts are left out."""
    start = hashes[0].hex()[:depth]
    edges = [bisect_left(hashes, bytes.fromhex((start + digit).ljust(64, "0"))) for digit in DIGITS]
    found = {}
    for digit, low, high in zip(DIGITS, edges, [*edges[1:], len(hashes)], strict=True):
        if low < high:
            found[digit] = tree(hashes[low:high], depth + 1)
    return found


class Ids(Protocol):
    """A set of exchange ids."""

    def part(self, prefix: str = "") -> Part:
        """What is told of the ids whose hash begins with `prefix`."""
        ...

    def under(self, prefix: str = "") -> set[str]:
        """The ids whose hash begins with `prefix`, the first so many of them."""
        ...


async def differences(here: Ids, tell: Tell, prefix: str = "") -> tuple[set[str], set[str]]:
    """The ids that are only here, and those only there, up to `MOST_DIFFERENCES`; asks for no part that is the same."""
    there = await tell(prefix)
    mine = await asyncio.to_thread(here.part, prefix)
    if (mine.count, mine.root) == (there.count, there.root):
        return set(), set()
    if there.ids is not None:
        own = here.under(prefix)
        return own - set(there.ids), set(there.ids) - own
    if len(prefix) >= _MOST_DIGITS:
        raise ValueError("no tree is so deep")
    only_here, only_there = set[str](), set[str]()
    for digit in DIGITS:
        if await _told(here, mine, prefix + digit) == there.parts.get(digit, NOTHING):
            continue
        if digit not in there.parts:
            only_here |= here.under(prefix + digit)
            continue
        one, two = await differences(here, tell, prefix + digit)
        only_here, only_there = only_here | one, only_there | two
        if max(len(only_here), len(only_there)) >= MOST_DIFFERENCES:
            break
    return only_here, only_there


async def _told(here: Ids, mine: Part, prefix: str) -> Told:
    """Count and root under a prefix, one digit further than `mine`, which tells it unless it lists its ids."""
    if mine.ids is None:
        return mine.parts.get(prefix[-1], NOTHING)
    part = await asyncio.to_thread(here.part, prefix)
    return part.count, part.root
