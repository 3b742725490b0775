"""A running country for the journeys: raised once a session, real processes, on ports of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from smartgov.engines.population import SIZE
from smartgov.engines.troad.tests.country import free_ports, release
from smartgov.shared.ids import uuid7
from smartgov.site.country import raise_country
from smartgov.site.country.ports import Ports
from smartgov.site.supervise import Country as Running
from tests.journeys import birth
from tests.journeys.browser import JourneyBrowser, chromium
from tests.journeys.people import Country

LONGEST = (
    "test_browser_birth",
    "test_browser_offices",
    "test_joining",
    "test_wallet",
    "test_j1_birth",
    "test_acting_for_others",
    "test_lost_phone",
    "test_newcomer",
    "test_split",
)
"""The files that take minutes each, longest first: one that is begun last keeps everybody waiting."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here runs whole processes and opens sockets; the longest files come first, in their own order."""
    for item in items:
        if "tests/journeys" in str(item.path):
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.enable_socket)
    place = {f"tests/journeys/{name}.py": at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


@pytest.fixture
def browser() -> Iterator[JourneyBrowser]:
    """Chromium; at the end no page has logged an error or asked another host for anything."""
    with chromium() as opened:
        yield opened
        opened.assert_quiet()


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """The processes; stopped at the end, also after a failure."""
    yield from raised()


@pytest.fixture(scope="session")
def country(running: Running) -> Country:
    """Addresses and people."""
    return Country(running.home, running.ports.web)


@pytest.fixture(scope="session")
def handed(country: Country) -> birth.Handed:
    """The mother's application, all the way to money in the account; a mother can hand it in only once a country."""
    return birth.whole_journey(country)


@pytest.fixture
def own_running() -> Iterator[Running]:
    """A country for one test alone, which may break it."""
    yield from raised()


@pytest.fixture
def own_country(own_running: Running) -> Country:
    """Addresses and people of the country that the test may break."""
    return Country(own_running.home, own_running.ports.web)


@pytest.fixture(scope="session")
def shaken() -> Iterator[Running]:
    """A small country that several modules break and mend; each test leaves it whole."""
    yield from raised(size=4000)


def raised(*, split: str | None = None, size: int = SIZE) -> Iterator[Running]:
    """Raise a village of `size` people and run it, with `split` as a web process of its own; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="smartgov-journey-") as folder:
        home = Path(folder) / "country"
        port = free_ports(60)
        try:
            raise_country(home, ports=Ports(port), size=size)
            running = Running(home, port=port, split=split)
            with own_database(split):
                running.start()
                try:
                    yield running
                finally:
                    running.stop()
        finally:
            release(port)


@contextmanager
def own_database(split: str | None) -> Iterator[None]:
    """On PostgreSQL, a fresh database for each country, and one for an agency apart.

    SQLite files lie in the country's folder anyway.
    """
    server = os.environ.get("SMARTGOV_DATABASE_URL")
    if not server:
        yield
        return
    name = f"country_{uuid7().replace('-', '')}"
    with psycopg.connect(server, autocommit=True) as connection:
        for wanted in (name, f"{name}_{split}") if split else (name,):
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(wanted)))
    os.environ["SMARTGOV_DATABASE_URL"] = f"{server.rsplit('/', 1)[0]}/{name}"
    try:
        yield
    finally:
        os.environ["SMARTGOV_DATABASE_URL"] = server
