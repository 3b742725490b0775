"""The sinks keep the port's promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartgov.blocks.audit.adapters.gateway import GatewayLedger
from smartgov.blocks.audit.adapters.memory import MemoryLedger
from smartgov.blocks.audit.tests import conformance
from smartgov.shared.problems import Problem


def test_memory_conforms() -> None:
    conformance.check(MemoryLedger(), "ris", [{"kind": "note"}, {"kind": "note"}])


def test_an_agency_without_a_gateway_here_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTGOV_HOME", str(tmp_path))
    for agency in ("ris", "../ris"):
        with pytest.raises(Problem, match="gateway-missing"):
            GatewayLedger().append(agency, [{"kind": "note"}])
