"""The configuration of T-Road grants what the catalogue needs and nothing else."""

from __future__ import annotations

from collections import Counter

import pytest

from smartgov.engines.apigen import spec
from smartgov.engines.forms.services import load_service
from smartgov.shared import content
from smartgov.site.country import rights

EXCHANGE = content.read("exchange.yaml")
RIGHTS = rights.rights(EXCHANGE)
SERVICES = {service["id"]: service for service in rights.services(EXCHANGE)}


def _covers(right, client, service, endpoint, basis, fields):
    grounds = right["basis"].get("code") or right["basis"]["kind"]
    return (
        (right["client"], right["service"], grounds) == (client, service, basis)
        and endpoint in right["endpoints"]
        and (right["fields"] is None or set(fields) <= set(right["fields"]))
    )


@pytest.mark.parametrize("name", EXCHANGE["approved"])
def test_every_fact_and_entry_of_an_approved_service_has_its_right(name):
    service = load_service(content.ROOT / "services" / f"{name}.yaml")
    for part in service.parts:
        client = f"TW/GOV/{part.agency}/cases"
        asked = [(fact.service, fact.path, fact.basis, fact.fields) for fact in part.facts]
        asked += [(write.service, write.path, write.basis, ()) for write in part.writes]
        for target, endpoint, basis, fields in asked:
            assert any(_covers(right, client, target, endpoint, basis, fields) for right in RIGHTS), (part.id, endpoint)


def test_a_service_that_is_not_approved_gets_no_right():
    assert len(rights.rights({**EXCHANGE, "approved": []})) == len(EXCHANGE["rights"]) + len(EXCHANGE["web"])


def test_no_agency_may_take_more_from_a_register_than_the_fields_it_needs():
    registers = {rights.register_service(entry) for entry in EXCHANGE["registers"]}
    for right in RIGHTS:
        if right["service"] in registers and right["client"].split("/")[2] != right["service"].split("/")[2]:
            assert right["fields"], right


def test_endpoints_of_registers_exist_in_their_descriptions():
    for entry in EXCHANGE["registers"]:
        known = set(spec.endpoints(rights.register_description(entry["agency"])))
        for right in RIGHTS:
            if right["service"] == rights.register_service(entry):
                assert set(right["endpoints"]) <= known


def test_endpoints_of_every_right_are_promised_in_the_contract_of_its_service():
    for right in RIGHTS:
        assert set(right["endpoints"]) <= set(SERVICES[right["service"]]["paths"]), right


def test_fields_that_are_granted_exist_in_the_register():
    for entry in EXCHANGE["registers"]:
        tables = rights.register_description(entry["agency"]).tables.values()
        columns = {column for table in tables for column in table.columns}
        for right in RIGHTS:
            if right["service"] == rights.register_service(entry):
                assert set(right["fields"] or ()) <= columns


def test_every_client_and_service_is_registered_and_every_right_has_a_ground():
    subsystems = {f"TW/GOV/{e['agency']}/{e['subsystem']}" for e in [*EXCHANGE["web"], *EXCHANGE["registers"]]}
    listed = {
        f"{row['member']}/{name}" for row in content.read("directory.yaml")["agencies"] for name in row["subsystems"]
    }
    assert subsystems <= listed
    for right in RIGHTS:
        assert right["client"] in subsystems
        assert right["service"] in SERVICES
        assert right["purpose"]
        kind, personal = right["basis"]["kind"], SERVICES[right["service"]]["personal"]
        assert kind in {"consent", "subject"} or right["basis"].get("citation") or (kind == "none" and not personal)


def test_the_portal_reads_registers_only_to_check_mandates():
    registers = {rights.register_service(entry) for entry in EXCHANGE["registers"]}
    portal = [right for right in RIGHTS if right["client"].startswith("TW/GOV/portal/")]
    assert {right["purpose"] for right in portal if right["service"] in registers} == {"mandate.check"}


def test_no_right_is_granted_twice():
    grants = Counter(
        (r["client"], r["service"], endpoint, str(r["basis"]), r["purpose"])
        for r in RIGHTS
        for endpoint in r["endpoints"]
    )
    assert max(grants.values()) == 1
