"""Two members on T-Road, and the officers of theirs who look after it, at their browsers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from smartgov.blocks.exchange import centre, transport
from smartgov.blocks.exchange.tests.factories import Recorded, RecordedCentre, two_members
from smartgov.blocks.identity.tests import factories


@pytest.fixture
def two_on_the_road() -> Iterator[None]:
    """`ris` and `nhi`, as the centre has registered them; nothing leaves through gateways."""
    with centre.replaced(RecordedCentre()), transport.replaced(Recorded()):
        two_members()
        yield


@pytest.fixture
def ris() -> Client:
    return factories.signed_in_officer("ris", "exchange_officer")


@pytest.fixture
def nhi() -> Client:
    return factories.signed_in_officer("nhi", "exchange_officer")
