"""The doors on T-Road: only the agency's own gateway, only the subject, only who may."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from smartgov.blocks.audit.models import UseRecord
from smartgov.blocks.cases import api
from smartgov.blocks.cases.models import Birth, Case
from smartgov.blocks.cases.services import person_index
from smartgov.blocks.cases.tests import factories as make
from smartgov.blocks.identity.tests import factories as people
from smartgov.shared import homes
from smartgov.shared.ids import uuid7
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db
PORTAL = "TW/GOV/portal/portal"
FRIEND = national_id.make(103, 1)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homes, "gateway_secret", lambda agency, subsystem: f"{agency}-{subsystem}")


def post(
    path: str, body: Any, *, agency: str = "ris", client: str = PORTAL, subject: str | None = make.MOTHER, **head: str
) -> Any:
    headers = {"Authorization": f"Bearer {agency}-cases", "X-Road-Client": client, "X-Road-Id": "x-1", **head}
    if subject:
        headers["X-TRoad-Subject"] = make.urn(subject)
    return Client().post(
        f"/troad/{agency}/cases.v1{path}", json.dumps(body), content_type="application/json", headers=headers
    )


def part(**changes: Any) -> dict[str, Any]:
    whole = {
        "application": uuid7(),
        "part_id": uuid7(),
        "service": "birth",
        "part": "registration",
        "reference": "B-7K3M9Q",
        "submitted_at": "2026-11-22T06:00:00+00:00",
        "notification": "b-1",
        "answers": {"given_name": "安安", "surname_from": "father", "household_of": "mother"},
        "consents": make.CONSENTS,
        "waits_for": [],
        "followers": [{"agency": "nhi", "part": "nhi", "part_id": uuid7()}],
        "applicant_name": "陳美玲",
    }
    return {**whole, **changes}


def test_a_case_is_opened_once_and_says_what_is_next_and_by_when() -> None:
    new = part()
    first = post("/cases", new)
    assert first.status_code == 201
    said = first.json()
    assert said["state"] == "received"
    assert said["next"]["zh"]
    assert said["by"]
    assert post("/cases", new).json() == said
    assert post("/cases", {**new, "answers": {"given_name": "平平"}}).status_code == 409
    assert Case.objects.count() == 1


def test_only_the_agencys_own_gateway_passes() -> None:
    for secret in ("Bearer wrong", "", "Bearer nhi-cases"):
        assert post("/cases", part(), Authorization=secret).status_code == 401
    assert post("/cases", part(), subject=None).status_code == 404
    assert post("/cases", part(), client="TW/GOV/mof/cases").status_code == 403
    assert not Case.objects.exists()


def test_preparations_answer_with_facts_source_and_time() -> None:
    with make.road():
        body = {"service": "birth", "part": "registration", "answers": {}, "notification": "b-1", "consents": {}}
        said = post("/preparations", body).json()
    fact = next(fact for fact in said["facts"] if fact["id"] == "birth_date")
    assert (fact["source"], fact["service"]) == ("hpa", make.BIRTHS)
    assert fact["answered_at"]
    assert said["decision"]["outcome"] in ("granted", "undecided")


def test_a_supplement_comes_back_and_the_case_can_be_asked_for_by_its_applicant_only() -> None:
    new = part()
    with make.road():
        case = post("/cases", new).json()["id"]
        api.work_on_due()
        officer = make.officer()
        version = api.case(actor=officer, case_id=case).version
        asked = api.ask_supplement(actor=officer, case=case, version=version, question="?")
        answer = {"supplement": asked, "answers": {"answer": "從父姓"}, "answered_at": "2026-11-22T06:00:00+00:00"}
        assert post(f"/cases/{case}/supplements", answer, subject=make.FATHER).status_code == 404
        assert post(f"/cases/{case}/supplements", answer).json()["state"] == "working"
    head = {"Authorization": "Bearer ris-cases", "X-Road-Client": PORTAL}
    own = {**head, "X-TRoad-Subject": make.urn(make.MOTHER)}
    other = {**head, "X-TRoad-Subject": make.urn(make.FATHER)}
    assert Client().get(f"/troad/ris/cases.v1/cases/{case}", headers=own).json()["state"] == "working"
    assert Client().get(f"/troad/ris/cases.v1/cases/{case}", headers=other).status_code == 404
    assert (
        Client()
        .get(f"/troad/nhi/cases.v1/cases/{case}", headers={**own, "Authorization": "Bearer nhi-cases"})
        .status_code
        == 404
    )


def test_a_continuation_is_taken_from_the_right_agency_only() -> None:
    new = part(part="nhi", waits_for=["registration"])
    opened = post("/cases", new, agency="nhi").json()
    assert opened["state"] == "waiting"
    said = {"decided": "registration", "outcome": "granted", "child": make.urn(national_id.make(2_400_500, 2))}
    path = f"/cases/{opened['id']}/continuations"
    assert post(path, said, agency="nhi", client="TW/GOV/mof/cases").status_code == 404
    assert post(path, said, agency="nhi", client="TW/GOV/ris/cases", subject=make.FATHER).status_code == 404
    assert post(path, said, agency="nhi", client="TW/GOV/ris/cases").json()["state"] == "received"


def test_only_the_health_agency_announces_births() -> None:
    said = {
        "id": "b-9",
        "kind": "birth",
        "happened_on": "2026-11-20",
        "notification": "b-9",
        "detail": {"hospital": "x"},
    }
    assert post("/life-events", said, client="TW/GOV/mof/cases").status_code == 404
    for _ in range(2):
        assert post("/life-events", said, client="TW/GOV/hpa/cases").status_code == 202
    assert Birth.objects.get().mother == make.MOTHER


def by_another(**changes: Any) -> dict[str, Any]:
    evidence = {"source": "register", "reference": "ex-9", "at": "2026-11-22T05:58:00+00:00"}
    return {
        "person": make.urn(FRIEND),
        "name": "林志明",
        "kind": {"en": "Parent", "zh": "父母"},
        "mandate": "m-17",
        "evidence": evidence,
        **changes,
    }


def test_the_officer_sees_who_acted_for_the_applicant_and_on_which_evidence() -> None:
    with make.road():
        case = post("/cases", part(representative=by_another())).json()["id"]
        held = Case.objects.get(id=case)
        assert ("representative", FRIEND) in {(party.role, party.person) for party in held.parties.all()}
        page = people.signed_in_officer("ris", "case_officer").get(f"/cases/{case}/").content.decode()
    for shown in ("林志明", "父母", "登記機關已確認", "ex-9", "m-17"):
        assert shown in page
    assert FRIEND not in page, "a national id is not shown whole"
    read = UseRecord.objects.filter(case=held.number)
    assert {(record.national_id, "given_name" in record.fields) for record in read} == {
        (make.MOTHER, True),
        (FRIEND, False),
    }, "she and he are both told who looked, each at what"


def test_a_representative_does_not_decide_the_case_from_a_seat() -> None:
    with make.road():
        case = post("/cases", part(representative=by_another())).json()["id"]
        api.work_on_due()
        assert api.case(actor=make.officer(number=FRIEND), case_id=case).is_party


def test_a_spouse_who_acted_is_told_of_everything_that_was_read_about_the_couple() -> None:
    with make.road():
        case = post("/cases", part(representative=by_another(person=make.urn(make.FATHER)))).json()["id"]
        api.work_on_due()
    (party,) = Case.objects.get(id=case).parties.filter(person_index=person_index(make.FATHER))
    assert party.role == "spouse_id"


def test_a_half_told_representative_is_refused() -> None:
    for wrong in ({"person": "A123456789"}, {"evidence": {"source": "hearsay"}}, {"kind": "parent"}):
        assert post("/cases", part(representative=by_another(**wrong))).status_code == 422
    assert not Case.objects.exists()
