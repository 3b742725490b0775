"""People's names on pages that must not show them whole."""

from __future__ import annotations


def masked(name: str) -> str:
    """`王小明` as `王○明`, `王明` as `王○`; long names keep the first and last character."""
    if len(name) <= 1:
        return "○"
    if len(name) == 2:
        return name[0] + "○"
    return name[0] + "○" * (len(name) - 2) + name[-1]
