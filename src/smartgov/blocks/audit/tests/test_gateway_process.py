"""Use records reach the log of a real gateway, in which no national id stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartgov.blocks.audit import api
from smartgov.blocks.audit.adapters.gateway import GatewayLedger
from smartgov.blocks.audit.models import UseRecord
from smartgov.blocks.audit.tests import conformance
from smartgov.engines.troad.tests.country import Country
from smartgov.shared import settings
from smartgov.shared.actor import Actor
from smartgov.shared.tw import national_id

pytestmark = [pytest.mark.enable_socket, pytest.mark.process, pytest.mark.django_db]
NID = national_id.make(77, 2)


@pytest.fixture
def country(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Country]:
    monkeypatch.setenv("SMARTGOV_DATA_KEY_FILE", settings.get("SMARTGOV_DATA_KEY_FILE"))
    monkeypatch.setenv("SMARTGOV_HOME", str(tmp_path))
    country = Country(tmp_path / "gateways")
    country.start("ris")
    yield country
    country.stop()


def use() -> str:
    officer = Actor("officer", seat="seat-1", agency="ris", assurance=2)
    facts = {"fields": ["name"], "purpose": "birth-registration", "basis": "act-48", "case": "case-1"}
    return api.use_record(actor=officer, agency="ris", national_id=NID, **facts)  # type: ignore[arg-type]


def test_the_gateway_conforms(country: Country) -> None:
    record = {"kind": "note", "actor": "seat-1", "purpose": "test"}
    conformance.check(GatewayLedger(), "ris", [record, record])


def test_a_use_record_stands_in_the_agencys_log(country: Country) -> None:
    use()
    with api.sink_replaced(GatewayLedger()):
        assert api.sequence() == 1
    row = UseRecord.objects.get()
    found = country.records("ris")[row.ledger_index or 0]
    assert (found["kind"], found["user"], found["issue"], found["fields"]) == (
        "local-read",
        "seat-1",
        "case-1",
        ["name"],
    )
    assert NID not in json.dumps(country.records("ris"))
    assert row.national_id == ""


def test_records_wait_while_the_gateway_is_down(country: Country) -> None:
    country.halt("ris")
    use()
    with api.sink_replaced(GatewayLedger()):
        assert api.sequence() == 0
        country.start("ris")
        assert api.sequence() == 1
