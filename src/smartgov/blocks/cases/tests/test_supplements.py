"""Questions to an applicant: asked once, due on a working day, answered in time however late the answer arrives."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.http import Http404

from smartgov.blocks.cases import api
from smartgov.blocks.cases.models import Case
from smartgov.blocks.cases.tests import factories as make
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem

pytestmark = pytest.mark.django_db
AFTER_ALL_REST = timedelta(days=30)
"""Later than a question of 14 days can be due, whatever days of rest follow."""


def test_a_supplement_goes_out_comes_back_once_and_not_after_its_time() -> None:
    with make.road():
        case = make.opened()
        api.work_on_due()
        officer = make.officer()
        version = api.case(actor=officer, case_id=case).version
        asked = api.ask_supplement(actor=officer, case=case, version=version, question="請確認姓氏約定")
        answer = {"actor": make.PORTAL, "agency": "ris", "case": case, "supplement": asked}
        with pytest.raises(Http404):
            api.receive_supplement(**answer, applicant=make.FATHER, answer="從父姓")
        for _ in range(2):
            api.receive_supplement(**answer, applicant=make.MOTHER, answer="從父姓")
        with pytest.raises(Problem) as refused:
            api.receive_supplement(**answer, applicant=make.MOTHER, answer="從母姓")
        assert refused.value.slug == "supplement-closed"
        view = api.case(actor=officer, case_id=case)
        assert (view.row.state, view.supplements[0]["answer"]) == ("in_review", "從父姓")
        late = api.ask_supplement(actor=officer, case=case, version=view.version, question="還有一題")
        with clock.travelling(delta=AFTER_ALL_REST):
            assert api.close_overdue() == 1
            with pytest.raises(Problem):
                api.receive_supplement(**{**answer, "supplement": late}, applicant=make.MOTHER, answer="x")
    assert Case.objects.get(id=case).state == "in_review"


def _asked(case: str, officer: Actor) -> str:
    version = api.case(actor=officer, case_id=case).version
    return api.ask_supplement(actor=officer, case=case, version=version, question="請確認姓氏約定")


def test_no_answer_is_due_on_a_day_of_rest() -> None:
    with make.road(), clock.travelling(to=datetime(2026, 12, 11, 9, tzinfo=clock.TAIPEI)):
        case = make.opened()
        api.work_on_due()
        officer = make.officer()
        _asked(case, officer)
        (asked,) = api.case(actor=officer, case_id=case).supplements
        assert asked["due"] == date(2026, 12, 28), "25 December is a holiday and a Friday"


def test_an_answer_given_in_time_counts_however_late_it_arrives() -> None:
    with make.road():
        case = make.opened()
        api.work_on_due()
        officer = make.officer()
        asked, given = _asked(case, officer), clock.now() + timedelta(days=14)
        with clock.travelling(delta=AFTER_ALL_REST):
            assert api.close_overdue() == 1
            before = api.case(actor=officer, case_id=case)
            assert before.row.attention is not None
            answer = {"actor": make.PORTAL, "agency": "ris", "case": case, "supplement": asked}
            for _ in range(2):
                api.receive_supplement(**answer, applicant=make.MOTHER, answer="從父姓", answered_at=given)
            after = api.case(actor=officer, case_id=case)
            assert (after.row.state, after.row.attention) == ("in_review", None)
            assert after.supplements[0]["answer"] == "從父姓"
            with pytest.raises(Problem) as refused:  # who had the page open before it came looks again
                api.refuse(
                    actor=officer,
                    case=case,
                    version=before.version,
                    cited="household-registration-act-48",
                    reason="逾期未補件",
                )
    assert refused.value.slug == "case-moved"


def test_an_answer_after_its_day_or_after_the_decision_is_closed_for_good() -> None:
    with make.road():
        case = make.opened()
        api.work_on_due()
        officer = make.officer()
        asked, given = _asked(case, officer), clock.now()
        answer = {"actor": make.PORTAL, "agency": "ris", "case": case, "supplement": asked, "applicant": make.MOTHER}
        with clock.travelling(delta=AFTER_ALL_REST):
            with pytest.raises(Problem) as late:  # also before anybody has looked for what is overdue
                api.receive_supplement(**answer, answer="x", answered_at=clock.now())
            api.close_overdue()
            version = api.case(actor=officer, case_id=case).version
            cited = "household-registration-act-48"
            api.refuse(actor=officer, case=case, version=version, cited=cited, reason="逾期未補件")
            with pytest.raises(Problem) as decided:
                api.receive_supplement(**answer, answer="x", answered_at=given)
    assert {(one.value.slug, one.value.status) for one in (late, decided)} == {("supplement-closed", 410)}


def test_a_late_answer_to_one_question_does_not_end_the_waiting_for_another() -> None:
    with make.road():
        case = make.opened()
        api.work_on_due()
        officer = make.officer()
        first, given = _asked(case, officer), clock.now()
        with clock.travelling(delta=AFTER_ALL_REST):
            api.close_overdue()
            _asked(case, officer)
            answer = {"actor": make.PORTAL, "agency": "ris", "case": case, "supplement": first}
            api.receive_supplement(**answer, applicant=make.MOTHER, answer="從父姓", answered_at=given)
            view = api.case(actor=officer, case_id=case)
    assert (view.row.state, view.supplements[0]["answer"]) == ("supplement_asked", "從父姓")
