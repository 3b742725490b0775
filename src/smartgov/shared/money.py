"""Money is whole New Taiwan dollars, never floats."""

from __future__ import annotations


def require_ntd(value: object) -> int:
    """`value` as whole dollars; refuses floats, booleans and negative amounts."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"money is a whole number of NT$, not {type(value).__name__}")
    if value < 0:
        raise ValueError("money cannot be negative here")
    return value


def format_ntd(amount: int) -> str:
    """`5000` as `NT$5,000`."""
    return f"NT${require_ntd(amount):,}"
