"""What registers say about who represents whom, asked over T-Road by the portal with its own narrow right.

Only ids, names and dates come back (content/tw/exchange.yaml, purpose `mandate.check`), and each question leaves its
record in both gateways, so the represented sees it in the trail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.mandates import catalogue, domain
from smartgov.blocks.mandates.domain import Custody
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

HOUSEHOLD = "TW/GOV/ris/household/people.v1"
TAXATION = "TW/GOV/mof/taxation/taxation.v1"
PURPOSE = "mandate.check"
_BY_REGISTRATION, _BY_INTERESTS = "household-registration-act-67", "personal-data-protection-act-16"
_PERSON = ("national_id", "name", "birth_date", "father_id", "mother_id")
_CUSTODY = ("ward_id", "holder_id", "kind", "from_date", "to_date")
_BUSINESS = ("number", "name", "responsible_id", "status")


@dataclass(frozen=True, slots=True)
class Ground:
    """One right to act that a register confirms: for a person (`number` a national id) or a business."""

    kind: str
    number: str
    name: str
    born: date | None = None
    ends: datetime | None = None
    by_birthday: bool = False
    exchange: str = ""


def of_person(actor: Actor, number: str) -> Iterator[Ground]:
    """Everybody and every business that the person with this national id may act for today."""
    seen: set[str] = set()
    for line in ("mother_id", "father_id"):
        items, _ = _ask(actor, HOUSEHOLD, "/people/query", {line: _urn(number)}, number, _PERSON, _BY_REGISTRATION)
        seen |= {_bare(row["national_id"]) for row in items}
    items, _ = _ask(actor, HOUSEHOLD, "/custody/query", {"holder_id": _urn(number)}, number, _CUSTODY, _BY_REGISTRATION)
    seen |= {_bare(row["ward_id"]) for row in items}
    for other in sorted(seen):
        if (found := for_person(actor, other, number)) is not None:
            yield found
    yield from _businesses(actor, number)


def for_person(actor: Actor, represented: str, representative: str) -> Ground | None:
    """Whether one person represents another today, by the household register; None when it does not say so."""
    where = {"national_id": _urn(represented)}
    people, told = _ask(actor, HOUSEHOLD, "/people/query", where, represented, _PERSON, _BY_REGISTRATION)
    row = next((one for one in people if _bare(one["national_id"]) == represented), None)
    if row is None:
        return None
    where = {"ward_id": _urn(represented)}
    rows, _ = _ask(actor, HOUSEHOLD, "/custody/query", where, represented, _CUSTODY, _BY_REGISTRATION)
    held = [_custody(one) for one in rows]
    today = clock.today()
    born = date.fromisoformat(row["birth_date"])
    grown = domain.comes_of_age(born, 18) <= today
    parents = () if grown else [_bare(row[line]) for line in ("father_id", "mother_id") if row.get(line)]
    code = domain.kind_by_registers(parents, held, representative, today)
    if code is None or (grown and code != "guardian"):
        return None
    kind = catalogue.known().kinds[code]
    mine = [one.ends for one in held if one.holder == representative and one.counts(today) and one.ends]
    ends = domain.ends_of(kind, born, min(mine) if mine else None, today)
    if ends is not None and ends <= clock.now():
        return None
    birthday = not grown and ends == domain.start_of(domain.comes_of_age(born, kind.until_age))
    return Ground(code, represented, row["name"], born, ends, birthday, told)


def for_business(actor: Actor, business: str, representative: str) -> Ground | None:
    """Whether somebody is the responsible person of a business today."""
    return next((found for found in _businesses(actor, representative) if found.number == business), None)


def _businesses(actor: Actor, number: str) -> Iterator[Ground]:
    where = {"responsible_id": _urn(number)}
    rows, told = _ask(actor, TAXATION, "/businesses/query", where, number, _BUSINESS, _BY_INTERESTS)
    for row in rows:
        if row["status"] == "active" and _bare(row["responsible_id"]) == number:
            yield Ground("company", row["number"], row["name"], exchange=told)


def _ask(
    actor: Actor, service: str, path: str, where: dict[str, str], subject: str, fields: tuple[str, ...], basis: str
) -> tuple[list[dict[str, Any]], str]:
    try:
        answer = exchange.call(
            actor=actor,
            agency=exchange.PORTAL,
            service=service,
            method="POST",
            path=path,
            json={"where": where, "limit": 100},
            subject=subject,
            purpose=PURPOSE,
            basis=basis,
            fields=fields,
        )
    except Problem as problem:
        raise domain.register_silent() from problem
    return list(answer.body.get("items", [])), answer.exchange_id


def _custody(row: dict[str, Any]) -> Custody:
    ends = date.fromisoformat(row["to_date"]) if row.get("to_date") else None
    guardianship = row["kind"] == "guardianship"
    return Custody(_bare(row["holder_id"]), guardianship, date.fromisoformat(row["from_date"]), ends)


def _urn(number: str) -> str:
    return national_id.urn(number)


def _bare(text: str) -> str:
    return national_id.from_urn(text)
