"""What `audit` needs from outside: an append-only ledger for each agency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class LedgerSink(Protocol):
    """The ledger of an agency's own gateway."""

    def append(self, agency: str, records: Sequence[dict[str, Any]]) -> list[int]:
        """Append all records durably and return their indexes, in order; raises Problem when it cannot."""
        ...
