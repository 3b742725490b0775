"""From the portal's part to child, insurance, money and certificate, with the site's own flows between the blocks.

One process plays all agencies; what crosses agencies goes over the recorded T-Road.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smartgov.blocks.cases import api
from smartgov.blocks.cases.models import Case
from smartgov.blocks.cases.tests import factories as make
from smartgov.blocks.credentials import api as credentials
from smartgov.blocks.credentials.tests.factories import SealingGateway
from smartgov.blocks.exchange.domain import Call
from smartgov.blocks.ops import api as ops
from smartgov.blocks.payments import api as payments
from smartgov.blocks.payments.models import Instruction
from smartgov.blocks.payments.tests import factories as money
from smartgov.shared import clock
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db
PORTAL_SERVICE = "TW/GOV/portal/portal/services.v1"


class Country:
    """The recorded road with agencies that answer each other, and what the portal was told."""

    def __init__(self, road: make.RecordedRoad, home: Path) -> None:
        self.road = road
        self.steps: list[dict[str, Any]] = []
        sealing = SealingGateway(home)
        road.seal, road.seal_certificate = sealing.seal, sealing.seal_certificate  # type: ignore[attr-defined]
        road.doors[PORTAL_SERVICE] = self._portal
        for agency in ("nhi", "sfaa", "bli"):
            road.doors[f"TW/GOV/{agency}/cases/cases.v1"] = self._continue

    def work(self) -> None:
        """Let the worker do everything that is due, some seconds at a time."""
        for seconds in range(0, 120, 10):
            with clock.travelling(delta=timedelta(seconds=seconds)):
                while api.work_on_due() + ops.dispatch():
                    pass

    def told(self, part: str) -> list[str]:
        """The kinds of step that the portal was told of a part."""
        return [step["kind"] for step in self.steps if step["part_id"] == part]

    def _portal(self, agency: str, call: Call) -> dict[str, Any]:
        self.steps.append(call.json)
        return {"accepted": True, "duplicate": False}

    def _continue(self, agency: str, call: Call) -> dict[str, Any]:
        assert call.subject is not None
        held = api.continue_case(
            actor=make.Actor.for_system(call.service.split("/")[2], call.client),
            agency=call.service.split("/")[2],
            case=call.path.split("/")[2],
            applicant=call.subject,
            decided=call.json["decided"],
            outcome=call.json["outcome"],
            child=national_id.from_urn(call.json["child"]) if call.json["child"] else "",
        )
        return {"state": held.state}


@pytest.fixture
def country(tmp_path: Path) -> Iterator[Country]:
    with make.road() as road:
        yield Country(road, tmp_path)


def submitted() -> dict[str, str]:
    """All four parts, as the portal hands them in; the id of each."""
    application = uuid7()
    ids = {part: uuid7() for part in ("nhi", "allowance", "maternity")}
    agencies = {"nhi": "nhi", "allowance": "sfaa", "maternity": "bli"}
    followers = [{"agency": agencies[part], "part": part, "part_id": ids[part]} for part in ids]
    for part, part_id in ids.items():
        make.opened(part, agencies[part], id=part_id, application=application, waits=True)
    return {**ids, "registration": make.opened(application=application, followers=followers)}


def test_one_application_becomes_child_insurance_money_and_certificate(country: Country) -> None:
    ids = submitted()
    country.work()
    officer = make.officer()
    make.approved(ids["registration"], officer)
    country.work()

    assert {case.part: case.state for case in Case.objects.all()} == dict.fromkeys(ids, "done")
    child = Case.objects.get(id=ids["registration"]).child
    assert country.road.rows(make.INSURED, "insured")[-1]["national_id"] == make.urn(child)
    (allowance,) = country.road.rows(make.WELFARE, "allowances")
    assert (allowance["monthly_amount"], allowance["child_id"]) == (6000, make.urn(child))
    (benefit,) = country.road.rows(make.INSURANCE, "benefits")
    assert benefit["amount"] == 42000 // 30 * 60

    amounts = dict(Instruction.objects.values_list("agency", "amount"))
    assert amounts == {"sfaa": 6000, "bli": 84000}
    assert country.told(ids["registration"]) == ["working", "approved", "approved", "certificate_issued"]
    assert country.told(ids["allowance"]) == ["received", "working", "approved", "approved", "payment_instructed"]
    certificate = next(step["certificate"] for step in country.steps if step["certificate"])
    pdf = credentials.document(agency="ris", credential_id=certificate["id"], national_id=make.MOTHER)
    assert credentials.verify_upload(pdf).genuine
    assert not ops.dead_letters()


def test_an_agency_that_cannot_be_reached_keeps_nobody_else_waiting(country: Country) -> None:
    ids = submitted()
    country.work()
    make.approved(ids["registration"], make.officer())
    country.road.broken["TW/GOV/nhi/cases/cases.v1"] = make.down("refused-there", 403)
    country.road.broken["TW/GOV/sfaa/cases/cases.v1"] = make.down()
    country.work()
    assert {case.part: case.state for case in Case.objects.filter(id__in=[ids["nhi"], ids["allowance"]])} == {
        "nhi": "held",
        "allowance": "held",
    }
    assert Case.objects.get(id=ids["maternity"]).state == "done"
    assert not ops.dead_letters(), "a refusal gives nothing up while another agency only cannot be reached"
    country.road.broken.clear()
    with clock.travelling(delta=timedelta(minutes=5)):
        country.work()
    assert {case.state for case in Case.objects.all()} == {"done"}


def test_events_that_come_twice_change_nothing(country: Country) -> None:
    from smartgov.blocks.ops.models import Delivery

    ids = submitted()
    country.work()
    make.approved(ids["registration"], make.officer())
    country.work()
    before = (Instruction.objects.count(), len(country.road.rows(make.PEOPLE, "people")), Case.objects.count())
    Delivery.objects.update(state=Delivery.PENDING)
    country.work()
    after = (Instruction.objects.count(), len(country.road.rows(make.PEOPLE, "people")), Case.objects.count())
    assert after == before


def test_a_payment_that_the_bank_sends_back_returns_to_the_officer_and_is_paid_after_correction(
    country: Country,
) -> None:
    ids = submitted()
    country.work()
    make.approved(ids["registration"], make.officer())
    country.work()
    old = Instruction.objects.get(agency="sfaa")
    with money.bank() as bank:
        batch = money.released(bank)
        bank.results[batch] = bank.answer(batch, failing=(old.reference,))
        payments.poll_results()
        country.work()
        desk = make.officer("sfaa")
        (row,) = api.work_list(actor=desk, wanted=api.Filter("todo"))
        assert (row.id, row.attention is not None) == (ids["allowance"], True)
        payments.correct(
            actor=money.officer(), instruction=old.id, payee_name="陳美玲", bank_code="812", account="55555555555555"
        )
        second = money.released(bank)
        bank.results[second] = bank.answer(second)
        payments.poll_results()
        country.work()
    assert api.work_list(actor=desk, wanted=api.Filter("todo")) == []
    assert country.told(ids["allowance"])[-2:] == ["payment_failed", "paid"]
    after = {step["kind"]: step["next"]["en"] for step in country.steps if step["part_id"] == ids["allowance"]}
    assert "The officer finds out" in after["payment_failed"]  # not "nothing more to do" while the money is back
    assert "The officer finds out" not in after["paid"]


def test_the_officer_who_granted_may_not_release_the_money(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smartgov.blocks.cases.working.may_decide_alone", lambda **_: False)
    ids = submitted()
    country.work()
    make.approved(ids["registration"], make.officer())
    country.work()
    granting = make.officer("sfaa")
    version = api.case(actor=granting, case_id=ids["allowance"]).version
    api.approve(actor=granting, case=ids["allowance"], version=version, cited="child-welfare-act-23", reason="符合")
    country.work()
    batch = payments.prepare_batch(actor=money.officer(), agency="sfaa")
    other_seat = money.officer("payment_releaser", who=granting.subject)
    with pytest.raises(Problem) as refused:
        payments.release_batch(
            actor=other_seat, batch=batch, seen_hash=payments.batch(actor=other_seat, batch=batch).digest
        )
    assert refused.value.slug == "second-person-needed"


def test_a_refused_registration_closes_what_waited_for_it(country: Country) -> None:
    ids = submitted()
    country.work()
    officer = make.officer()
    version = api.case(actor=officer, case_id=ids["registration"]).version
    api.refuse(
        actor=officer,
        case=ids["registration"],
        version=version,
        cited="household-registration-act-48",
        reason="非申請人",
    )
    country.work()
    assert {case.part: case.state for case in Case.objects.all()} == {
        "registration": "refused",
        "nhi": "closed",
        "allowance": "closed",
        "maternity": "closed",
    }
    refused = next(step for step in country.steps if step["kind"] == "refused")
    assert "非申請人" in refused["text"]["zh"]
    assert refused["decision"]["cited"]["url"].startswith("https://law.moj.gov.tw/")
    assert not Instruction.objects.exists()
