"""One fact travels between two gateways: what arrives, what is cut, what is written down."""

from __future__ import annotations

import json

import pytest

from smartgov.engines.troad.tests.country import BIRTHS, CASES, LAW, MOTHER, PURPOSE, Country, ask_births
from smartgov.shared import clock
from smartgov.shared.tw import national_id

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]


def test_a_fact_travels_and_is_cut_to_the_granted_fields(country: Country) -> None:
    answer = ask_births(country.sdk())
    assert answer.status == 200
    item = {"mother_id": national_id.urn(MOTHER), "born_on": "2026-11-01", "hospital": "臺大醫院"}
    assert answer.body == {"items": [item], "as_of": "2026-11-22T00:00:00Z"}
    assert answer.provider == "TW/GOV/hpa/gw1"
    assert answer.log_ref.startswith("TW/GOV/ris/gw1 ")
    assert abs((clock.now() - answer.answered_at).total_seconds()) < 60


def test_the_service_learns_who_asks_what_for_and_about_whom(country: Country) -> None:
    answer = ask_births(country.sdk())
    (seen,) = country.behind.seen
    told = {name: value for name, value in seen.headers.items() if name.startswith("x-")}
    assert told == {
        "x-road-client": CASES,
        "x-road-id": answer.exchange_id,
        "x-road-issue": "case-1",
        "x-road-userid": "s1",
        "x-troad-subject": national_id.urn(MOTHER),
        "x-troad-purpose": PURPOSE,
        "x-troad-basis": LAW,
        "x-troad-basis-kind": "statute",
        "x-troad-fields": "born_on,hospital,mother_id",
    }
    assert seen.path == "/births/query"


def test_the_person_herself_may_be_the_ground(country: Country) -> None:
    rights = country.data()["rights"]
    own = {**rights[0], "client": "TW/GOV/portal/portal", "basis": {"kind": "subject"}, "fields": ["born_on"]}
    country.publish(rights=[*rights, own])
    for basis in (None, "subject"):
        answer = ask_births(country.sdk("TW/GOV/portal/portal"), basis=basis)
        assert answer.body["items"] == [{"born_on": "2026-11-01"}]
        assert country.behind.seen[-1].headers["x-troad-basis"] == "subject"


def test_both_sides_record_question_and_answer_without_the_person(country: Country) -> None:
    answer = ask_births(country.sdk())
    for code, side in (("ris", "client"), ("hpa", "provider")):
        mine = [record for record in country.records(code) if record.get("id") == answer.exchange_id]
        assert [(record["kind"], record["side"]) for record in mine] == [("request", side), ("answer", side)]
        question = mine[0]
        assert (question["client"], question["service"], question["user"]) == (CASES, BIRTHS, "s1")
        assert (question["purpose"], question["basis"]) == (PURPOSE, {"kind": "statute", "code": LAW})
        assert len(question["subject"]) == 64
        assert MOTHER not in json.dumps(mine)
        assert all(record["signature"] for record in mine)
    pseudonyms = {
        record["subject"] for code in ("ris", "hpa") for record in country.records(code) if record.get("subject")
    }
    assert len(pseudonyms) == 2, "each gateway knows her by a name of its own"
