"""Handing in, sending, the timeline, questions and certificates."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import Http404

from smartgov.blocks.exchange.domain import Call
from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.identity.tests.factories import signed_in_citizen
from smartgov.blocks.mandates.models import Mandate
from smartgov.blocks.mandates.tests import factories as mandates
from smartgov.blocks.mydata.tests.factories import SILENT, RecordedTransport
from smartgov.blocks.notify import api as notify
from smartgov.blocks.ops import api as ops
from smartgov.blocks.ops.domain import actor_from_json
from smartgov.blocks.ops.models import Delivery, Event
from smartgov.blocks.services import api
from smartgov.blocks.services.models import Application, Part, Step, Supplement
from smartgov.blocks.services.tests import factories
from smartgov.blocks.services.tests.factories import (
    Mother,
    a_step,
    hand_in,
    handed_in,
    inbound,
    part_of,
    version_of,
    walk,
)
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

pytestmark = pytest.mark.django_db


def send_all(mother: Mother) -> None:
    """What the worker does with `part_submitted`; failures stay in the outbox."""
    for event in Event.objects.filter(name="part_submitted"):
        emitted = ops.EmittedEvent(event.name, event.aggregate, event.payload, actor_from_json(event.actor), event.id)
        try:
            api.send_application(emitted)
        except Problem:
            continue


def opened(troad: RecordedTransport) -> dict[str, dict[str, Any]]:
    return {call.json["part"]: call.json for call in troad.calls if call.path == "/cases"}


def test_handing_in_twice_is_one_application_and_one_case_each(mother: Mother, troad: RecordedTransport) -> None:
    application = walk(mother)
    version = version_of(application)
    for _ in range(2):
        answer = mother.browser.post(
            f"/services/applications/{application}/check", {"declaration": "yes", "version": version}
        )
        assert answer["Location"] == f"/services/applications/{application}/"
    assert Part.objects.count() == 4
    assert Event.objects.filter(name="part_submitted").count() == 4
    send_all(mother)
    send_all(mother)
    assert len([call for call in troad.calls if call.path == "/cases"]) == 4


def test_without_the_declaration_nothing_is_handed_in(mother: Mother) -> None:
    application = walk(mother)
    answer = mother.browser.post(f"/services/applications/{application}/check", {"version": version_of(application)})
    assert answer.status_code == 422
    assert Application.objects.get().state == "draft"


def test_an_answer_changed_in_another_window_is_looked_over_first(mother: Mother) -> None:
    application = walk(mother)
    answer = mother.browser.post(
        f"/services/applications/{application}/check", {"declaration": "yes", "version": version_of(application) - 1}
    )
    assert answer["Location"].endswith("/check?why=changed")
    assert "另一個視窗" in mother.browser.get(answer["Location"]).content.decode()
    assert Application.objects.get().state == "draft"


def test_a_handed_in_application_takes_no_more_pages(mother: Mother) -> None:
    application = handed_in(mother)
    answer = mother.browser.post(f"/services/applications/{application}/pages/name", {"given_name": "小平"})
    assert answer["Location"] == f"/services/applications/{application}/"
    with pytest.raises(Problem, match="application-not-draft"):
        api.withdraw(actor=mother.actor, application_id=application)


def test_each_agency_gets_its_part_and_the_first_one_learns_who_follows(
    mother: Mother, troad: RecordedTransport
) -> None:
    application = handed_in(mother)
    send_all(mother)
    bodies = opened(troad)
    first, allowance = bodies["registration"], bodies["allowance"]
    assert first["part_id"] == part_of(application, "registration").id
    assert (first["waits_for"], allowance["waits_for"]) == ([], ["registration"])
    assert {item["part_id"] for item in first["followers"]} == {
        part_of(application, name).id for name in ("nhi", "allowance", "maternity")
    }
    assert allowance["followers"] == []
    assert "bank_account" in allowance["answers"]
    assert "bank_account" not in first["answers"]
    assert (part_of(application, "registration").state, part_of(application, "nhi").state) == ("received", "waiting")
    assert part_of(application, "registration").number == "C-1"


def test_an_agency_that_is_down_is_shown_honestly_and_told_of_once(mother: Mother, troad: RecordedTransport) -> None:
    application = handed_in(mother)
    troad.answers["TW/GOV/sfaa/cases/cases.v1", "/cases"] = SILENT
    for _ in range(4):
        send_all(mother)
    part = part_of(application, "allowance")
    assert (part.state, part.attempts, part.sent_at) == ("delayed", 4, None)
    assert part_of(application, "maternity").state == "waiting"
    page = mother.browser.get(f"/services/applications/{application}/").content.decode()
    assert "持續傳送" in page
    told = [notice for notice in notify.wall(actor=mother.actor) if "等候傳送" in notice.subject.zh]
    assert len(told) == 1
    troad.answers["TW/GOV/sfaa/cases/cases.v1", "/cases"] = factories.opened
    send_all(mother)
    assert part_of(application, "allowance").state == "waiting"


@pytest.mark.parametrize(
    ("gateway", "state"), [({}, "queued"), ({"gateway": "own"}, "queued"), ({"gateway": "TW/GOV/x/gw1"}, "delayed")]
)
def test_an_outage_of_our_own_gateway_blames_no_agency_and_that_of_an_agencys_is_told(
    mother: Mother, troad: RecordedTransport, gateway: dict[str, str], state: str
) -> None:
    application = handed_in(mother)
    for code in factories.NAMES.values():
        down = Problem("gateway-unreachable", 503, what=Text("A gateway is down.", "閘道沒有回應。"), **gateway)
        troad.answers[f"TW/GOV/{code}/cases/cases.v1", "/cases"] = down
    send_all(mother)
    assert {part.state for part in Part.objects.filter(application_id=application)} == {state}


def test_a_refused_part_stops_and_says_so(mother: Mother, troad: RecordedTransport) -> None:
    application = handed_in(mother)
    refused = Problem("case-differs", 422, what=Text("Not the same.", "內容不同。"))
    troad.answers["TW/GOV/nhi/cases/cases.v1", "/cases"] = refused
    send_all(mother)
    assert part_of(application, "nhi").state == "stopped"


def test_steps_make_the_timeline_in_order_of_time_with_next_and_by_when(mother: Mother) -> None:
    application = handed_in(mother)
    part = part_of(application, "registration")
    now = clock.now()
    late = a_step(part, "approved", at=(now + timedelta(hours=2)).isoformat(), title={"en": "Done", "zh": "已登記"})
    early = a_step(
        part,
        "working",
        at=(now + timedelta(hours=1)).isoformat(),
        next={"en": "We decide", "zh": "審核後通知"},
        by="2026-12-01",
    )
    for body in (early, late):
        assert api.record_step(inbound=inbound(mother, "ris"), application=application, body=body) is False
    assert api.record_step(inbound=inbound(mother, "ris"), application=application, body=early) is True
    view = api.timeline(actor=mother.actor, application_id=application)
    assert [step.kind for step in view.steps] == ["submitted", "working", "approved"]
    assert view.parts[0].state == "approved"
    assert "已登記" in mother.browser.get(f"/services/applications/{application}/").content.decode()


def test_an_early_step_that_arrives_late_does_not_turn_time_back(mother: Mother) -> None:
    application = handed_in(mother)
    part = part_of(application, "registration")
    now = clock.now()
    for kind, hours, text in (("approved", 2, "完成"), ("working", 1, "審核後通知")):
        body = a_step(part, kind, at=(now + timedelta(hours=hours)).isoformat(), next={"en": "x", "zh": text})
        api.record_step(inbound=inbound(mother, "ris"), application=application, body=body)
    part.refresh_from_db()
    assert (part.state, part.next_text["zh"]) == ("approved", "完成")


def test_only_the_parts_own_agency_for_its_own_applicant_writes_steps(mother: Mother) -> None:
    application = handed_in(mother)
    part = part_of(application, "registration")
    stranger = factories.a_mother(announced=False)
    for who in (inbound(mother, "sfaa"), inbound(stranger, "ris")):
        with pytest.raises(Http404):
            api.record_step(inbound=who, application=application, body=a_step(part, "approved"))
    with pytest.raises(Http404):
        api.record_step(inbound=inbound(mother, "ris"), application=uuid7(), body=a_step(part, "approved"))
    body = a_step(part, "working")
    api.record_step(inbound=inbound(mother, "ris"), application=application, body=body)
    with pytest.raises(Problem, match="step-differs"):
        api.record_step(inbound=inbound(mother, "ris"), application=application, body={**body, "kind": "approved"})
    assert Step.objects.filter(part=part).count() == 1


def ask(mother: Mother, application: str) -> str:
    due = (clock.today() + timedelta(days=6)).isoformat()
    question = {"id": uuid7(), "ask": {"en": "Which ward?", "zh": "請問在哪個病房出生？"}, "due": due}
    body = a_step(part_of(application, "registration"), "supplement_asked", supplement=question)
    api.record_step(inbound=inbound(mother, "ris"), application=application, body=body)
    event = Event.objects.filter(name="step_recorded").latest("id")
    api.tell_applicant(ops.EmittedEvent(event.name, event.aggregate, event.payload, factories.SEEDER, event.id))
    return str(question["id"])


def test_a_question_reaches_her_and_her_answer_goes_back_once(mother: Mother, troad: RecordedTransport) -> None:
    application = handed_in(mother)
    question = ask(mother, application)
    assert part_of(application, "registration").state == "supplement"
    assert "請問在哪個病房" in notify.wall(actor=mother.actor)[0].body.zh
    page = f"/services/questions/{question}"
    assert "請問在哪個病房" in mother.browser.get(page).content.decode()
    assert mother.browser.post(page, {"answer": " "}).status_code == 422
    assert mother.browser.post(page, {"answer": "三樓"}).status_code == 302
    assert mother.browser.post(page, {"answer": "三樓"}).status_code == 302
    assert mother.browser.post(page, {"answer": "四樓"}).status_code == 409
    part = part_of(application, "registration")
    troad.answers["TW/GOV/ris/cases/cases.v1", f"/cases/{part.id}/supplements"] = {"state": "working"}
    (event,) = Event.objects.filter(name="supplement_answered")
    emitted = ops.EmittedEvent(event.name, event.aggregate, event.payload, mother.actor, event.id)
    api.send_supplement(emitted)
    api.send_supplement(emitted)
    (call,) = [call for call in troad.calls if call.path.endswith("/supplements")]
    assert call.json["answers"] == {"answer": "三樓"}
    assert Supplement.objects.get().sent_at is not None
    assert factories.a_mother(announced=False).browser.get(page).status_code == 404


def test_she_answers_until_the_end_of_the_day_and_is_told_when_it_is_over(mother: Mother) -> None:
    application = handed_in(mother)
    question = ask(mother, application)
    page = f"/services/questions/{question}"
    with clock.travelling(delta=timedelta(days=7)):
        now = signed_in_citizen(mother.actor.subject or "")
        shown = now.get(page).content.decode()
        assert "回覆期限已過" in shown
        assert 'name="answer"' not in shown
        assert "請問在哪個病房" not in now.get(f"/services/applications/{application}/").content.decode()
        assert now.post(page, {"answer": "三樓"}).status_code == 410
    assert not Event.objects.filter(name="supplement_answered").exists()
    with clock.travelling(delta=timedelta(days=6)):
        assert signed_in_citizen(mother.actor.subject or "").post(page, {"answer": "三樓"}).status_code == 302


def test_an_answer_that_its_agency_does_not_take_holds_no_later_one_back(
    mother: Mother, troad: RecordedTransport
) -> None:
    application = handed_in(mother)
    first, second = ask(mother, application), ask(mother, application)
    for question in (first, second):
        mother.browser.post(f"/services/questions/{question}", {"answer": "三樓"})
    part = part_of(application, "registration")
    place = "TW/GOV/ris/cases/cases.v1", f"/cases/{part.id}/supplements"

    def taken(call: Call) -> dict[str, str]:
        if call.json["supplement"] == first:
            raise Problem("supplement-closed", 410, what=Text("over", "已逾期"))
        return {"state": "working"}

    troad.answers[place] = taken
    Delivery.objects.exclude(listener__endswith="send_supplement").delete()
    for hours in range(8):
        with clock.travelling(delta=timedelta(hours=hours)):
            ops.dispatch()
    assert Supplement.objects.get(id=second).sent_at is not None
    assert Supplement.objects.get(id=first).sent_at is None
    given_up = [dead.problem for dead in ops.dead_letters() if dead.event.name == "supplement_answered"]
    assert given_up == ["supplement-closed"]


def test_a_certificate_is_fetched_from_its_agency_for_her_alone(mother: Mother, troad: RecordedTransport) -> None:
    application = handed_in(mother)
    told = {"id": uuid7(), "title": {"en": "Certificate", "zh": "出生登記證明書"}, "code": "abc"}
    body = a_step(part_of(application, "registration"), "certificate_issued", certificate=told)
    api.record_step(inbound=inbound(mother, "ris"), application=application, body=body)
    page = f"/services/certificates/{told['id']}"
    assert page in mother.browser.get("/").content.decode()
    assert mother.browser.get(page).status_code == 504
    content = base64.b64encode(b"%PDF-1.7").decode()
    troad.answers["TW/GOV/ris/cases/credentials.v1", "/documents"] = {"content": content}
    answer = mother.browser.get(page)
    assert (answer.content, answer["Content-Type"]) == (b"%PDF-1.7", "application/pdf")
    assert troad.calls[-1].subject == mother.person
    assert factories.a_mother(announced=False).browser.get(page).status_code == 404


def test_a_year_later_answers_and_facts_are_gone_and_the_timeline_stands(mother: Mother) -> None:
    application = handed_in(mother)
    with clock.travelling(delta=timedelta(days=366)):
        ops.retire_all(clock.now())
    row = Application.objects.get(id=application)
    assert (row.answers, row.prepared) == ({}, {})
    assert row.steps.count() == 1


def test_the_answer_to_handing_in_shows_what_happens_next(mother: Mother) -> None:
    application = walk(mother)
    hand_in(mother, application)
    page = mother.browser.get(f"/services/applications/{application}/").content.decode()
    assert page.count("正在送交") == 4
    (notice,) = [item for item in notify.wall(actor=mother.actor) if "已收到您的申請" in item.subject.zh]
    assert "戶政司" in notice.body.zh


def a_guardian(mother: Mother) -> tuple[Actor, str]:
    """Somebody whom a court made her guardian, acting by the household register's word; and the national id."""
    family = mandates.a_guardianship(mother.actor.subject or "", mother.person, "陳怡君")
    with mandates.registers(family):
        return mandates.takes_up(family), family.mother_id


