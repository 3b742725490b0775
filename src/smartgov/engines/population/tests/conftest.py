"""One village for all tests of this engine."""

from datetime import date

import pytest

from smartgov.engines.population import Village, build_village

ON = date(2026, 11, 22)


@pytest.fixture(scope="session")
def village() -> Village:
    return build_village(b"test", 3, on=ON, size=4_000)
