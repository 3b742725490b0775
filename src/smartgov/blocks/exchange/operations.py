"""The register's own API: members, services, rights and requests, the same for officers and for members' systems.

One table of operations, two doors: `/api/exchange/v1` for signed-in officers (`rest.py`), and the service `exchange.v1`
on T-Road for members' information systems (`troad.py`). Each acts for its own member only; what belongs to two others
does not exist for a third.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, TypeVar

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from ninja.responses import Status
from ninja.security.base import AuthBase
from pydantic import Field

from smartgov.blocks.exchange import api, domain, issuing, refusals
from smartgov.blocks.exchange import messages as said
from smartgov.blocks.exchange.models import Configuration, Member
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

Json = dict[str, Any]
Row = TypeVar("Row")
Limit = Annotated[int, Field(ge=1, le=said.MOST_ROWS)]
_SERVICE = "/services/{instance}/{group}/{member}/{subsystem}/{service}"
_UNTIL_MISSING = Problem(
    "registration-invalid",
    422,
    what=Text("The request cannot be granted as given.", "所送內容無法核准申請。"),
    why=Text("`until` is missing: a right has an end.", "缺少 until：權限須有結束日。"),
    todo=Text("Send the last day of the right.", "請填寫權限之最後一日。"),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: where, who may, what it answers, and in Chinese what it does."""

    method: str
    path: str
    permission: str
    view: Callable[..., Any]
    answers: Mapping[int, Any]
    does: str


class Page(Schema):
    """Which part of a list; `after` is the id of the last row that is known."""

    limit: Limit = 100
    after: Annotated[str, Field(max_length=100)] = ""


class Place(Schema):
    """The parts of a service's id, as they stand in T-Road's addresses."""

    instance: str
    group: str
    member: str
    subsystem: str
    service: str

    @property
    def id(self) -> str:
        """The id of the service."""
        return "/".join((self.instance, self.group, self.member, self.subsystem, self.service))


def router(door: Callable[[str], AuthBase]) -> Router:
    """All operations behind the door that `door` makes for each permission; the door's answer is the Actor."""
    made = Router(tags=["exchange"])
    for one in OPERATIONS:
        made.add_api_operation(
            one.path,
            [one.method],
            one.view,
            auth=door(one.permission),
            response=dict(one.answers),
            description=one.does,
        )
    return made


# -- the configuration and members -------------------------------------------------------------------------------------


def configuration(request: HttpRequest) -> Json:
    """The configuration that gateways were given last, with its digest."""
    _actor(request)
    row = Configuration.objects.filter(id=1).first() or Configuration()
    try:
        digest = hashlib.sha256(issuing.current().bundle()).hexdigest()
    except OSError:
        digest = ""
    return {
        "version": row.version,
        "issued_at": row.issued_at,
        "expires_at": row.expires_at,
        "sha256": digest,
        "pending": row.revision != row.published_revision,
    }


def members(request: HttpRequest, page: Query[Page]) -> Json:
    """Who is on T-Road."""
    _actor(request)
    rows = [{"id": one.id, "code": one.id.rsplit("/", 1)[-1], "name": one.name} for one in Member.objects.all()]
    return _page(rows, page, lambda row: str(row["id"]))


def member(request: HttpRequest, code: str) -> Json:
    """A member with its systems, gateways and keys."""
    found = api.member_page(_actor(request), code)
    return {**asdict(found), "name": found.name.as_dict()}


def add_subsystem(request: HttpRequest, body: said.SubsystemIn) -> Status[Json]:
    """Register an information system of the caller's own member."""
    api.add_subsystem(actor=_actor(request), subsystem=body.id)
    return Status(201, {"id": body.id})


# -- services ----------------------------------------------------------------------------------------------------------


def services(request: HttpRequest, page: Query[Page]) -> Json:
    """Every service in the register."""
    rows = [_service_row(row) for row in api.service_rows(_actor(request))]
    return _page(rows, page, lambda row: str(row["id"]))


def service(request: HttpRequest, place: Path[Place]) -> Json:
    """One service with its limits, fields and documents."""
    return _service(_actor(request), place.id)


