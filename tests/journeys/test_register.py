"""J2 by program: a member's system reads the register of T-Road and asks for a right through its own gateway."""

from __future__ import annotations

import hashlib

import pytest

from smartgov.engines.troad import home as gateways
from smartgov.engines.troad.client import LocalGateway
from smartgov.shared import content
from smartgov.shared.problems import Problem
from tests.journeys.people import Country

REGISTER, PURPOSE = "TW/GOV/portal/portal/exchange.v1", "exchange.register"
CASES = "TW/GOV/ris/cases/cases.v1"


@pytest.fixture
def gateway(country: Country) -> LocalGateway:
    home = country.home / "gateways" / "nhi"
    port = content.parse((home / "gateway.yaml").read_text())["local_port"]
    return LocalGateway(f"http://127.0.0.1:{port}", (home / "secrets/cases").read_text().strip(), "TW/GOV/nhi/cases")


def test_it_reads_members_services_and_the_contract_in_force(gateway: LocalGateway) -> None:
    listed = gateway.call(REGISTER, "GET", "/services?limit=200", purpose=PURPOSE).body["items"]
    assert {CASES, REGISTER} <= {one["id"] for one in listed}
    told = gateway.call(REGISTER, "GET", f"/services/{CASES}/document", purpose=PURPOSE).body
    assert hashlib.sha256(told["document"].encode()).hexdigest() == told["sha256"]
    one = gateway.call(REGISTER, "GET", f"/services/{CASES}", purpose=PURPOSE).body
    assert told["sha256"] in [version["digest"] for version in one["versions"] if version["in_force"]]


def test_the_digest_of_the_configuration_is_that_of_the_gateways_file(gateway: LocalGateway, country: Country) -> None:
    home = country.home / "gateways" / "nhi"

    def told_and_held() -> tuple[str, str]:
        told = gateway.call(REGISTER, "GET", "/configuration", purpose=PURPOSE).body["sha256"]
        return told, hashlib.sha256(gateways.load(home).bundle.read_bytes()).hexdigest()

    # A publication may come between the question and the look into the file.
    assert any(told == held for told, held in (told_and_held() for _ in range(5)))


def test_it_asks_for_a_right_and_takes_it_back_but_may_not_decide(gateway: LocalGateway) -> None:
    wish = {
        "client": "TW/GOV/nhi/cases",
        "service": REGISTER,
        "endpoints": ["DELETE /services/{instance}/{group}/{member}/{subsystem}/{service}"],
        "basis": "none",
        "purpose": PURPOSE,
    }
    asked = gateway.call(REGISTER, "POST", "/requests", json=wish, purpose=PURPOSE).body
    with pytest.raises(Problem, match="right-missing"):
        gateway.call(REGISTER, "DELETE", f"/services/{CASES}", purpose=PURPOSE)
    path = f"/requests/{asked['id']}/withdrawal"
    assert gateway.call(REGISTER, "POST", path, purpose=PURPOSE).body["state"] == "withdrawn"


def test_the_gateway_refuses_what_the_contract_does_not_know(gateway: LocalGateway) -> None:
    with pytest.raises(Problem, match="request-invalid") as caught:
        gateway.call(REGISTER, "GET", "/members?colour=red", purpose=PURPOSE)
    assert caught.value.extra["places"] == ["query/*"]
