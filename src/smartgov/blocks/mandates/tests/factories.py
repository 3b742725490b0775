"""A family, and registers that answer about it: every question over T-Road is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from smartgov.blocks.exchange import transport
from smartgov.blocks.exchange.domain import Call
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.mandates import api
from smartgov.blocks.mydata.tests.factories import SILENT, RecordedTransport
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.tw import national_id

HOUSEHOLD = "TW/GOV/ris/household/people.v1"
TAXATION = "TW/GOV/mof/taxation/taxation.v1"


@dataclass
class Family:
    """A mother with an account, a father, a child without one; the register rows can be changed by the test."""

    mother: str
    mother_id: str
    father: str
    father_id: str
    child_id: str
    people: list[dict[str, Any]]
    custody: list[dict[str, Any]] = field(default_factory=list)
    businesses: list[dict[str, Any]] = field(default_factory=list)
    silent: bool = False

    @property
    def actor(self) -> Actor:
        """The mother as herself."""
        return Actor("citizen", subject=self.mother, assurance=2)

    @property
    def father_actor(self) -> Actor:
        """The father as himself."""
        return Actor("citizen", subject=self.father, assurance=2)

    @property
    def child(self) -> dict[str, Any]:
        """The child's row in the household register."""
        return self.people[-1]

    def answers(self) -> dict[tuple[str, str], Any]:
        """What the registers answer: like the real ones, only rows that name the subject, and only asked fields."""

        def of(rows: str, names: tuple[str, ...]) -> Any:
            def answer(call: Call) -> Any:
                if self.silent:
                    return SILENT
                subject = national_id.urn(call.subject or "")
                wanted = call.json["where"]
                found = [
                    {name: row.get(name) for name in call.fields or ()}
                    for row in getattr(self, rows)
                    if subject in [row.get(name) for name in names]
                    and all(row.get(name) == value for name, value in wanted.items())
                ]
                return {"items": found}

            return answer

        return {
            (HOUSEHOLD, "/people/query"): of("people", ("national_id", "father_id", "mother_id", "spouse_id")),
            (HOUSEHOLD, "/custody/query"): of("custody", ("ward_id", "holder_id")),
            (TAXATION, "/businesses/query"): of("businesses", ("responsible_id",)),
        }

    def custody_row(self, holder: str, kind: str = "parental_rights", **more: Any) -> dict[str, Any]:
        """A registration about the child."""
        return {
            "ward_id": national_id.urn(self.child_id),
            "holder_id": national_id.urn(holder),
            "kind": kind,
            "from_date": "2020-01-01",
            "to_date": None,
            **more,
        }


def a_family(born: date = date(2020, 5, 6), *, mother: tuple[str, str] | None = None) -> Family:
    """Mother and father with accounts, and their child in the register only; `mother` is one's subject and number."""
    mother_id, father_id, child_id = (people.a_national_id() for _ in range(3))
    if mother is not None:
        mother_id = mother[1]
    return Family(
        mother[0] if mother is not None else people.a_person("王美惠", nid=mother_id),
        mother_id,
        people.a_person("陳志明", nid=father_id),
        father_id,
        child_id,
        [
            _row(mother_id, "王美惠", date(1990, 1, 1)),
            _row(father_id, "陳志明", date(1989, 1, 1)),
            _row(child_id, "陳小安", born, mother=mother_id, father=father_id),
        ],
    )


def a_guardianship(ward: str, number: str, name: str, guardian: str = "林志明") -> Family:
    """A grown ward (subject, national id, name) and whom a court made the guardian, who stands for the mother here."""
    own = people.a_national_id()
    rows = [_row(own, guardian, date(1970, 1, 1)), _row(number, name, date(1990, 1, 1))]
    made = Family(people.a_person(guardian, nid=own), own, ward, number, number, rows)
    made.custody.append(made.custody_row(own, "guardianship"))
    return made


def takes_up(family: Family) -> Actor:
    """The mother (or guardian) as the registers let her act for the other one; asks them, so within `registers`."""
    api.draw(actor=family.actor)
    (view,) = api.views(actor=family.actor)
    represented = api.take_up(actor=family.actor, mandate=view.id)
    return replace(family.actor, acting_for=represented, mandate=view.id)


def gives(giver: Actor, number: str, name: str, *, kind: str = "proxy", scope: tuple[str, ...] = ()) -> str:
    """A mandate for whoever has this national id, approved by its giver's passkey and not yet accepted."""
    made = api.draft(
        actor=giver,
        kind=kind,
        to=number,
        to_name=name,
        scope=scope or ("applications",),
        until=clock.today() + timedelta(days=30),
    )
    api.offer(actor=giver, mandate=made, proof={"digest": api.one(actor=giver, mandate=made).digest})
    return made


def accepts(holder: Actor, mandate: str) -> Actor:
    """The one whom it was given to, acting by it from now on."""
    api.accept(actor=holder, mandate=mandate)
    return replace(holder, acting_for=api.take_up(actor=holder, mandate=mandate), mandate=mandate)


def _row(number: str, name: str, born: date, *, mother: str = "", father: str = "") -> dict[str, Any]:
    return {
        "national_id": national_id.urn(number),
        "name": name,
        "birth_date": born.isoformat(),
        "mother_id": national_id.urn(mother) if mother else None,
        "father_id": national_id.urn(father) if father else None,
    }


@contextmanager
def registers(family: Family) -> Iterator[RecordedTransport]:
    """The registers answer about this family."""
    road = RecordedTransport(answers=family.answers())
    with transport.replaced(road):
        yield road
