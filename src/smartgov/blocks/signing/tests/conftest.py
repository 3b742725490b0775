"""Services of this process, somebody with a phone, and an agency's gateway, for every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smartgov.blocks.exchange import transport, vouching
from smartgov.blocks.signing.tests import factories as make
from smartgov.blocks.signing.tests.factories import Gateway


@pytest.fixture
def world(tmp_path: Path) -> Iterator[make.World]:
    with make.world(tmp_path) as found:
        yield found


@pytest.fixture
def citizen(world: make.World):
    return make.a_citizen(world)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(tmp_path / "gateway")
    with transport.replaced(made), vouching.replaced(made):  # type: ignore[arg-type]
        yield made