def a_proxy(mother: Mother) -> tuple[Actor, str]:
    """Somebody whom she gave a mandate, acting by it; and the national id."""
    number = people.a_national_id()
    proxy = Actor("citizen", subject=people.a_person("林志明", nid=number), assurance=2)
    return mandates.accepts(proxy, mandates.gives(mother.actor, number, "林志明")), number


@pytest.mark.parametrize(
    ("made", "source", "kind"),
    [
        (a_guardian, "register", {"en": "Guardian", "zh": "監護人"}),
        (a_proxy, "given", {"en": "Proxy for applications", "zh": "申辦代理人"}),
    ],
)
def test_who_hands_it_in_for_another_is_told_to_the_agency_with_the_evidence(
    mother: Mother,
    troad: RecordedTransport,
    made: Callable[[Mother], tuple[Actor, str]],
    source: str,
    kind: dict[str, str],
) -> None:
    application = walk(mother)
    acting, number = made(mother)
    evidence = identity.standing(actor=acting).evidence
    assert evidence is not None
    posted = {"declaration": ["yes"]}
    assert api.submit(actor=acting, application_id=application, posted=posted, seen=version_of(application)).done
    send_all(mother)
    assert len(opened(troad)) == 4
    for body in opened(troad).values():
        told = body["representative"]
        assert (told["person"], told["name"], told["mandate"]) == (national_id.urn(number), "林志明", acting.mandate)
        assert told["kind"] == kind
        assert (told["evidence"]["source"], told["evidence"]["reference"]) == (source, evidence.reference)
    page = mother.browser.get(f"/services/applications/{application}/").content.decode()
    assert f"林志明（{kind['zh']}）代為送出申請" in page


def test_whoever_acts_for_herself_names_nobody(mother: Mother, troad: RecordedTransport) -> None:
    handed_in(mother)
    send_all(mother)
    assert {body["representative"] for body in opened(troad).values()} == {None}


@pytest.mark.parametrize("change", [{"over_at": clock.now(), "state": "ended"}, {"begins_at": None}])
def test_a_mandate_that_is_over_or_has_no_evidence_hands_nothing_in(mother: Mother, change: dict[str, Any]) -> None:
    application = walk(mother)
    acting, _ = a_proxy(mother)
    Mandate.objects.filter(id=acting.mandate).update(**change)
    posted = {"declaration": ["yes"]}
    with pytest.raises(Problem):
        api.submit(actor=acting, application_id=application, posted=posted, seen=version_of(application))
    assert Application.objects.get(id=application).state == "draft"