def document(request: HttpRequest, place: Path[Place]) -> Json:
    """The OpenAPI document in force of a service."""
    _actor(request)
    found = api.document_of(place.id)
    return {"sha256": hashlib.sha256(found.encode()).hexdigest(), "document": found}


def publish(request: HttpRequest, place: Path[Place], body: said.OfferIn) -> Json:
    """Publish a service of the caller's own member from an OpenAPI document, or change how it is offered."""
    who = _actor(request)
    terms = body.visibility_terms
    settings = api.Settings(
        personal=body.personal,
        related=tuple(body.related),
        visibility=body.visibility,
        visibility_terms=api.terms_of(body.visibility, days=terms.days, until=terms.until, order=terms.order),
        limits=domain.Limits(**body.limits.dict()),
        durability=body.durability,
        retain_days=body.retain_days,
    )
    given = None if body.document is None else body.document.encode()
    api.offer_service(actor=who, service=place.id, settings=settings, document=given, replace=body.replace)
    return _service(who, place.id)


def withdraw_service(request: HttpRequest, place: Path[Place]) -> Status[None]:
    """Offer a service of the caller's own member no more."""
    api.withdraw_offer(actor=_actor(request), service=place.id)
    return Status(204, None)


# -- rights ------------------------------------------------------------------------------------------------------------


def rights(request: HttpRequest, page: Query[Page]) -> Json:
    """Rights that the caller's member holds or has granted."""
    rows = [_right(row) for row in api.right_rows(_actor(request))]
    return _page(rows, page, lambda row: str(row["id"]))


def end_right(request: HttpRequest, right_id: str, body: said.EndIn) -> Json:
    """End a right to a service of the caller's own member."""
    who = _actor(request)
    api.end_right(actor=who, right=right_id, reason=body.reason)
    return _right(next(row for row in api.right_rows(who) if row.id == right_id))


def renew_right(request: HttpRequest, right_id: str, body: said.RenewIn) -> Json:
    """Let a right to a service of the caller's own member end later."""
    who = _actor(request)
    api.renew_right(actor=who, right=right_id, until=body.until)
    return _right(next(row for row in api.right_rows(who) if row.id == right_id))


def ask_renewal(request: HttpRequest, right_id: str, body: said.RenewalIn) -> Status[Json]:
    """Ask anew for a right that a system of the caller's own member holds or held, in the same words."""
    who = _actor(request)
    asked = api.ask_renewal(actor=who, right=right_id, until=body.wanted_until, explanation=body.explanation)
    return Status(201, _request(api.request_row(who, asked)))


def requests(request: HttpRequest, page: Query[Page]) -> Json:
    """Requests for rights, of the caller's member or to its services."""
    rows = [_request(row) for row in api.request_rows(_actor(request))]
    return _page(rows, page, lambda row: str(row["id"]))


def one_request(request: HttpRequest, request_id: str) -> Json:
    """One request for a right."""
    return _request(api.request_row(_actor(request), request_id))


def ask(request: HttpRequest, body: said.RequestIn) -> Status[Json]:
    """Ask for a right for a system of the caller's own member."""
    who = _actor(request)
    wish = api.Wish(
        client=body.client,
        service=body.service,
        endpoints=tuple(body.endpoints),
        basis=body.basis,
        purpose=body.purpose,
        fields=None if body.fields is None else tuple(body.fields),
        basis_code=body.basis_code,
        explanation=body.explanation,
        until=body.wanted_until,
    )
    return Status(201, _request(api.request_row(who, api.ask_right(actor=who, wish=wish))))


def decide(request: HttpRequest, request_id: str, body: said.ReviewIn) -> Json:
    """Grant or refuse a request to a service of the caller's own member."""
    who = _actor(request)
    if body.outcome == "refused":
        api.refuse_request(actor=who, request=request_id, reason=body.reason)
    elif body.until is None:
        api.request_row(who, request_id)
        raise _UNTIL_MISSING
    else:
        api.grant_request(
            actor=who,
            request=request_id,
            until=body.until,
            fields=body.fields,
            endpoints=body.endpoints,
            reason=body.reason,
        )
    return _request(api.request_row(who, request_id))


