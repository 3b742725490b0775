"""What a check reports."""

from __future__ import annotations

from dataclasses import dataclass

from smartgov.engines.apilint.document import Pointer
from smartgov.shared.text import Text


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that breaks a rule, in words; `severity` when it weighs differently from the rule."""

    at: Pointer
    note: Text
    severity: str | None = None
