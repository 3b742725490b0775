"""The agency's doors on T-Road (`cases.v1`): translate, call the api, answer."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router
from ninja.responses import Status

from smartgov.blocks.cases import api, messages
from smartgov.blocks.cases.messages import Answered, Continuation, LifeEvent, NewCase, Preparation
from smartgov.blocks.cases.selectors import state_of
from smartgov.blocks.exchange.api import Inbound, Offered, TRoadInbound, subsystem_of
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

OFFERED = Offered(title=Text("Cases of an agency", "機關案件"), related=("child", "representative"))
ANNOUNCER = subsystem_of("hpa")
DOOR = TRoadInbound()
router = Router(tags=["cases.v1"])


@router.post("/preparations", auth=DOOR, response=messages.Prepared, description="申請前查得與缺少之資料及規則判斷")
def preparations(request: HttpRequest, wanted: Preparation) -> dict[str, Any]:
    """Facts, what is missing and the rule's word, before anything is applied for."""
    inbound, applicant = _inbound(request)
    return api.prepare(
        agency=inbound.agency,
        service=wanted.service,
        part=wanted.part,
        applicant=applicant,
        consents=wanted.consents,
        answers=wanted.answers,
        notification=wanted.notification or "",
    )


@router.post("/cases", auth=DOOR, response={201: messages.OneCase}, description="立案；同一部分再送，回覆既有案件")
def cases(request: HttpRequest, new: NewCase) -> Status[dict[str, Any]]:
    """Open a case; the same part again answers with the case there is."""
    inbound, applicant = _inbound(request)
    application = api.Application(
        id=new.part_id,
        application=new.application,
        service=new.service,
        part=new.part,
        applicant=applicant,
        applicant_name=new.applicant_name,
        representative=_representative(new),
        answers=new.answers,
        notification=new.notification or "",
        consents=new.consents,
        followers=[follower.dict() for follower in new.followers],
        waits=bool(new.waits_for),
    )
    held = api.open_case(actor=_caller(inbound), agency=inbound.agency, application=application)
    return Status(201, {"id": held.id, **state_of(held)})


@router.post("/cases/{case_id}/supplements", auth=DOOR, response=messages.Standing, description="申請人之補件回覆")
def supplements(request: HttpRequest, case_id: str, answered: Answered) -> dict[str, Any]:
    """The applicant's answer to the officer's question."""
    inbound, applicant = _inbound(request)
    held = api.receive_supplement(
        actor=_caller(inbound),
        agency=inbound.agency,
        case=case_id,
        applicant=applicant,
        supplement=answered.supplement,
        answer="\n".join(answered.answers[name] for name in sorted(answered.answers)),
        answered_at=answered.answered_at,
    )
    return state_of(held)


@router.post(
    "/cases/{case_id}/continuations", auth=DOOR, response=messages.Standing, description="前一機關通知已作成決定"
)
def continuations(request: HttpRequest, case_id: str, said: Continuation) -> dict[str, Any]:
    """The agency of the part before says that it has decided."""
    inbound, applicant = _inbound(request)
    held = api.continue_case(
        actor=_caller(inbound),
        agency=inbound.agency,
        case=case_id,
        applicant=applicant,
        decided=said.decided,
        outcome=said.outcome,
        child=national_id.from_urn(said.child) if said.child else "",
    )
    return state_of(held)


@router.post("/life-events", auth=DOOR, response={202: messages.Noted}, description="出生通報；僅限衛生主管機關轉知")
def life_events(request: HttpRequest, said: LifeEvent) -> Status[dict[str, str]]:
    """A birth that a hospital notified; only the health agency announces it."""
    inbound, mother = _inbound(request)
    if inbound.client_subsystem != ANNOUNCER:
        raise Http404
    row = {"born_on": said.happened_on.isoformat(), **said.detail}
    api.receive_announcement(
        actor=_caller(inbound), agency=inbound.agency, birth=said.notification, mother=mother, row=row
    )
    return Status(202, {"state": "noted"})


@router.get("/cases/{case_id}", auth=DOOR, response=messages.OneCase, description="當事人本人案件之進度")
def case(request: HttpRequest, case_id: str) -> dict[str, Any]:
    """How the subject's own case stands."""
    inbound, applicant = _inbound(request)
    return api.case_for_applicant(agency=inbound.agency, applicant=applicant, case_id=case_id)


def _representative(new: NewCase) -> dict[str, Any] | None:
    if new.representative is None:
        return None
    told = new.representative.model_dump(mode="json")
    return {**told, "person": national_id.from_urn(told["person"])}


def _inbound(request: HttpRequest) -> tuple[Inbound, str]:
    inbound: Inbound = request.auth  # type: ignore[attr-defined]
    if not inbound.subject:
        raise Http404
    return inbound, inbound.subject


def _caller(inbound: Inbound) -> Actor:
    """The information system that called, acting at this agency's door."""
    return Actor.for_system(inbound.agency, inbound.client_subsystem)
