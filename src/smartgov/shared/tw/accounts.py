"""Bank accounts: a three-digit institution code and 10 to 16 digits (published interbank transfer format)."""

from __future__ import annotations

import re


def is_valid_account(bank_code: str, number: str) -> bool:
    """Whether both parts have the form that banks take; whether the account exists only its bank knows."""
    return bool(re.fullmatch(r"\d{3}", bank_code) and re.fullmatch(r"\d{10,16}", number))


def masked(number: str) -> str:
    """The last four digits, for pages and lists; asterisks, because a Chinese font sets a bullet as wide as a word."""
    return "*" * max(len(number) - 4, 0) + number[-4:]
