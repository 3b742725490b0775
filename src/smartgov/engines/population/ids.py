"""Many national ids at once; one by one they are `shared.tw.national_id.make`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smartgov.engines.population.streams import Array
from smartgov.shared.tw import national_id

_WEIGHTS = np.array([8, 7, 6, 5, 4, 3, 2, 1])
_LETTERS = np.frombuffer(national_id.LETTERS.encode(), dtype=np.uint8)
_LETTER_SUMS = np.array([(10 + at) // 10 + (10 + at) % 10 * 9 for at in range(len(_LETTERS))])


def make_ids(serials: Array, sexes: Array) -> NDArray[np.uint8]:
    """The synthetic ids of these serials, one row of ten ASCII letters each (as `national_id.make` does for one)."""
    letter, rest = np.divmod(serials, 10**national_id.DIGITS)
    digits = np.empty((len(serials), 8), dtype=np.int64)
    digits[:, 0] = sexes
    digits[:, 1] = int(national_id.MARKER)
    for place in range(7, 1, -1):
        rest, digits[:, place] = np.divmod(rest, 10)
    check = -(_LETTER_SUMS[letter] + digits @ _WEIGHTS) % 10
    found = np.empty((len(serials), 10), dtype=np.uint8)
    found[:, 0] = _LETTERS[letter]
    found[:, 1:9] = digits + ord("0")
    found[:, 9] = check + ord("0")
    return found


def numbered(prefix: str, village: int, rows: Array, width: int = 6) -> NDArray[np.uint8]:
    """Keys such as `person-0003-000042`, one row of ASCII letters each."""
    head = np.frombuffer(f"{prefix}-{village:04d}-".encode(), dtype=np.uint8)
    found = np.empty((len(rows), len(head) + width), dtype=np.uint8)
    found[:, : len(head)] = head
    rest = np.asarray(rows, dtype=np.int64)
    for place in range(len(head) + width - 1, len(head) - 1, -1):
        rest, digit = np.divmod(rest, 10)
        found[:, place] = digit + ord("0")
    return found
