"""Writing verbs of requests: a consumer's officer asks for a right, the provider's officer grants or refuses it.

Both act for their own agency; what belongs to two others does not exist for a third.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from smartgov.blocks.audit import api as audit
from smartgov.blocks.directory import api as directory
from smartgov.blocks.exchange import contracts, domain, refusals
from smartgov.blocks.exchange.domain import Basis, RequestState, RightState, Terms, end_of
from smartgov.blocks.exchange.granting import RIGHT, extend, grant_right, revoke_right, words_of
from smartgov.blocks.exchange.models import Contract, Right, RightRequest, Service, Subsystem
from smartgov.blocks.exchange.publishing import is_centre
from smartgov.blocks.exchange.registry import SERVICE, SUBSYSTEM, find
from smartgov.blocks.identity import api as identity
from smartgov.shared import clock, homes
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

REQUEST = Text("The request", "申請")
ORIGIN = "request"
"""What a right follows from that somebody has asked for."""
LONGEST_DAYS = 3 * 365
"""A right on request ends by itself; the law it rests on may have changed by then."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for; `until` is the last day on which the right is wanted."""

    client: str
    service: str
    endpoints: tuple[str, ...]
    basis: Basis
    purpose: str
    fields: tuple[str, ...] | None = None
    basis_code: str = ""
    explanation: str = ""
    until: date | None = None


@transaction.atomic
def ask_right(*, actor: Actor, wish: Wish) -> str:
    """Ask for a right in the name of the officer's own agency; returns the request's id.

    Asked twice in the same words, as by a second press of the button, it is one request.

    Problems: `not-registered` for what is not one's own or not offered, `registration-invalid` for words that no right
    can have, `legal-basis-unknown`.
    """
    own(actor, wish.client, SUBSYSTEM)
    find(Subsystem, wish.client, SUBSYSTEM, lock=True)  # the same words at the same time are one request too
    service = find(Service, wish.service, SERVICE)
    if service.withdrawn_at is not None:
        raise refusals.unknown(SERVICE, wish.service)
    _check(wish, service)
    if waiting := _waiting(wish):
        return waiting
    row = RightRequest.objects.create(
        client_id=wish.client,
        service_id=wish.service,
        endpoints=list(wish.endpoints),
        basis=wish.basis,
        basis_code=wish.basis_code,
        fields=None if wish.fields is None else list(wish.fields),
        purpose=wish.purpose,
        explanation=wish.explanation,
        wanted_until=wish.until,
        asked_by=actor.seat or actor.system or "",
    )
    _note(actor, "asked", row)
    return row.id


@transaction.atomic
def ask_renewal(*, actor: Actor, right: str, until: date, explanation: str = "") -> str:
    """Ask anew for a right that the officer's agency holds or held, in the same words; returns the request's id.

    Problems: as `ask_right`, and `registration-invalid` for a right that its provider has revoked.
    """
    row = find(Right, right, RIGHT)
    own(actor, row.client_id, RIGHT)
    if row.state == RightState.REVOKED:
        raise refusals.invalid(
            RIGHT,
            Text("it was revoked, with a reason; ask for a right of other words", "先前已附理由廢止，請以不同內容申請"),
        )
    _check_end(until)
    return ask_right(actor=actor, wish=Wish(**words_of(row), explanation=explanation, until=until))


@transaction.atomic
def withdraw_request(*, actor: Actor, request: str) -> None:
    """Take back a request of the officer's own agency that is still open. A second time changes nothing."""
    row = _known(request)
    own(actor, row.client_id, REQUEST)
    if row.state != RequestState.WITHDRAWN:
        _decide(actor, row, RequestState.WITHDRAWN, "")


