"""The doors of `services.v1` on T-Road: births are announced here, and agencies tell what they did."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from ninja import Router

from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.services import api
from smartgov.blocks.services.messages import Accepted, LifeEventIn, StepIn
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

OFFERED = exchange.Offered(title=Text("Applications of the portal", "入口網申辦案件"))
router = Router(tags=["services.v1"])
DOOR = exchange.TRoadInbound(exchange.PORTAL)

# The agency whose statutory task it is to pass births on (Children and Youths Welfare Act, Article 14).
ANNOUNCERS = {"birth": "hpa"}


@router.post(
    "/life-events", auth=DOOR, response=Accepted, exclude_none=True, description="轉知出生事件；僅限衛生主管機關"
)
def announce(request: HttpRequest, body: LifeEventIn) -> dict[str, bool]:
    """Keep an announced birth for the mother that the header names."""
    inbound = _inbound(request)
    sender = inbound.client_member.rsplit("/", 1)[-1]
    if sender != ANNOUNCERS[body.kind] or inbound.subject is None:
        raise Http404
    duplicate, known = api.announce_birth(
        actor=Actor.for_system(sender, inbound.client_subsystem),
        event_id=body.id,
        subject_national_id=inbound.subject,
        happened_on=body.happened_on,
        notification=body.notification,
        detail={name: value for name, value in body.detail.items() if value},
    )
    return {"accepted": True, "duplicate": duplicate, "known_person": known}


@router.post(
    "/applications/{application}/steps",
    auth=DOOR,
    response=Accepted,
    exclude_none=True,
    description="機關回報申辦進度",
)
def step(request: HttpRequest, application: str, body: StepIn) -> dict[str, bool]:
    """Write an agency's step on the applicant's timeline."""
    wanted = {"supplement_asked": body.supplement, "certificate_issued": body.certificate}
    if body.kind in wanted and wanted[body.kind] is None:
        raise Problem(
            "step-incomplete",
            422,
            what=Text(f"A step of kind {body.kind} lacks its content.", f"{body.kind} 步驟缺少內容。"),
            todo=Text("Send it with `supplement` or `certificate`.", "請附上 supplement 或 certificate。"),
        )
    duplicate = api.record_step(
        inbound=_inbound(request), application=application, body=body.model_dump(mode="json", exclude_none=True)
    )
    return {"accepted": True, "duplicate": duplicate}


def _inbound(request: HttpRequest) -> exchange.Inbound:
    inbound = request.auth  # type: ignore[attr-defined]
    assert isinstance(inbound, exchange.Inbound)
    return inbound
