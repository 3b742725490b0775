"""National identification numbers (國民身分證統一編號): a letter, a sex digit, seven digits and a check digit.

The letter stands for a two-digit number; with the weights 1 9 8 7 6 5 4 3 2 1 1 the weighted sum of all digits is a
multiple of ten. Ids that this platform makes up are valid in form and checksum and carry a published marker, the digit
`8` after the sex digit, so that nobody takes one for issued: docs/decisions/0028 says why this digit.
"""

from __future__ import annotations

import re
from operator import mul

LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_NUMBER = {letter: index + 10 for index, letter in enumerate(LETTERS)}
_WEIGHTS = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
_ZEROS = ord("0") * sum(_WEIGHTS[2:])
_FIRST = {letter: number // 10 * _WEIGHTS[0] + number % 10 * _WEIGHTS[1] for letter, number in _NUMBER.items()}
_FORM = re.compile(r"[A-Z][12][0-9]{8}")
FINDER = re.compile(r"(?<![A-Za-z0-9])[A-Z][12][0-9]{8}(?![A-Za-z0-9])")
_URN = "urn:tw:nid:"
URN_PATTERN = r"^urn:tw:nid:[A-Z][12]\d{8}$"
"""The form of `urn` for JSON Schema; the check digit is beyond it."""
MARKER = "8"
DIGITS = 6  # of the serial, between marker and check digit
CAPACITY = 10**DIGITS * len(LETTERS)
NEWBORN_SERIALS = range(25_200_000, CAPACITY)
"""Serials that the synthetic country leaves free, for children who are registered later."""


def is_valid(value: str) -> bool:
    """Whether `value` has the form and the check digit of a national id."""
    return bool(_FORM.fullmatch(value)) and _weighted(value) % 10 == 0


def make(serial: int, sex: int) -> str:
    """The synthetic id of person `serial` (0 to CAPACITY-1); `sex` is 1 (male) or 2 (female)."""
    if not 0 <= serial < CAPACITY or sex not in (1, 2):
        raise ValueError("serial or sex out of range")
    letter = LETTERS[serial // 10**DIGITS]
    stem = f"{letter}{sex}{MARKER}{serial % 10**DIGITS:0{DIGITS}d}"
    return stem + str(-_weighted(stem + "0") % 10)


def for_show(value: str) -> str:
    """The id with a check digit that is wrong: it has the form, is nobody's, and may stand in a published document."""
    return value[:-1] + str((int(value[-1]) + 1) % 10)


def is_synthetic(value: str) -> bool:
    """Whether a valid id carries the marker of made-up persons."""
    return is_valid(value) and value[2] == MARKER


def urn(value: str) -> str:
    """The form in which a national id is written inside JSON on the local hop."""
    return _URN + value


def from_urn(text: str) -> str:
    """The national id of such a form; anything else is a ValueError that does not repeat the text."""
    value = text.removeprefix(_URN)
    if not text.startswith(_URN) or not is_valid(value):
        raise ValueError("not the URN of a national id")
    return value


def _weighted(value: str) -> int:
    total: int = _FIRST[value[0]] + sum(map(mul, value[1:].encode(), _WEIGHTS[2:])) - _ZEROS
    return total
