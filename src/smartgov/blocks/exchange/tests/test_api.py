"""The door of `exchange`: what a call carries, who is a member, and who may come in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.http import Http404
from django.test import RequestFactory, override_settings

from smartgov.blocks.exchange import api, transport
from smartgov.blocks.exchange.adapters.gateways import Gateways
from smartgov.blocks.exchange.tests.factories import Recorded
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

PERSON = national_id.make(7, 2)


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    gateways = Recorded(down=["ris"])
    with transport.replaced(gateways):
        yield gateways


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SMARTGOV_HOME", str(tmp_path))
    folder = tmp_path / "gateways" / "ris"
    (folder / "secrets").mkdir(parents=True)
    (folder / "secrets" / "cases").write_text("s3cret\n")
    (folder / "gateway.yaml").write_text("local_port: 9\n")
    return folder


def test_an_agency_calls_as_its_own_system_and_the_portal_as_the_portal(recorded: Recorded) -> None:
    officer = Actor("officer", seat="seat-1", agency="ris")
    api.call(
        actor=officer, agency="ris", service="s", method="POST", path="/p", purpose="birth", subject=PERSON, basis="b"
    )
    agency, call = recorded.calls[0]
    assert (agency, call.client, call.user, call.subject) == ("ris", "TW/GOV/ris/cases", "seat-1", PERSON)
    assert api.subsystem_of("portal") == "TW/GOV/portal/portal"


def test_only_the_portal_signs_consents_and_tokens(recorded: Recorded) -> None:
    api.consent(
        subject=PERSON, provider="p", requester="r", fields=["a"], purpose="x", expires_at="2027-01-01", jti="j"
    )
    api.trail_token(subject=PERSON, member="TW/GOV/ris", gateway="TW/GOV/ris/gw1", assurance=2)
    assert [claims["agency"] for claims in recorded.claims] == ["portal", "portal"]
    assert recorded.claims[1]["audience"] == "TW/GOV/ris"


def test_members_services_and_rights_come_from_the_verified_configuration(recorded: Recorded) -> None:
    assert [member.code for member in api.members()] == ["portal", "ris"]
    assert api.services()[0].personal
    assert api.rights()[0].basis == "Article 5"


def test_one_silent_gateway_does_not_hide_the_others(recorded: Recorded) -> None:
    said = {row.agency: row for row in api.health()}
    assert said["portal"].healthy
    assert said["portal"].passed_over == ("TW/GOV/hpa/gw1",)
    assert not said["ris"].healthy
    assert said["ris"].problem.en
    assert said["ris"].problem.zh


def _inbound(agency: str = "ris", secret: str = "s3cret", **headers: str) -> api.Inbound:
    request = RequestFactory().post("/troad/x", headers={"Authorization": f"Bearer {secret}", **headers})
    request.resolver_match = SimpleNamespace(kwargs={"agency": agency})  # type: ignore[assignment]
    return api.TRoadInbound()(request)


def test_the_gateway_is_known_by_the_secret_of_the_local_hop(home: Path) -> None:
    given = {
        "X-TRoad-Subject": national_id.urn(PERSON),
        "X-Road-Client": "TW/GOV/portal/portal",
        "X-Road-Id": "exchange-1",
    }
    inbound = _inbound(**given)
    assert (inbound.subject, inbound.client_member, inbound.exchange_id) == (PERSON, "TW/GOV/portal", "exchange-1")


@pytest.mark.parametrize("secret", ["", "wrong", "s3cre", "s3cret2"])
def test_nobody_else_comes_in(home: Path, secret: str) -> None:
    with pytest.raises(Problem, match="not-from-gateway"):
        _inbound(secret=secret)


@pytest.mark.parametrize("agency", ["nhi", "..", "a/b"])
def test_an_agency_that_is_not_here_does_not_exist(home: Path, agency: str) -> None:
    with pytest.raises(Http404):
        _inbound(agency=agency)


def test_a_process_serves_its_roles_only(home: Path) -> None:
    with override_settings(ROLES=frozenset({"portal"})), pytest.raises(Http404):
        _inbound()
    with override_settings(ROLES=frozenset({"agency:ris"})):
        assert _inbound().agency == "ris"


def test_a_gateway_that_does_not_run_is_a_problem_that_says_so(home: Path, socket_enabled: None) -> None:
    with pytest.raises(Problem, match="gateway-unreachable"):
        Gateways().health("ris")
    with pytest.raises(Problem, match="gateway-elsewhere"):
        Gateways().health("nowhere")
    with pytest.raises(Problem, match="gateway-elsewhere"):
        Gateways().traffic("nowhere")
    with pytest.raises(Problem, match="gateway-unreachable"):
        Gateways().configuration("nowhere")


def test_a_member_with_a_register_only_still_tells_its_health(home: Path, socket_enabled: None) -> None:
    (home / "secrets" / "cases").rename(home / "secrets" / "taxation")
    with pytest.raises(Problem, match="gateway-unreachable"):
        Gateways().health("ris")  # asked as `taxation`: it is the port that nobody answers
    assert Gateways()._gateway("ris") is not None
