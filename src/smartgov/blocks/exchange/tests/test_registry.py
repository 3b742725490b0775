"""The register of T-Road: what is registered is checked, audited and published; what is not so is refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange import api, centre
from smartgov.blocks.exchange.models import Configuration, Right
from smartgov.blocks.exchange.tests.factories import RecordedCentre, described
from smartgov.blocks.ops import api as ops
from smartgov.engines.troad import snapshot
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

pytestmark = pytest.mark.django_db
CLERK = Actor("officer", seat="seat-1", agency="portal")
RIS, NHI = "TW/GOV/ris", "TW/GOV/nhi"
PEOPLE = f"{RIS}/household/people.v1"
TERMS = api.Terms(
    client=f"{NHI}/cases",
    service=PEOPLE,
    endpoints=("POST /people/query",),
    basis=api.Basis.STATUTE,
    basis_code="household-registration-act-67",
    citation="戶籍法 第67條",
    fields=("name", "birth_date"),
    purpose="insurance.enrolment",
)


@pytest.fixture
def published() -> Iterator[RecordedCentre]:
    recorded = RecordedCentre()
    with centre.replaced(recorded):
        yield recorded


@pytest.fixture
def country(published: RecordedCentre) -> RecordedCentre:
    """Two members, one service."""
    for member, port in ((RIS, 1), (NHI, 2)):
        api.register_member(actor=CLERK, member=member, name=Text(member, "機關"))
        api.register_gateway(actor=CLERK, member=member, described=described(port=port))
    for subsystem in (f"{RIS}/household", f"{NHI}/cases"):
        api.register_subsystem(actor=CLERK, subsystem=subsystem)
    api.publish_service(actor=CLERK, service=PEOPLE, endpoints=["POST /people/query"], related=["mother"])
    return published


def _actions() -> list[str]:
    return [entry.action.removeprefix("exchange.") for entry in reversed(audit.entries("portal", limit=1000))]


def test_what_is_registered_can_be_read_by_gateways(country: RecordedCentre) -> None:
    api.grant_right(actor=CLERK, terms=TERMS)
    api.publish(actor=CLERK)
    read = snapshot.parse(country.last)
    (right,) = read.rights[f"{NHI}/cases", PEOPLE]
    assert (right.fields, right.basis_code) == ({"name", "birth_date"}, "household-registration-act-67")
    assert read.services[PEOPLE].related == {"mother"}
    assert read.expires_at - read.issued_at == timedelta(hours=24)


def test_every_act_leaves_an_entry_in_its_transaction(country: RecordedCentre) -> None:
    right = api.grant_right(actor=CLERK, terms=TERMS)
    api.revoke_right(actor=CLERK, right=right, reason="no longer needed")
    api.withdraw_service(actor=CLERK, service=PEOPLE)
    assert _actions() == [
        *("member_registered", "gateway_registered") * 2,
        *("subsystem_registered",) * 2,
        *("service_published", "right_granted", "right_revoked", "service_withdrawn"),
    ]


def test_what_is_so_already_is_not_written_again(country: RecordedCentre) -> None:
    api.register_member(actor=CLERK, member=RIS, name=Text(RIS, "機關"))
    api.publish_service(actor=CLERK, service=PEOPLE, endpoints=["POST /people/query"], related=["mother"])
    before = len(_actions())
    assert api.grant_right(actor=CLERK, terms=TERMS) == api.grant_right(actor=CLERK, terms=TERMS)
    assert len(_actions()) == before + 1


def test_a_gateway_with_new_keys_is_told_apart_from_one_that_moved(published: RecordedCentre) -> None:
    first = described(port=1)
    api.register_member(actor=CLERK, member=RIS, name=Text(RIS, "機關"))
    for entry in (first, {**first, "port": 9}, described(port=9)):
        api.register_gateway(actor=CLERK, member=RIS, described=entry)
    assert _actions()[1:] == ["gateway_registered", "gateway_moved", "gateway_keys_changed"]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"host": "h"},
        {**described(port=1), "message_key": {"kty": "OKP"}},
        {**described(port=1), "log_key": described(port=1)["message_key"]},
        {**described(port=1), "tls_certificate": "no certificate"},
        {**described(port=1), "code": "a/b"},
    ],
)
def test_a_gateway_that_others_could_not_read_is_refused(published: RecordedCentre, broken: dict[str, Any]) -> None:
    api.register_member(actor=CLERK, member=RIS, name=Text(RIS, "機關"))
    with pytest.raises(Problem, match="registration-invalid"):
        api.register_gateway(actor=CLERK, member=RIS, described=broken)


def test_two_gateways_share_no_key(country: RecordedCentre) -> None:
    stolen = {**described(port=3), "message_key": country.gateway(RIS)["message_key"]}
    with pytest.raises(Problem, match="registration-invalid"):
        api.register_gateway(actor=CLERK, member=NHI, described={**stolen, "code": "gw2"})


@pytest.mark.parametrize("name", ["", "TW/GOV", "TW/GOV/a/b", "TW/GOV/../x", f"TW/GOV/{'a' * 64}/", "TW/GOV/機關"])
def test_a_name_of_another_form_is_refused(published: RecordedCentre, name: str) -> None:
    with pytest.raises(Problem, match="registration-invalid"):
        api.register_member(actor=CLERK, member=name, name=Text("x", "x"))


def test_nothing_hangs_on_what_is_not_registered(country: RecordedCentre) -> None:
    for verb in (
        lambda: api.register_gateway(actor=CLERK, member="TW/GOV/mof", described=described(port=4)),
        lambda: api.register_subsystem(actor=CLERK, subsystem="TW/GOV/mof/taxation"),
        lambda: api.publish_service(actor=CLERK, service=f"{RIS}/cases/cases.v1"),
        lambda: api.grant_right(actor=CLERK, terms=api.Terms(**{**_facts(), "client": f"{RIS}/cases"})),
        lambda: api.revoke_right(actor=CLERK, right="none", reason="x"),
    ):
        with pytest.raises(Problem, match="not-registered"):
            verb()


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoints": ()},
        {"endpoints": ("/people/query",)},
        {"basis_code": ""},
        {"basis": api.Basis.CONSENT},
    ],
)
def test_a_right_that_gateways_cannot_enforce_is_refused(country: RecordedCentre, wrong: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="registration-invalid"):
        api.grant_right(actor=CLERK, terms=api.Terms(**{**_facts(), **wrong}))
    assert not Right.objects.exists()


def _facts() -> dict[str, Any]:
    return {name: getattr(TERMS, name) for name in TERMS.__slots__}


def test_a_right_ends_by_itself_and_the_worker_says_so(country: RecordedCentre) -> None:
    api.grant_right(actor=CLERK, terms=TERMS, expires_at=clock.now() + timedelta(minutes=5))
    api.keep_published()
    (right,) = snapshot.parse(country.last).rights[f"{NHI}/cases", PEOPLE]
    assert right.in_force(clock.now())
    assert not right.in_force(clock.now() + timedelta(minutes=6))
    with clock.travelling(delta=timedelta(minutes=6)):
        api.keep_published()
        assert not country.last["rights"]


def test_changes_are_published_once_by_whoever_comes_first(country: RecordedCentre) -> None:
    ops.dispatch()
    assert len(country.delivered) == 1
    api.keep_published()
    assert len(country.delivered) == 1
    with clock.travelling(delta=timedelta(hours=1)):
        api.keep_published()
    assert [one["version"] for one in country.delivered] == sorted({one["version"] for one in country.delivered})
    assert len(country.delivered) == 2


def test_a_failed_publication_is_tried_again(country: RecordedCentre) -> None:
    country.broken = True
    ops.dispatch()
    assert Configuration.objects.get().published_revision == 0
    country.broken = False
    with clock.travelling(delta=timedelta(minutes=2)):
        ops.dispatch()
    assert country.last["members"]
    api.grant_right(actor=CLERK, terms=TERMS)
    with clock.travelling(delta=timedelta(minutes=3)):
        ops.dispatch()
    assert country.last["rights"]


def test_revoked_consents_are_told_as_a_whole(country: RecordedCentre) -> None:
    api.set_revoked_consents(actor=CLERK, consents=["b", "a"])
    api.set_revoked_consents(actor=CLERK, consents=["b", "c"])
    api.set_revoked_consents(actor=CLERK, consents=["c", "b"])
    api.publish(actor=CLERK)
    assert country.last["revoked_consents"] == ["b", "c"]
    assert _actions().count("consents_revoked") == 2


def test_another_process_keeps_no_register(published: RecordedCentre) -> None:
    with override_settings(ROLES=frozenset({"agency:ris"})):
        with pytest.raises(Problem, match="not-the-centre"):
            api.register_member(actor=CLERK, member=RIS, name=Text("x", "x"))
        with pytest.raises(Problem, match="not-the-centre"):
            api.publish(actor=CLERK)
        api.keep_published()
    assert not published.delivered