@transaction.atomic
def grant_request(
    *,
    actor: Actor,
    request: str,
    until: date,
    fields: Sequence[str] | None = None,
    endpoints: Sequence[str] | None = None,
    reason: str = "",
    visibility: str = "",
    visibility_terms: Mapping[str, Any] | None = None,
) -> str:
    """Grant an open request of the officer's own agency's service, until the end of a day; returns the right's id.

    Granted once more in the same words, as by a second press of the button, it is the same right. Fields and endpoints
    may be fewer than asked for, never more. `visibility` is a class for the uses under this right,
    which holds beside the service's own. Problems: `request-own` for one's own request.
    """
    row = _for_review(actor, request)
    _check_end(until)
    asked = Terms(
        **words_of(row),
        citation=_citation(row.basis_code),
        visibility=visibility,
        visibility_terms=dict(visibility_terms or {}),
    )
    terms = replace(
        asked,
        endpoints=_fewer("endpoints", asked.endpoints, endpoints) or (),
        fields=_fewer("fields", asked.fields, fields),
    )
    right = grant_right(actor=actor, terms=terms, expires_at=end_of(until), origin=f"{ORIGIN}/{row.id}")
    if row.right_id != right:
        row.right_id = right
        _decide(actor, row, RequestState.GRANTED, reason)
    return right


@transaction.atomic
def refuse_request(*, actor: Actor, request: str, reason: str) -> None:
    """Refuse an open request, with a reason that the asking agency reads. The same once more changes nothing."""
    row = _for_review(actor, request)
    if not reason.strip():
        raise refusals.invalid(REQUEST, Text("a refusal has a reason", "駁回須附理由"))
    if (row.state, row.reason) != (RequestState.REFUSED, _kept(reason)):
        _decide(actor, row, RequestState.REFUSED, reason)


@transaction.atomic
def end_right(*, actor: Actor, right: str, reason: str) -> None:
    """Revoke a right to a service of the officer's own agency; Problem `not-registered` for any other."""
    row = find(Right, right, RIGHT)
    own(actor, row.service_id, RIGHT)
    if not reason.strip():
        raise refusals.invalid(RIGHT, Text("a revocation has a reason", "廢止須附理由"))
    revoke_right(actor=actor, right=right, reason=reason)


@transaction.atomic
def renew_right(*, actor: Actor, right: str, until: date) -> None:
    """Let a right to a service of the officer's own agency end later, also one that has ended by itself."""
    row = find(Right, right, RIGHT)
    own(actor, row.service_id, RIGHT)
    _check_end(until)
    extend(actor=actor, right=row, until=end_of(until))


def requests(actor: Actor) -> list[RightRequest]:
    """Requests that the officer's agency has made or is to review, the open ones first."""
    member = homes.member_id(actor.agency or "")
    found = RightRequest.objects.filter(Q(client__member=member) | Q(service__subsystem__member=member))
    listed = list(found.order_by("-asked_at", "-id")[:500])
    return sorted(listed, key=lambda row: row.state != RequestState.ASKED)


def request(actor: Actor, request: str) -> RightRequest:
    """One request of the officer's agency, as asker or provider; Problem `not-registered` for all others."""
    row = find(RightRequest, request, REQUEST)
    if not is_own(actor, row.client_id) and not is_own(actor, row.service_id):
        raise refusals.unknown(REQUEST, request)
    return row


def is_own(actor: Actor, name: str) -> bool:
    """Whether a T-Road id belongs to the agency for which `actor` acts."""
    return bool(actor.agency) and name.startswith(f"{homes.member_id(actor.agency or '')}/")


def own(actor: Actor, name: str, what: Text) -> None:
    """Problem `not-registered` for what belongs to another agency: for this officer it does not exist."""
    if not is_centre():
        raise refusals.NOT_THE_CENTRE
    if not is_own(actor, name):
        raise refusals.unknown(what, name[: domain.NAME_LENGTH])


def _check_end(until: date) -> None:
    today = clock.today()
    if not today <= until <= today + timedelta(days=LONGEST_DAYS):
        raise refusals.invalid(
            REQUEST,
            Text(
                f"a right ends within {LONGEST_DAYS} days, and not in the past",
                f"截止日須在今日以後、{LONGEST_DAYS} 日以內",
            ),
        )


def _waiting(wish: Wish) -> str:
    """The id of an open request in the very same words, or nothing."""
    alike = RightRequest.objects.filter(
        state=RequestState.ASKED,
        client_id=wish.client,
        service_id=wish.service,
        basis=wish.basis,
        basis_code=wish.basis_code,
        purpose=wish.purpose,
        explanation=wish.explanation,
        wanted_until=wish.until,
    )
    fields = None if wish.fields is None else list(wish.fields)
    return next((row.id for row in alike if (row.endpoints, row.fields) == (list(wish.endpoints), fields)), "")


