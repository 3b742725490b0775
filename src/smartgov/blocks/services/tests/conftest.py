"""Agencies that answer, for every test of this block."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smartgov.blocks.exchange import transport
from smartgov.blocks.mydata.tests.factories import RecordedTransport
from smartgov.blocks.services.tests import factories


@pytest.fixture
def troad() -> Iterator[RecordedTransport]:
    """A recorded T-Road with four agencies."""
    played = factories.agencies()
    with transport.replaced(played):
        yield played


@pytest.fixture
def mother(troad: RecordedTransport) -> factories.Mother:
    """A mother whose child was announced."""
    return factories.a_mother()
