"""Cases: facts as oneself, the rule's word, people who decide, registers that are written once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.http import Http404

from smartgov.blocks.audit.models import UseRecord
from smartgov.blocks.cases import api
from smartgov.blocks.cases.models import Case
from smartgov.blocks.cases.tests import factories as make
from smartgov.blocks.ops.models import Event
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db


def slug_of(refused: pytest.ExceptionInfo[Problem]) -> str:
    return refused.value.slug


def state_of(case: str) -> str:
    return Case.objects.get(id=case).state


def test_the_same_part_twice_is_one_case() -> None:
    application = make.application()
    first = api.open_case(actor=make.PORTAL, agency="ris", application=application)
    assert api.open_case(actor=make.PORTAL, agency="ris", application=application).id == first.id
    assert Case.objects.count() == 1
    other = make.application(id=application.id, answers={"given_name": "平平"})
    with pytest.raises(Problem) as refused:
        api.open_case(actor=make.PORTAL, agency="ris", application=other)
    assert slug_of(refused) == "case-differs"


def test_a_part_is_taken_only_where_it_belongs_and_only_from_the_portal() -> None:
    with pytest.raises(Problem) as refused:
        api.open_case(actor=make.PORTAL, agency="nhi", application=make.application())
    assert slug_of(refused) == "part-not-here"
    stranger = make.Actor.for_system("ris", "TW/GOV/mof/cases")
    with pytest.raises(Problem) as refused:
        api.open_case(actor=stranger, agency="ris", application=make.application())
    assert slug_of(refused) == "part-not-here"


def test_an_agency_keeps_only_the_answers_that_its_part_asks_for() -> None:
    case = Case.objects.get(id=make.opened())
    assert set(case.answers) == {"birth_confirmed", "surname_from", "given_name", "household_of", "declaration"}


def test_the_case_file_is_encrypted_at_rest() -> None:
    with make.road():
        make.opened()
        api.work_on_due()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM cases_case")
        stored = " ".join(str(value) for value in cursor.fetchone())
    for secret in (make.MOTHER, make.FATHER, "陳美玲", "林志明", "安安", "和平路", "consent-births"):
        assert secret not in stored


def test_facts_are_asked_as_the_agency_itself_with_basis_purpose_and_case() -> None:
    with make.road() as road:
        case = make.opened()
        assert api.work_on_due() == 1
    held = Case.objects.get(id=case)
    assert held.state == "in_review"
    (births, *_) = road.asked(make.BIRTHS)
    assert (births.client, births.basis, births.consent) == ("TW/GOV/ris/cases", "child-welfare-act-14", None)
    assert (births.subject, births.purpose, births.case) == (make.MOTHER, "birth.registration", held.number)
    facts = {fact["id"]: fact for fact in held.facts}
    assert facts["mother_name"]["value"] == "陳美玲"
    assert facts["birth_date"]["source"] == "hpa"
    assert facts["birth_date"]["exchange"] == "x-1"
    assert facts["birth_date"]["answered_at"]
    assert held.decision["outcome"] == "granted"
    assert held.rule_version.startswith("birth_registration@")
    assert {party.role for party in held.parties.all()} == {"applicant", "spouse_id"}


def test_an_officer_decides_a_part_that_is_not_automatic_even_when_the_rule_grants() -> None:
    with make.road():
        case = make.opened()
        api.work_on_due()
        api.work_on_due()
    assert state_of(case) == "in_review"


def test_a_register_that_is_down_makes_the_case_wait_and_resume_by_itself() -> None:
    with make.road() as road:
        road.broken[make.PEOPLE] = make.down()
        case = make.opened()
        api.work_on_due()
        held = Case.objects.get(id=case)
        assert held.state == "waiting_for_facts"
        assert {lack["source"] for lack in held.missing} == {"ris"}
        assert {fact["source"] for fact in held.facts} == {"hpa"}
        assert api.work_on_due() == 0, "not before its time"
        with clock.travelling(delta=timedelta(seconds=15)):
            assert api.work_on_due() == 1
            assert state_of(case) == "waiting_for_facts"
        del road.broken[make.PEOPLE]
        with clock.travelling(delta=timedelta(minutes=1)):
            assert api.work_on_due() == 1
            assert state_of(case) == "in_review"
    states = [line.state for line in Case.objects.get(id=case).steps.all()]
    assert states == ["received", "waiting_for_facts", "in_review"], "waiting on is told once"


def test_an_answer_with_a_wrong_signature_stops_the_case_until_an_officer_restarts_it() -> None:
    with make.road() as road:
        road.broken[make.BIRTHS] = make.down("answer-signature-invalid", 502)
        case = make.opened()
        api.work_on_due()
        assert state_of(case) == "stopped"
        with clock.travelling(delta=timedelta(days=1)):
            assert api.work_on_due() == 0
        view = api.case(actor=make.officer(), case_id=case)
        assert "驗證" in view.missing[0]["text"]["zh"]
        del road.broken[make.BIRTHS]
        api.restart(actor=make.officer(), case=case, version=view.version)
        api.work_on_due()
    assert state_of(case) == "in_review"


def test_a_refused_consent_leaves_the_case_to_an_officer_and_the_rule_undecided() -> None:
    with make.road() as road:
        road.rows(make.PEOPLE, "people").append(_child())
        case = make.opened("maternity", "bli", consents={})
        api.work_on_due()
    held = Case.objects.get(id=case)
    assert held.state == "in_review"
    assert held.decision["outcome"] == "undecided"
    assert {"consent-not-given"} == {lack["reason"] for lack in held.missing}
    assert road.asked(make.BIRTHS) == []


def test_nobody_works_on_a_case_in_which_she_is_a_party_whatever_her_seat() -> None:
    with make.road():
        case = make.opened()
        api.work_on_due()
        for number in (make.MOTHER, make.FATHER):
            party = make.officer(number=number)
            view = api.case(actor=party, case_id=case)
            assert view.is_party
            for verb in (api.approve, api.refuse):
                with pytest.raises(Problem) as refused:
                    verb(
                        actor=party, case=case, version=view.version, cited="household-registration-act-48", reason="x"
                    )
                assert slug_of(refused) == "party-decides"
            with pytest.raises(Problem):
                api.ask_supplement(actor=party, case=case, version=view.version, question="?")
    assert state_of(case) == "in_review"


def test_another_agencys_officer_finds_nothing() -> None:
    with make.road():
        case = make.opened()
        api.work_on_due()
        stranger = make.officer("nhi")
        for attempt in (
            lambda: api.case(actor=stranger, case_id=case),
            lambda: api.approve(actor=stranger, case=case, version=1, cited="x", reason="x"),
            lambda: api.ask_supplement(actor=stranger, case=case, version=1, question="x"),
        ):
            with pytest.raises(Http404):
                attempt()
        assert api.work_list(actor=stranger, wanted=api.Filter("all")) == []


def test_opening_a_case_leaves_a_use_record_for_everybody_in_it() -> None:
    with make.road():
        case = make.opened()
        api.work_on_due()
        reader = make.officer()
        view = api.case(actor=reader, case_id=case)
    used = UseRecord.objects.all()
    assert {record.national_id for record in used} == {make.MOTHER, make.FATHER}
    assert {(record.agency, record.case, record.purpose) for record in used} == {
        ("ris", view.row.number, "birth.registration")
    }
    assert all("mother_name" in record.fields for record in used)


def test_a_decision_cites_a_law_and_a_reason_and_is_for_the_version_seen() -> None:
    with make.road():
        case = make.opened()
        api.work_on_due()
        officer = make.officer()
        version = api.case(actor=officer, case_id=case).version
        for cited, reason in (("", "ok"), ("no-such-law", "ok"), ("household-registration-act-48", " ")):
            with pytest.raises(Problem) as refused:
                api.approve(actor=officer, case=case, version=version, cited=cited, reason=reason)
            assert slug_of(refused) == "rule-not-cited"
        api.ask_supplement(actor=officer, case=case, version=version, question="請確認姓氏約定")
        with pytest.raises(Problem) as refused:
            api.refuse(actor=officer, case=case, version=version, cited="household-registration-act-48", reason="x")
        assert slug_of(refused) == "case-moved"


def test_approval_writes_the_child_once_with_a_free_number_and_then_tells() -> None:
    with make.road() as road:
        case = make.opened()
        api.work_on_due()
        make.approved(case, make.officer())
        road.broken[make.PEOPLE] = make.down()
        api.work_on_due()
        assert state_of(case) == "approved"
        assert not Event.objects.filter(name="case_decided").exists(), "not before the register has it"
        del road.broken[make.PEOPLE]
        with clock.travelling(delta=timedelta(minutes=1)):
            api.work_on_due()
    assert state_of(case) == "done"
    held = Case.objects.get(id=case)
    (child,) = [row for row in road.rows(make.PEOPLE, "people") if row["name"] == "林安安"]
    assert national_id.is_synthetic(held.child)
    assert held.child[1] == "2"
    assert child["national_id"] == make.urn(held.child)
    assert (child["mother_id"], child["father_id"]) == (make.urn(make.MOTHER), make.urn(make.FATHER))
    assert child["household_id"] == "h1"
    event = Event.objects.get(name="case_decided")
    assert event.payload == {"case": case, "agency": "ris", "outcome": "granted"}


def test_a_write_whose_answer_was_lost_is_not_made_twice() -> None:
    with make.road() as road:
        case = make.opened()
        api.work_on_due()
        make.approved(case, make.officer())
        real = road._register

        def lost(agency: str, call: object) -> object:
            answer = real(call)  # type: ignore[arg-type]
            if not call.path.endswith("/query"):  # type: ignore[attr-defined]
                raise make.down("gateway-unreachable", 503)
            return answer

        road.doors[make.PEOPLE] = lost
        api.work_on_due()
        assert state_of(case) == "approved"
        del road.doors[make.PEOPLE]
        with clock.travelling(delta=timedelta(minutes=1)):
            api.work_on_due()
    assert state_of(case) == "done"
    assert len([row for row in road.rows(make.PEOPLE, "people") if row["name"] == "林安安"]) == 1


def test_a_number_that_the_register_knows_is_passed_over() -> None:
    from smartgov.blocks.cases.registers import FIRST_SERIAL

    with make.road() as road:
        taken = national_id.make(FIRST_SERIAL, 2)
        road.rows(make.PEOPLE, "people").append(make.person(taken, "已有人", "female", "2020-01-01"))
        case = make.opened()
        api.work_on_due()
        make.approved(case, make.officer())
        api.work_on_due()
    assert Case.objects.get(id=case).child == national_id.make(FIRST_SERIAL + 1, 2)


def test_a_refusal_ends_the_case_and_is_told() -> None:
    with make.road():
        case = make.opened()
        api.work_on_due()
        officer = make.officer()
        version = api.case(actor=officer, case_id=case).version
        api.refuse(actor=officer, case=case, version=version, cited="household-registration-act-48", reason="非申請人")
        assert api.work_on_due() == 0
    assert state_of(case) == "refused"
    assert Event.objects.get(name="case_decided").payload["outcome"] == "refused"


def test_a_part_that_waits_begins_only_when_the_right_agency_says_so_and_reads_for_itself() -> None:
    with make.road() as road:
        case = make.opened("nhi", "nhi", waits=True)
        assert api.work_on_due() == 0
        said = {
            "agency": "nhi",
            "case": case,
            "applicant": make.MOTHER,
            "decided": "registration",
            "outcome": "granted",
        }
        with pytest.raises(Http404):
            api.continue_case(actor=make.Actor.for_system("nhi", "TW/GOV/mof/cases"), **said)
        ris = make.Actor.for_system("nhi", "TW/GOV/ris/cases")
        with pytest.raises(Problem) as refused:
            api.continue_case(actor=ris, **said)
        assert slug_of(refused) == "child-missing", "an elder child must not be taken for the newborn"
        api.continue_case(actor=ris, **said, child=national_id.make(2_400_500, 2))
        api.work_on_due()
        held = Case.objects.get(id=case)
        assert held.state == "in_review", "the register has no child, so the agency believes no event"
        assert held.decision["outcome"] == "undecided"
        assert road.rows(make.INSURED, "insured")[1:] == []


def test_the_rule_decides_alone_where_the_content_lets_it_and_the_register_says_so() -> None:
    with make.road() as road:
        road.rows(make.PEOPLE, "people").append(_child())
        case = make.opened("nhi", "nhi", waits=True)
        ris = make.Actor.for_system("nhi", "TW/GOV/ris/cases")
        api.continue_case(
            actor=ris,
            agency="nhi",
            case=case,
            applicant=make.MOTHER,
            decided="registration",
            outcome="granted",
            child=national_id.make(2_400_500, 2),
        )
        api.work_on_due()
        assert state_of(case) == "approved"
        api.work_on_due()
    assert state_of(case) == "done"
    row = road.rows(make.INSURED, "insured")[-1]
    assert (row["national_id"], row["insured_through_id"]) == (_child()["national_id"], make.urn(make.MOTHER))
    asked = road.asked(make.PEOPLE)
    assert {call.client for call in asked} == {"TW/GOV/nhi/cases"}
    assert {call.basis for call in asked} == {"household-registration-act-67"}


def test_without_the_childs_number_an_officer_looks_at_it() -> None:
    with make.road():
        case = make.opened("nhi", "nhi")
        api.work_on_due()
    held = Case.objects.get(id=case)
    assert (held.state, held.decision["outcome"]) == ("in_review", "granted")


def test_a_part_whose_predecessor_was_refused_closes() -> None:
    case = make.opened("nhi", "nhi", waits=True)
    ris = make.Actor.for_system("nhi", "TW/GOV/ris/cases")
    api.continue_case(
        actor=ris, agency="nhi", case=case, applicant=make.MOTHER, decided="registration", outcome="refused"
    )
    assert state_of(case) == "closed"


def test_a_rule_that_refuses_never_decides_alone() -> None:
    with make.road() as road:
        road.rows(make.PEOPLE, "people").append(_child())
        road.tables[make.INSURANCE, "insurance"] = []
        case = make.opened("maternity", "bli")
        api.work_on_due()
    held = Case.objects.get(id=case)
    assert held.decision["outcome"] == "refused"
    assert held.state == "in_review"


def test_preparation_shows_facts_with_source_and_keeps_nothing() -> None:
    with make.road() as road:
        found = api.prepare(
            agency="sfaa",
            service="birth",
            part="allowance",
            applicant=make.MOTHER,
            consents=make.CONSENTS,
            answers={},
            notification="b-1",
        )
        (births,) = road.asked(make.BIRTHS)
    assert births.consent == "consent-births"
    facts = {fact["id"]: fact for fact in found["facts"]}
    assert facts["elder_children"]["value"] == 1
    assert facts["elder_children"]["source"] == "ris"
    assert found["decision"]["values"]["amount"] == 6000
    assert not Case.objects.exists()


def test_retirement_leaves_nothing_personal_of_old_cases() -> None:
    from smartgov.blocks.ops import api as ops

    with make.road():
        case = make.opened()
        api.work_on_due()
        make.approved(case, make.officer())
        api.work_on_due()
    ops.retire_all(clock.now() + timedelta(days=365 * 6))
    held = Case.objects.get(id=case)
    assert (held.applicant, held.applicant_index, held.child, held.answers, held.facts) == ("", "", "", None, None)
    assert not held.parties.exists()
    assert [(write.subject, write.row) for write in held.writes.all()] == [("", None)]
    assert {line.note for line in held.steps.all()} == {""}


def _child() -> dict[str, object]:
    born = (clock.today() - timedelta(days=10)).isoformat()
    home = {"household_id": "h1", "address": "x", "township": "文山區", "nationality": "TW"}
    return make.person(national_id.make(2_400_500, 2), "林安安", "female", born, mother=make.MOTHER, **home)
