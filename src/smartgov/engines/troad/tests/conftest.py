"""One running country a module; tests that alter its configuration publish it again at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_socket import enable_socket

from smartgov.engines.troad.tests.country import Country, running


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    """A country that lives as long as the module."""
    enable_socket()
    folder: Path = tmp_path_factory.mktemp("country")
    with running(folder) as country:
        yield country


@pytest.fixture
def country(standing: Country) -> Iterator[Country]:
    """The country, as published, with an obliging system behind the gateways."""
    enable_socket()
    standing.behind.answer = standing.behind.births
    standing.behind.seen.clear()
    yield standing
    standing.publish()
