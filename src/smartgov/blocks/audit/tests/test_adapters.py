"""The sinks keep the port's promise."""

from __future__ import annotations

from smartgov.blocks.audit.adapters.memory import MemoryLedger
from smartgov.blocks.audit.tests import conformance


def test_memory_conforms() -> None:
    conformance.check(MemoryLedger(), "ris", [{"kind": "note"}, {"kind": "note"}])
