"""What the checker says: one thing that is wrong, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from smartgov.shared.text import Text


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong. `must` stops the registration or the request; `should` is advice.

    `about` is the value that it is about, where a field holds several; never a secret.
    """

    field: str
    kind: Literal["must", "should"]
    what: Text
    todo: Text
    about: str = ""


def must(field: str, what: Text, todo: Text, about: str = "") -> Complaint:
    """Something that has to be mended."""
    return Complaint(field, "must", what, todo, about)


def should(field: str, what: Text, todo: Text, about: str = "") -> Complaint:
    """Advice."""
    return Complaint(field, "should", what, todo, about)
