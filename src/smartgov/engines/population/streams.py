"""Random streams: one for each purpose of each village, so that a new table changes no older one."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from numpy.random import PCG64, Generator


def stream(seed: bytes, village: int, purpose: str) -> Generator:
    """The stream H(seed, village, purpose). Equal inputs give equal draws (with the pinned NumPy)."""
    digest = sha256(len(seed).to_bytes(4, "big") + seed + village.to_bytes(8, "big") + purpose.encode()).digest()
    return Generator(PCG64(int.from_bytes(digest, "big")))


def interpolated(ages: np.ndarray, table: tuple[float, ...], *, start: float, step: float) -> np.ndarray:
    """Values of a table with points at `start`, `start + step`, ... for each age; flat beyond its ends."""
    points = start + step * np.arange(len(table))
    values: np.ndarray = np.interp(ages, points, table)
    return values
