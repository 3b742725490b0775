"""What the tests about the whole system share."""

from __future__ import annotations

import pytest

from smartgov.shared import homes


def gateway_secret(agency: str, subsystem: str) -> str:
    """The secret that each gateway shares with its information systems in these tests."""
    return f"{agency}-{subsystem}"


@pytest.fixture
def gateways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every agency has a gateway that shares a secret with this process."""
    monkeypatch.setattr(homes, "gateway_secret", gateway_secret)
