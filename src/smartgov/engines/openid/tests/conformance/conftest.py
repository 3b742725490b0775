"""A provider, a client and a person, for every test of this folder."""

from __future__ import annotations

import pytest

from smartgov.engines.openid.tests.world import World


@pytest.fixture
def world() -> World:
    return World()
