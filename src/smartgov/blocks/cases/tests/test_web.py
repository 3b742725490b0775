"""The officer's and the hospital's pages, as browsers see them."""

from __future__ import annotations

import re

import pytest

from smartgov.blocks.cases import api
from smartgov.blocks.cases.models import Birth, Case
from smartgov.blocks.cases.tests import factories as make
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.ops.models import Event
from smartgov.shared import clock

pytestmark = pytest.mark.django_db


def reviewed() -> str:
    """A case in review."""
    case = make.opened()
    api.work_on_due()
    return case


def test_an_officer_finds_the_case_in_her_list_and_decides_it_on_its_page() -> None:
    with make.road():
        case = reviewed()
        browser = people.signed_in_officer("ris", "case_officer")
        listed = browser.get("/cases/").content.decode()
        held = Case.objects.get(id=case)
        assert held.number in listed
        assert "陳○玲" in listed
        assert "陳美玲" not in listed
        page = browser.get(f"/cases/{case}/").content.decode()
        for shown in ("陳美玲", "林志明", "安安", "國民健康署", "第48條", held.rule_version):
            assert shown in page
        assert make.MOTHER not in page, "a national id is not shown whole"
        version = re.search(r'name="version" value="(\d+)"', page)
        assert version is not None
        answer = browser.post(
            f"/cases/{case}/decision",
            {"version": version[1], "decision": "approve", "cited": "household-registration-act-48", "reason": "相符"},
        )
        assert answer.status_code == 302
        late = browser.post(
            f"/cases/{case}/decision",
            {"version": version[1], "decision": "refuse", "cited": "household-registration-act-48", "reason": "不符"},
        )
        assert late.status_code == 409
    assert Case.objects.get(id=case).state == "approved"


def test_what_is_wrong_is_told_on_the_page_and_what_was_typed_stays() -> None:
    with make.road():
        case = reviewed()
        browser = people.signed_in_officer("ris", "case_officer")
        version = Case.objects.get(id=case).version
        empty = browser.post(
            f"/cases/{case}/decision", {"version": version, "decision": "approve", "cited": "x", "reason": "我的理由"}
        )
        assert empty.status_code == 422
        assert 'href="#f-reason"' in empty.content.decode()
        assert "我的理由" in empty.content.decode()
        assert browser.post(f"/cases/{case}/decision", {"version": version}).status_code == 422
        assert browser.post(f"/cases/{case}/supplement", {"version": version, "question": " "}).status_code == 422
    assert Case.objects.get(id=case).state == "in_review"


@pytest.mark.parametrize(("agency", "role"), [("nhi", "case_officer"), ("ris", "payment_preparer")])
def test_another_agency_or_another_role_gets_nowhere(agency: str, role: str) -> None:
    with make.road():
        case = reviewed()
        browser = people.signed_in_officer(agency, role)
        wanted = 404 if role == "case_officer" else 403
        assert browser.get(f"/cases/{case}/").status_code == wanted
        for place in ("decision", "supplement", "facts"):
            typed = {
                "version": 1,
                "decision": "approve",
                "cited": "household-registration-act-48",
                "reason": "x",
                "question": "x",
            }
            assert browser.post(f"/cases/{case}/{place}", typed).status_code == wanted
    assert Case.objects.get(id=case).state == "in_review"


def test_a_citizen_gets_no_case() -> None:
    with make.road():
        case = reviewed()
        assert people.signed_in_citizen().get(f"/cases/{case}/").status_code == 403


def test_a_mother_in_a_seat_sees_that_she_is_a_party_and_no_form() -> None:
    with make.road():
        case = reviewed()
        browser = people.signed_in_officer("ris", "case_officer", people.a_person(nid=make.MOTHER))
        page = browser.get(f"/cases/{case}/").content.decode()
    assert "當事人" in page or "party to this case" in page
    assert 'name="reason"' not in page


def birth(**changes: str) -> dict[str, str]:
    today = clock.today()
    typed = {
        "key": "0192a000-0000-7000-8000-000000000001",
        "mother_id": make.MOTHER,
        "mother_name": "陳美玲",
        "child_sex": "female",
        "born_on_y": str(today.year - 1911),
        "born_on_m": str(today.month),
        "born_on_d": str(today.day),
        "weight_g": "3100",
        "gestation_weeks": "39",
        "birth_order": "2",
        "hospital": "臺北市立聯合醫院",
    }
    return {**typed, **changes}


def test_a_hospital_notifies_a_birth_once_and_it_is_announced_to_both() -> None:
    from smartgov.blocks.ops.domain import EmittedEvent

    browser = people.signed_in_officer("hpa", "hospital_registrar")
    with make.road() as road:
        road.tables[make.BIRTHS, "births"] = []
        for _ in range(2):
            assert browser.post("/cases/births/new", birth()).status_code == 302
        (row,) = road.rows(make.BIRTHS, "births")
        assert (row["born_on"], row["mother_id"]) == (clock.today().isoformat(), make.urn(make.MOTHER))
        event = Event.objects.get(name="birth_notified")
        assert set(event.payload) == {"birth", "agency"}
        told: list[str] = []
        for service in ("TW/GOV/ris/cases/cases.v1", "TW/GOV/portal/portal/services.v1"):
            road.doors[service] = lambda agency, call: told.append(f"{call.service} {call.path} {call.subject}")
        api.announce_birth(EmittedEvent(event.name, event.aggregate, event.payload, make.PORTAL, event.id))
    assert told == [
        f"TW/GOV/ris/cases/cases.v1 /life-events {make.MOTHER}",
        f"TW/GOV/portal/portal/services.v1 /life-events {make.MOTHER}",
    ]
    assert Birth.objects.get().announced
    assert browser.get("/cases/births/").status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mother_id", "A123456780"),
        ("mother_id", make.FATHER),
        ("born_on_m", "13"),
        ("born_on_y", "999"),
        ("weight_g", "31"),
        ("child_sex", ""),
    ],
)
def test_a_wrong_notification_is_refused_at_its_field(name: str, value: str) -> None:
    browser = people.signed_in_officer("hpa", "hospital_registrar")
    with make.road() as road:
        refused = browser.post("/cases/births/new", birth(**{name: value}))
        assert refused.status_code == 422
        assert f'href="#f-{name.removesuffix("_m").removesuffix("_y")}"' in refused.content.decode()
        assert road.calls == []
    assert not Birth.objects.exists()
