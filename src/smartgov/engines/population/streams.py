"""Random streams: one for each purpose of each village, so that a new table changes no older one."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Array = NDArray[Any]


def stream(seed: bytes, village: int, purpose: str) -> Generator:
    """The stream H(seed, village, purpose). Equal inputs give equal draws (with the pinned NumPy)."""
    digest = sha256(len(seed).to_bytes(4, "big") + seed + village.to_bytes(8, "big") + purpose.encode()).digest()
    return Generator(PCG64(int.from_bytes(digest, "big")))


def interpolated(ages: Array, table: tuple[float, ...], *, start: float, step: float) -> Floats:
    """Values of a table with points at `start`, `start + step`, ... for each age; flat beyond its ends."""
    points = start + step * np.arange(len(table))
    values: Floats = np.interp(ages, points, table)
    return values


def picked(draw: Generator, weights: Array | tuple[float, ...] | list[float], count: int) -> NDArray[np.int64]:
    """`count` indexes drawn with these weights (any positive scale)."""
    limits = np.cumsum(np.asarray(weights, dtype=float))
    found: NDArray[np.int64] = np.searchsorted(limits, draw.random(count) * limits[-1], side="right")
    return np.minimum(found, len(limits) - 1)
