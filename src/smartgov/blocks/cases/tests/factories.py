"""People, seats, applications, and a recorded T-Road with small registers behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from smartgov.blocks.cases import api
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.exchange import transport
from smartgov.blocks.exchange.domain import Call
from smartgov.blocks.identity import api as identity
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

MOTHER = national_id.make(101, 2)
FATHER = national_id.make(102, 1)
PORTAL = Actor.for_system("ris", "TW/GOV/portal/portal")
BIRTHS = "TW/GOV/hpa/births/births.v1"
PEOPLE = "TW/GOV/ris/household/people.v1"
INSURED = "TW/GOV/nhi/insurance/insured.v1"
WELFARE = "TW/GOV/sfaa/welfare/welfare.v1"
INSURANCE = "TW/GOV/bli/insurance/insurance.v1"
TAXATION = "TW/GOV/mof/taxation/taxation.v1"
CONSENTS = {BIRTHS: "consent-births", TAXATION: "consent-taxation"}
_serials = count(70_000)


def urn(number: str) -> str:
    """The form of a national id on the local hop."""
    return national_id.urn(number)


def down(slug: str = "service-unreachable", status: int = 502) -> Problem:
    """An outage, or another answer that is none."""
    return Problem(slug, status, what=Text("It does not answer.", "沒有回應。"))


@dataclass(eq=False)
class RecordedRoad:
    """A gateway that keeps every call, with registers as lists of rows; `broken` maps a service to its Problem."""

    tables: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    broken: dict[str, Problem] = field(default_factory=dict)
    calls: list[tuple[str, Call]] = field(default_factory=list)
    doors: dict[str, Callable[[str, Call], Any]] = field(default_factory=dict)

    def call(self, agency: str, call: Call) -> exchange.Answer:
        """Answer as the register of the service would."""
        self.calls.append((agency, call))
        if call.service in self.broken:
            raise self.broken[call.service]
        body = self.doors[call.service](agency, call) if call.service in self.doors else self._register(call)
        return exchange.Answer(200, body, f"x-{len(self.calls)}", "log 1 2", call.service, clock.now())

    def rows(self, service: str, table: str) -> list[dict[str, Any]]:
        """The rows of a register's table."""
        return self.tables.setdefault((service, table), [])

    def asked(self, service: str) -> list[Call]:
        """The calls that a service got."""
        return [call for _, call in self.calls if call.service == service]

    def _register(self, call: Call) -> dict[str, Any]:
        table, _, verb = call.path.strip("/").partition("/")
        rows = self.rows(call.service, table)
        assert call.subject is not None
        if verb != "query":
            assert urn(call.subject) in call.json.values(), "a row names its subject"
            if not any(row["id"] == call.json["id"] for row in rows):
                rows.append(dict(call.json))
            return dict(call.json)
        where: Mapping[str, Any] = call.json.get("where", {})
        mine = [row for row in rows if urn(call.subject) in row.values()]
        found = [row for row in mine if all(row.get(name) == value for name, value in where.items())]
        fields = call.fields
        return {"items": [{k: v for k, v in row.items() if not fields or k in fields} for row in found]}


def village(road: RecordedRoad, *, elder: int = 1) -> None:
    """A mother with `elder` children, her husband, a birth that is notified, and her insurance."""
    today = clock.today()
    born = today - timedelta(days=10)
    road.rows(BIRTHS, "births").append(
        {
            "id": "b-1",
            "mother_id": urn(MOTHER),
            "mother_name": "陳美玲",
            "child_sex": "female",
            "born_on": born.isoformat(),
            "weight_g": 3100,
            "gestation_weeks": 39,
            "hospital": "臺北市立聯合醫院",
        }
    )
    people = road.rows(PEOPLE, "people")
    home = {"household_id": "h1", "address": "平安里1鄰和平路1號", "township": "文山區", "nationality": "TW"}
    people += [
        person(MOTHER, "陳美玲", "female", "1992-03-04", spouse=FATHER, **home),
        person(FATHER, "林志明", "male", "1990-05-06", spouse=MOTHER, **home),
    ]
    people += [
        person(national_id.make(200 + index, 1), f"林小{index}", "male", f"202{index}-01-02", mother=MOTHER, **home)
        for index in range(elder)
    ]
    road.rows(INSURED, "insured").append(
        {
            "id": "i1",
            "national_id": urn(MOTHER),
            "status": "insured",
            "insured_as": "employee",
            "insured_through_id": None,
        }
    )
    road.rows(INSURANCE, "insurance").append(
        {"id": "n1", "national_id": urn(MOTHER), "from_date": "2019-01-01", "to_date": None}
    )
    month = today.replace(day=1)
    for index in range(12):
        road.rows(INSURANCE, "wages").append(
            {"id": f"w{index}", "national_id": urn(MOTHER), "month": month.strftime("%Y-%m"), "insured_wage": 42000}
        )
        month = (month - timedelta(days=1)).replace(day=1)


def person(
    number: str, name: str, sex: str, born: str, *, spouse: str = "", mother: str = "", **home: str
) -> dict[str, Any]:
    """A row of the household register."""
    return {
        "id": f"p-{number}",
        "national_id": urn(number),
        "name": name,
        "sex": sex,
        "birth_date": born,
        "father_id": None,
        "mother_id": urn(mother) if mother else None,
        "spouse_id": urn(spouse) if spouse else None,
        **home,
    }


@contextmanager
def road(**options: Any) -> Iterator[RecordedRoad]:
    """A recorded T-Road in force, with a village behind it."""
    recorded = RecordedRoad()
    village(recorded, **options)
    recorded.doors["TW/GOV/portal/portal/services.v1"] = lambda agency, call: {"accepted": True, "duplicate": False}
    with transport.replaced(recorded):  # type: ignore[arg-type]
        yield recorded


def officer(agency: str = "ris", *, number: str | None = None, role: str = "case_officer") -> Actor:
    """Somebody in a seat; `number` makes her a given person."""
    robot = Actor.for_system(agency, "test")
    subject = identity.enrol(actor=robot, national_id=number or national_id.make(next(_serials), 2), name="承辦人")
    seat = identity.add_seat(actor=robot, subject=subject, agency=agency, role=role)
    return Actor("officer", subject=subject, seat=seat, agency=agency, assurance=2)


def application(part: str = "registration", **changes: Any) -> api.Application:
    """One part as the portal sends it."""
    answers = {
        "birth_confirmed": "yes",
        "surname_from": "father",
        "given_name": "安安",
        "household_of": "mother",
        "bank_account": {"bank_code": "004", "account": "12345678901234"},
        "declaration": True,
        "unasked": "the agency has no use for this",
    }
    whole: dict[str, Any] = {
        "id": uuid7(),
        "application": uuid7(),
        "service": "birth",
        "part": part,
        "applicant": MOTHER,
        "applicant_name": "陳美玲",
        "answers": answers,
        "notification": "b-1",
        "consents": CONSENTS,
    }
    return api.Application(**{**whole, **changes})


def opened(part: str = "registration", agency: str = "ris", **changes: Any) -> str:
    """A case that was just received."""
    actor = Actor.for_system(agency, "TW/GOV/portal/portal")
    return api.open_case(actor=actor, agency=agency, application=application(part, **changes)).id


def approved(case: str, officer_: Actor) -> None:
    """Let an officer approve a case in review."""
    view = api.case(actor=officer_, case_id=case)
    api.approve(
        actor=officer_, case=case, version=view.version, cited="household-registration-act-48", reason="查證相符"
    )
