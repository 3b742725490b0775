"""The portal and the household agency as two web processes with two databases, as a country runs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smartgov.site.supervise import Country as Running
from tests.journeys import birth, blows
from tests.journeys.conftest import raised
from tests.journeys.people import Country, Person, until


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """The household agency runs apart."""
    yield from raised(split="ris", size=4000)


@pytest.fixture(scope="module")
def country(running: Running) -> Country:
    """Addresses and people."""
    return Country(running.home, running.ports.web)


@pytest.fixture(scope="module")
def handed(country: Country, running: Running) -> birth.Handed:
    """Applied for at the portal, decided by the officer at the agency's own address."""
    assert running.agency_url != country.origin
    mother = Person(country, "mother")
    mother.sign_in()
    handed = birth.apply(mother)
    desk = birth.officer(country, "ris-officer", "Household", origin=running.agency_url)
    birth.open_case(desk, mother, handed.url)
    birth.await_review(desk)
    birth.approve(desk)
    return handed


def test_the_timeline_moves_with_the_other_processs_decision(handed: birth.Handed) -> None:
    granted = until(
        lambda: handed.mother.get(handed.url), lambda page: page.text.count("Approved Nothing more to do") == 4
    )
    for number in ("RIS-", "NHI-", "SFAA-", "BLI-"):
        assert number in granted.text
    page = until(lambda: handed.mother.get(handed.url), lambda page: "/services/certificates/" in str(page.links))
    assert handed.mother.get(page.link("/services/certificates/")).body.startswith(b"%PDF-")


def test_each_database_holds_its_own_side_only(handed: birth.Handed, running: Running) -> None:
    assert agencies_with_cases(running, "ris") == {"ris"}
    until(lambda: agencies_with_cases(running, None), lambda found: found == {"nhi", "sfaa", "bli"})
    assert (count(running, "services_application"), count(running, "services_part")) == (1, 4)
    assert not [name for name in blows.web_tables(running, agency="ris") if name.startswith(("services_", "mydata_"))]
    until(lambda: count(running, "credentials_certificate", "ris"), lambda found: found == 1)
    assert count(running, "credentials_certificate") == 0


def test_the_two_processes_share_no_key_and_no_process(running: Running) -> None:
    pids = {running.supervisor.pid(name) for name in ("web", "web-ris", "worker", "worker-ris")}
    assert None not in pids
    assert len(pids) == 4
    assert (running.home / "data.key").read_bytes() != (running.home / "ris.data.key").read_bytes()


def test_an_officer_of_the_agency_finds_no_portal_there(running: Running, country: Country) -> None:
    visitor = Person(country, "mother", origin=running.agency_url)
    assert visitor.get("/services/").status == 404


def agencies_with_cases(running: Running, agency: str | None) -> set[str]:
    """Whose cases the database of a web process holds."""
    return {found for (found,) in blows.web_rows(running, "SELECT DISTINCT agency FROM cases_case", agency=agency)}


def count(running: Running, table: str, agency: str | None = None) -> int:
    """How many rows a table of the portal's database, or of that of the agency apart, holds."""
    found: int = blows.web_rows(running, f"SELECT COUNT(*) FROM {table}", agency=agency)[0][0]
    return found
