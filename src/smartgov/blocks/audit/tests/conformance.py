"""What every LedgerSink does; each adapter's test runs it."""

from __future__ import annotations

from typing import Any

from smartgov.blocks.audit.ports import LedgerSink


def check(sink: LedgerSink, agency: str, records: list[dict[str, Any]]) -> None:
    """Append in two turns: indexes rise without gaps within a turn and across them."""
    first = sink.append(agency, records)
    second = sink.append(agency, records)
    assert first == list(range(first[0], first[0] + len(records)))
    assert second == list(range(first[-1] + 1, first[-1] + 1 + len(records)))
    assert sink.append(agency, []) == []
