"""Verbs of a member elsewhere, by letter: it publishes its services, asks for rights, and reviews those asked of it.

A letter is signed by the member's own key, which speaks for its agency as an officer's seat does at the centre. The
verbs are the officers'; each letter works once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction

from smartgov.blocks.exchange import asking, domain, joining, joining_problems, offering, refusals, selectors
from smartgov.blocks.exchange.domain import Basis, Limits
from smartgov.blocks.exchange.models import Contract, UsedLetter
from smartgov.blocks.exchange.registry import SERVICE
from smartgov.engines.troad.joining.letters import Letter
from smartgov.shared import homes
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

LETTER = Text("The letter", "此信")


@transaction.atomic
def publish(letter: Letter) -> dict[str, Any]:
    """Publish, change or withdraw a service of the member."""
    actor, content = _writer(letter), letter.content
    service = str(content.get("service", ""))
    if content.get("withdraw"):
        offering.withdraw_offer(actor=actor, service=service)
    else:
        document = content.get("document")
        given = document.encode() if isinstance(document, str) else None
        domain.check_name(service, 5, SERVICE)
        offering.add_subsystem(actor=actor, subsystem=service.rsplit("/", 1)[0])
        offering.offer_service(
            actor=actor,
            service=service,
            settings=_settings(content),
            document=given,
            replace=content.get("replace") is True,
        )
    return {"service": service}


def document(letter: Letter) -> dict[str, str]:
    """The document of a digest that a service of the member itself names; nothing that belongs to another."""
    row = joining.registered(letter)
    found = Contract.objects.filter(
        digest=str(letter.content.get("digest", "")), service__subsystem__member=row.member_id
    ).first()
    if found is None:
        raise joining_problems.UNKNOWN
    return {"document": found.document}


@transaction.atomic
def right(letter: Letter) -> dict[str, Any]:
    """One deed about rights: ask, list, withdraw, grant, refuse, end."""
    actor, content = _writer(letter), letter.content
    deed = _DEEDS.get(str(content.get("do", "")))
    if deed is None:
        raise refusals.invalid(LETTER, f"there is no deed {str(content.get('do', ''))[:40]!r}")
    return deed(actor, content)


def _ask(actor: Actor, content: Mapping[str, Any]) -> dict[str, Any]:
    fields = content.get("fields")
    offering.add_subsystem(actor=actor, subsystem=str(content.get("client", "")))
    try:
        basis = Basis(str(content.get("basis", "")))
    except ValueError:
        raise refusals.invalid(LETTER, f"the basis is one of {', '.join(Basis)}") from None
    wish = asking.Wish(
        client=str(content.get("client", "")),
        service=str(content.get("id", "")),
        endpoints=tuple(map(str, content.get("endpoints") or ())),
        basis=basis,
        basis_code=str(content.get("basis_code", "")),
        purpose=str(content.get("purpose", ""))[:200],
        fields=tuple(map(str, fields)) if fields else None,
        explanation=str(content.get("explanation", ""))[:500],
        until=_day(content),
    )
    return {"id": asking.ask_right(actor=actor, wish=wish), "state": "asked"}


def _list(actor: Actor, content: Mapping[str, Any]) -> dict[str, Any]:
    requests = [
        {**_shown(row), "until": row.wanted_until.isoformat() if row.wanted_until else None, "reason": row.reason}
        for row in selectors.request_rows(actor)
    ]
    rights = [
        {**_shown(row), "until": row.expires_at.isoformat() if row.expires_at else None, "reason": row.reason}
        for row in selectors.right_rows(actor)
    ]
    return {"requests": requests, "rights": rights}


def _shown(row: selectors.RequestRow | selectors.RightRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": str(row.state),
        "client": row.client,
        "service": row.service,
        "endpoints": list(row.endpoints),
        "fields": None if row.fields is None else list(row.fields),
        "basis": row.basis_code or str(row.basis),
        "purpose": row.purpose,
    }


def _withdraw(actor: Actor, content: Mapping[str, Any]) -> dict[str, Any]:
    asking.withdraw_request(actor=actor, request=str(content.get("id", "")))
    return {"id": str(content.get("id", "")), "state": "withdrawn"}


def _grant(actor: Actor, content: Mapping[str, Any]) -> dict[str, Any]:
    fields, endpoints = content.get("fields"), content.get("endpoints")
    made = asking.grant_request(
        actor=actor,
        request=str(content.get("id", "")),
        until=_day(content),
        fields=None if fields is None else list(map(str, fields)),
        endpoints=None if endpoints is None else list(map(str, endpoints)),
        reason=str(content.get("reason", "")),
    )
    return {"id": made, "state": "granted"}


def _refuse(actor: Actor, content: Mapping[str, Any]) -> dict[str, Any]:
    request = str(content.get("id", ""))
    asking.refuse_request(actor=actor, request=request, reason=str(content.get("reason", "")))
    return {"id": request, "state": "refused"}


def _end(actor: Actor, content: Mapping[str, Any]) -> dict[str, Any]:
    asking.end_right(actor=actor, right=str(content.get("id", "")), reason=str(content.get("reason", "")))
    return {"id": str(content.get("id", "")), "state": "revoked"}


_DEEDS = {"ask": _ask, "list": _list, "withdraw": _withdraw, "grant": _grant, "refuse": _refuse, "end": _end}


def _settings(content: Mapping[str, Any]) -> domain.Settings:
    given = content.get("settings")
    try:
        if not isinstance(given, dict):
            raise TypeError("settings")
        until = date.fromisoformat(given["shown_from"]) if given.get("shown_from") else None
        kind = str(given.get("visibility", "own"))
        days = int(given["delay_days"]) if given.get("delay_days") else None
        retain = int(given["retain_days"]) if given.get("retain_days") else None
        return domain.Settings(
            personal=given.get("personal", True) is not False,
            related=tuple(map(str, given.get("related") or ())),
            visibility=kind,
            visibility_terms=domain.terms_of(kind, days=days, until=until, order=str(given.get("order") or "")),
            limits=Limits(**{str(name): int(value) for name, value in (given.get("limits") or {}).items()}),
            durability=str(given.get("durability", "strict")),
            retain_days=retain,
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise refusals.invalid(LETTER, f"settings: {error}"[:200]) from None


def _day(content: Mapping[str, Any]) -> date:
    try:
        return date.fromisoformat(str(content.get("until", "")))
    except ValueError:
        raise refusals.invalid(LETTER, "until: the last day is written YYYY-MM-DD") from None


def _writer(letter: Letter) -> Actor:
    """The member that wrote it, as its own agency's system."""
    row = joining.registered(letter)
    code = row.member_id.rsplit("/", 1)[1]
    if homes.member_id(code) != row.member_id:  # an agency's code alone would stand for the agency of that name
        raise joining_problems.UNKNOWN
    try:
        with transaction.atomic():
            UsedLetter.objects.create(digest=letter.digest)
    except IntegrityError:
        raise joining_problems.REPLAYED from None
    return Actor.for_system(code, f"gateway:{row.id}"[: domain.NAME_LENGTH])
