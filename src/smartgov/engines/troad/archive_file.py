"""The form of an archive: the first line says what it is, each further line is one record; gzip over JSON lines.

First line: `type`, `gateway`, `first` and `size` (it holds the records from `first` up to, not including, `size`),
`left` (the hashes of the complete subtrees before, largest first), `heads` (`{head, stamp}`, growing, the last one of
`size`), `configurations` (`{from, files}`: from when, in Unix seconds with their fraction, this was in force; earlier
versions wrote whole seconds). A record's line: `index`,
`record` and, where a body was kept, `sealed`, its ciphertext, whose key stays in the gateway and is destroyed there by
an erasure.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smartgov.engines.ledger import merkle
from smartgov.shared import canonical

TYPE = "troad-archive-v1"
SUFFIX = ".archive.jsonl.gz"


def lines(file: Path) -> Iterator[dict[str, Any]]:
    """The lines of an archive. ValueError or OSError (EOFError for one that was cut off) when it cannot be read."""
    with gzip.open(file, "rt", encoding="utf-8") as text:
        for line in text:
            yield canonical.once(line)


class Fold:
    """The root of a growing tree, of its complete subtrees alone."""

    def __init__(self, size: int = 0, left: tuple[bytes, ...] = ()) -> None:
        widths = complete(size)
        if len(widths) != len(left):
            raise ValueError("these are not the subtrees of a tree of this size")
        self._parts = list(zip(widths, left, strict=True))
        self.size = size

    def push(self, leaf: bytes) -> None:
        """Add the next leaf hash."""
        width, value = 1, leaf
        while self._parts and self._parts[-1][0] == width:
            value = merkle.node_hash(self._parts.pop()[1], value)
            width *= 2
        self._parts.append((width, value))
        self.size += 1

    def root(self) -> bytes:
        """The root over all of it."""
        if not self._parts:
            return merkle.EMPTY_ROOT
        value = self._parts[-1][1]
        for _, part in self._parts[-2::-1]:
            value = merkle.node_hash(part, value)
        return value


def complete(size: int) -> list[int]:
    """The widths of the complete subtrees of a tree of this size, largest first."""
    return [1 << level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]
