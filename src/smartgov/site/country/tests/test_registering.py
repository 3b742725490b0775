"""A country registers at its centre: what is published is what gateways need, and registering again changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.exchange.models import Right, Service
from smartgov.blocks.ops.models import Event
from smartgov.engines.troad import home as gateways
from smartgov.engines.troad.configuration import Configuration
from smartgov.shared import clock, content
from smartgov.shared.actor import Actor
from smartgov.site.country import Ports, centre, registering, rights
from smartgov.site.country.ports import agencies

PORTS = Ports(24_100)
pytestmark = pytest.mark.django_db


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Gateways and the centre's keys, as a country has them, without people."""
    monkeypatch.setenv("SMARTGOV_HOME", str(tmp_path))
    centre.create_centre(tmp_path)
    centre.configure(tmp_path, ports=PORTS)
    return tmp_path


def _in_force(home, agency="hpa"):
    return Configuration(gateways.load(home / "gateways" / agency)).current()


def test_every_gateway_trusts_the_published_configuration(home):
    registering.register(home)
    for agency in agencies():
        found = _in_force(home, agency)
        assert list(found.members) == [f"TW/GOV/{code}" for code in agencies()]
        assert found.gateways[f"TW/GOV/{agency}/gw1"].port == PORTS.gateway(agency)
        assert len(found.consent_issuers) == len(found.token_issuers) == 1
    assert centre.expires_at(home) == _in_force(home).expires_at


def test_what_is_published_grants_what_the_content_says(home):
    registering.register(home)
    said = content.read("exchange.yaml")
    published = exchange.publication(clock.now())
    ends = {right.pop("expires_at") for right in published["rights"]}
    assert published["rights"] == rights.rights(said)
    (end,) = ends
    last = datetime.fromisoformat(end).astimezone(clock.TAIPEI) - timedelta(days=1)
    assert (last.date() - clock.today()).days == said["right_days"]
    assert {service["id"] for service in published["services"]} == {service["id"] for service in rights.services(said)}
    assert published["services"][0]["paths"]
    assert "BEGIN CERTIFICATE" in published["seal_authority"]


def test_registering_again_changes_nothing_and_new_ports_move_every_gateway(home):
    registering.register(home)
    before, entries = exchange.publication(clock.now()), audit.entries("portal", limit=1000)
    registering.register(home)
    assert exchange.publication(clock.now()) == before
    assert [entry.action for entry in audit.entries("portal", limit=1000)[: -len(entries)]] == ["exchange.published"]
    centre.configure(home, ports=Ports(24_200))
    registering.register(home)
    moved = audit.entries("portal", action="exchange.gateway_", limit=1000)
    assert [entry.action for entry in moved[: len(agencies())]] == ["exchange.gateway_moved"] * len(agencies())
    assert _in_force(home).gateways["TW/GOV/ris/gw1"].port == Ports(24_200).gateway("ris")


def test_the_worker_is_told_once_of_many_changes(home):
    registering.register(home)
    assert Event.objects.filter(name="configuration_changed").count() == 1


def test_a_right_that_somebody_revoked_is_not_granted_by_the_next_start(home):
    registering.register(home)
    right = Right.objects.get(
        client_id="TW/GOV/hpa/cases", service_id="TW/GOV/ris/cases/cases.v1", purpose="birth.announcement"
    )
    exchange.revoke_right(actor=registering.REGISTRAR, right=right.id, reason="a test")
    registering.register(home)
    found = _in_force(home)
    assert ("TW/GOV/hpa/cases", "TW/GOV/ris/cases/cases.v1") not in found.rights


def test_a_right_that_has_ended_is_not_granted_by_the_next_start_but_renewed_by_its_provider(home):
    registering.register(home)
    days = content.read("exchange.yaml")["right_days"]
    with clock.travelling(delta=timedelta(days=days + 1)):
        registering.register(home)
        assert exchange.publication(clock.now())["rights"] == []
        right = Right.objects.get(client_id="TW/GOV/hpa/cases", purpose="birth.notification")
        officer = Actor("officer", seat="seat-1", agency="hpa")
        exchange.renew_right(actor=officer, right=right.id, until=clock.today() + timedelta(days=30))
        registering.register(home)
        assert [one["purpose"] for one in exchange.publication(clock.now())["rights"]] == ["birth.notification"]
    assert audit.entries("hpa", action="exchange.right_renewed")


def test_rights_of_before_get_an_end(home):
    registering.register(home)
    Right.objects.update(expires_at=None)
    registering.register(home)
    assert not Right.objects.filter(expires_at=None).exists()
    assert audit.entries("portal", action="exchange.right_limited", limit=1)


def test_what_an_operator_changed_survives_the_next_start_and_new_content_changes_only_its_own(home, monkeypatch):
    registering.register(home)
    name, other = "TW/GOV/ris/household/people.v1", "TW/GOV/hpa/births/births.v1"
    officer = Actor("officer", seat="seat-1", agency="ris")
    settings = exchange.Settings(
        related=("child",), visibility="delayed", visibility_terms={"days": 7}, limits=exchange.Limits(per_minute=5)
    )
    exchange.offer_service(actor=officer, service=name, settings=settings)
    exchange.withdraw_offer(actor=Actor("officer", seat="seat-2", agency="hpa"), service=other)
    changed = Service.objects.get(id=name).related
    registering.register(home)
    row = Service.objects.get(id=name)
    assert (row.per_minute, row.visibility, row.visibility_terms) == (5, "delayed", {"days": 7})
    assert row.related == changed == ["child"]
    assert Service.objects.get(id=other).withdrawn_at is not None
    assert _in_force(home).services[name].visibility.days == 7
    sound = rights.services
    monkeypatch.setattr(rights, "services", lambda said: [{**one, "related": ["aunt"]} for one in sound(said)])
    registering.register(home)
    row = Service.objects.get(id=name)
    assert (row.related, row.per_minute, row.visibility) == (["aunt"], 5, "delayed")


def test_a_service_that_is_approved_no_more_loses_its_rights(home, monkeypatch):
    registering.register(home)
    said = {**content.read("exchange.yaml"), "approved": []}
    monkeypatch.setattr(registering.content, "read", lambda name: said if name == "exchange.yaml" else read(name))
    registering.register(home)
    left = sum(len(found) for found in _in_force(home).rights.values())
    assert left == len(said["rights"]) + len(said["web"])


read = content.read


def test_a_revoked_consent_is_refused_from_the_next_publication_on(home):
    registering.register(home)
    with clock.travelling(delta=timedelta(hours=1)):
        exchange.set_revoked_consents(actor=registering.REGISTRAR, consents=["consent-1"])
        exchange.keep_published()
        assert _in_force(home).revoked_consents == {"consent-1"}