def withdraw_request(request: HttpRequest, request_id: str) -> Json:
    """Take back a request of the caller's own member that is still open."""
    who = _actor(request)
    api.withdraw_request(actor=who, request=request_id)
    return _request(api.request_row(who, request_id))


# -- parts -------------------------------------------------------------------------------------------------------------


def _actor(request: HttpRequest) -> Actor:
    """Who calls, at the centre; elsewhere there is no register to speak of."""
    if not api.is_centre():
        raise refusals.NOT_THE_CENTRE
    who = request.auth  # type: ignore[attr-defined]
    assert isinstance(who, Actor)
    return who


def _page(rows: Iterable[Json], page: Page, name: Callable[[Json], str]) -> Json:
    """Rows in the order of their ids, so that a page stays where it is while others are added."""
    left = [row for row in sorted(rows, key=name) if name(row) > page.after]
    return {"items": left[: page.limit], "more": len(left) > page.limit}


def _service_row(row: api.ServiceRow) -> Json:
    return {
        **{name: getattr(row, name) for name in said.ServiceRowOut.model_fields},
        "member_name": row.member_name.as_dict(),
    }


def _service(who: Actor, name: str) -> Json:
    page = api.service_page(who, name)
    return {
        **_service_row(page.row),
        "related": page.related,
        "limits": asdict(page.limits),
        "durability": page.durability,
        "retain_days": page.retain_days,
        "fields": list(page.fields),
        "versions": [asdict(one) for one in page.versions],
    }


def _right(row: api.RightRow) -> Json:
    return {name: getattr(row, name) for name in said.RightOut.model_fields}


def _request(row: api.RequestRow) -> Json:
    return {name: getattr(row, name) for name in said.RequestOut.model_fields}


_BY_ID = "/requests/{request_id}"
_RIGHT = "/rights/{right_id}"
OPERATIONS = (
    Operation("GET", "/configuration", "exchange.view", configuration, {200: said.ConfigurationOut}, "現行組態"),
    Operation("GET", "/members", "exchange.view", members, {200: said.Members}, "成員清單"),
    Operation("GET", "/members/{code}", "exchange.view", member, {200: said.MemberOut}, "成員之資訊系統、閘道與金鑰"),
    Operation("POST", "/subsystems", "exchange.offer", add_subsystem, {201: said.SubsystemIn}, "登錄本機關之資訊系統"),
    Operation("GET", "/services", "exchange.view", services, {200: said.Services}, "服務清單"),
    Operation("GET", _SERVICE, "exchange.view", service, {200: said.ServiceOut}, "單一服務之限制、欄位與文件"),
    Operation("PUT", _SERVICE, "exchange.offer", publish, {200: said.ServiceOut}, "以 OpenAPI 文件發布或變更服務"),
    Operation("DELETE", _SERVICE, "exchange.offer", withdraw_service, {204: None}, "撤下本機關之服務"),
    Operation("GET", f"{_SERVICE}/document", "exchange.view", document, {200: said.DocumentOut}, "服務之 OpenAPI 文件"),
    Operation("GET", "/rights", "exchange.view", rights, {200: said.Rights}, "本機關持有或授予之權限"),
    Operation("POST", "/rights/{right_id}/end", "exchange.review", end_right, {200: said.RightOut}, "終止權限"),
    Operation("POST", f"{_RIGHT}/renewal", "exchange.review", renew_right, {200: said.RightOut}, "展延權限"),
    Operation(
        "POST",
        f"{_RIGHT}/renewal-requests",
        "exchange.ask",
        ask_renewal,
        {201: said.RequestOut},
        "申請展延所持有之權限",
    ),
    Operation("GET", "/requests", "exchange.view", requests, {200: said.Requests}, "本機關之申請與待審申請"),
    Operation("POST", "/requests", "exchange.ask", ask, {201: said.RequestOut}, "申請權限"),
    Operation("GET", _BY_ID, "exchange.view", one_request, {200: said.RequestOut}, "單一申請"),
    Operation("POST", f"{_BY_ID}/decision", "exchange.review", decide, {200: said.RequestOut}, "核准或駁回申請"),
    Operation("POST", f"{_BY_ID}/withdrawal", "exchange.ask", withdraw_request, {200: said.RequestOut}, "撤回申請"),
)