def _check(wish: Wish, service: Service) -> None:
    if wish.until is not None:
        _check_end(wish.until)
    if strange := set(wish.endpoints) - set(service.endpoints):
        raise refusals.invalid(
            REQUEST,
            Text(
                f"the service has no {', '.join(sorted(strange))[:100]}",
                f"此服務沒有 {', '.join(sorted(strange))[:100]}",
            ),
        )
    if not wish.endpoints or not wish.purpose.strip():
        raise refusals.invalid(REQUEST, Text("it names endpoints and a purpose", "須指明端點與目的"))
    if (wish.basis == Basis.STATUTE) != bool(wish.basis_code):
        raise refusals.invalid(
            REQUEST,
            Text("a statute is named by its code, and only a statute has one", "法律依據須選定法條，且僅法律有代碼"),
        )
    if service.personal and wish.basis == Basis.NONE:
        raise refusals.invalid(
            REQUEST, Text("a service about persons is asked on a ground", "涉及個人之服務須有法律依據")
        )
    if wish.basis_code:
        directory.legal_basis(wish.basis_code)
    known = set(fields_of(service))
    if wish.fields is not None and known and (strange := set(wish.fields) - known):
        raise refusals.invalid(
            REQUEST,
            Text(
                f"the service has no fields {', '.join(sorted(strange))[:100]}",
                f"此服務沒有欄位 {', '.join(sorted(strange))[:100]}",
            ),
        )
    if service.personal and not wish.fields:
        raise refusals.invalid(
            REQUEST, Text("of a service about persons, fields are named one by one", "涉及個人之服務須逐一指明欄位")
        )


def fields_of(service: Service) -> list[str]:
    """The fields that the document in force knows; none when there is no document."""
    row = Contract.objects.filter(service=service, digest=service.contract).first() if service.contract else None
    return list(contracts.fields_of(row.document)) if row else []


def _for_review(actor: Actor, request: str) -> RightRequest:
    row = _known(request)
    own(actor, row.service_id, REQUEST)
    me = actor.seat or actor.system or ""
    if me == row.asked_by or (actor.seat and _same_person(actor.seat, row.asked_by)):
        raise refusals.OWN_REQUEST
    return row


def _same_person(one: str, other: str) -> bool:
    try:
        return identity.person_of_seat(one) == identity.person_of_seat(other)
    except Problem:
        return False


def _known(request: str) -> RightRequest:
    row = RightRequest.objects.select_for_update().filter(pk=request).first()
    if row is None:
        raise refusals.unknown(REQUEST, request[: domain.NAME_LENGTH])
    return row


def _decide(actor: Actor, row: RightRequest, state: RequestState, reason: str) -> None:
    if row.state != RequestState.ASKED:
        raise refusals.ALREADY_DECIDED
    row.state, row.reason = state, _kept(reason)
    row.decided_at, row.decided_by = clock.now(), actor.seat or actor.system or ""
    row.save()
    _note(actor, str(state), row)


def _kept(reason: str) -> str:
    return reason.strip()[:500]


def _note(actor: Actor, deed: str, row: RightRequest) -> None:
    detail = {"client": row.client_id, "service": row.service_id}
    audit.record(
        actor=actor, action=f"exchange.request_{deed}", object_type="right_request", object_id=row.id, detail=detail
    )


def _citation(code: str) -> str:
    if not code:
        return ""
    basis = directory.legal_basis(code)
    return f"{basis.title.zh} {basis.article.zh}"


_NAMES = {"endpoints": "端點", "fields": "欄位"}


def _fewer(name: str, asked: tuple[str, ...] | None, kept: Sequence[str] | None) -> tuple[str, ...] | None:
    if kept is None:
        return asked
    if asked is not None and (not kept or set(kept) - set(asked)):
        raise refusals.invalid(
            REQUEST,
            Text(
                f"{name}: at least one of those asked for, and no others",
                f"{_NAMES.get(name, name)}：至少須選一項，且以申請者為限",
            ),
        )
    return tuple(kept)
