"""A ledger sink that keeps its records in memory, for tests and for a site without gateways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class MemoryLedger:
    """One list for each agency."""

    def __init__(self) -> None:
        self.logs: dict[str, list[dict[str, Any]]] = {}

    def append(self, agency: str, records: Sequence[dict[str, Any]]) -> list[int]:
        """Append and return the indexes."""
        log = self.logs.setdefault(agency, [])
        first = len(log)
        log.extend(records)
        return list(range(first, len(log)))
