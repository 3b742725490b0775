"""A mother, her announced child, agencies that answer, and ways to walk through the form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.test import Client

from smartgov.blocks.exchange.domain import Call, Inbound
from smartgov.blocks.identity import api as identity
from smartgov.blocks.identity.tests.factories import SEEDER, signed_in_citizen
from smartgov.blocks.mydata.tests.factories import RecordedTransport
from smartgov.blocks.services import api
from smartgov.blocks.services.models import Application, Part
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.tw import national_id

HPA = Actor.for_system("hpa", "TW/GOV/hpa/cases")
NAMES = {"registration": "ris", "nhi": "nhi", "allowance": "sfaa", "maternity": "bli"}
ANSWERS: dict[str, dict[str, Any]] = {
    "parts": {"parts": ["registration", "nhi", "allowance", "maternity"]},
    "child": {"birth_confirmed": "yes"},
    "surname": {"surname_from": "mother"},
    "name": {"given_name": "小安"},
    "household": {"household_of": "mother"},
    "account": {"bank_account_bank": "700", "bank_account_account": "00012345678901"},
    "contact": {"contact_email": "mother@example.test", "contact_phone": "0912345678"},
}
_serials = iter(range(500, 99_000))


@dataclass
class Mother:
    """A citizen with a child announced by the health agency."""

    actor: Actor
    person: str
    browser: Client

    @property
    def life_event(self) -> str:
        """Her newest life event."""
        return api.life_events(actor=self.actor)[0].id


def a_mother(*, announced: bool = True) -> Mother:
    """Enrol a mother and, unless told otherwise, announce her child."""
    person = national_id.make(next(_serials), 2)
    subject = identity.enrol(actor=SEEDER, national_id=person, name="陳怡君", email="mother@example.test")
    if announced:
        announce(person)
    return Mother(Actor("citizen", subject=subject, assurance=2), person, signed_in_citizen(subject))


def announce(person: str, *, event_id: str = "", hospital: str = "台大醫院") -> tuple[bool, bool]:
    """The health agency announces a birth ten days ago."""
    return api.announce_birth(
        actor=HPA,
        event_id=event_id or uuid7(),
        subject_national_id=person,
        happened_on=date.fromordinal(clock.today().toordinal() - 10),
        notification="n-1",
        detail={"hospital": hospital, "child_sex": "female"},
    )


def agencies() -> RecordedTransport:
    """All four agencies answer preparations, cases and supplements."""
    played = RecordedTransport()
    for code in NAMES.values():
        service = f"TW/GOV/{code}/cases/cases.v1"
        played.answers[service, "/preparations"] = preparation
        played.answers[service, "/cases"] = opened
    return played


def preparation(call: Call) -> dict[str, Any]:
    """What an agency finds out for its part."""
    part = call.json["part"]
    at = clock.now().isoformat()
    found = {
        "registration": [
            ("birth_date", "2026-11-12", "hpa"),
            ("mother_name", "陳怡君", "ris"),
            ("mother_address", {"address": "中正路1號", "township": "臺北市中正區"}, "ris"),
        ],
        "allowance": [("refund_account", {"bank_code": "700", "account": "00012345678901", "holder": "陳怡君"}, "mof")],
    }.get(part, [])
    return {
        "part": part,
        "facts": [
            {"id": name, "value": value, "source": source, "answered_at": at, "exchange": "x"}
            for name, value, source in found
        ],
        "missing": [],
        "decision": {"outcome": "undecided", "expected": True, "values": {"amount": 6000}, "explanation": []},
    }


def opened(call: Call) -> dict[str, Any]:
    """A case was opened; a part that waits for another says so."""
    waits = bool(call.json["waits_for"])
    return {"part_id": call.json["part_id"], "number": "C-1", "state": "waiting" if waits else "received"}


def walk(mother: Mother, *, upto: str = "check", agree: bool = True) -> str:
    """Go through the pages in a browser until the station `upto` is open; returns the application's id."""
    application = api.start(actor=mother.actor, service="birth", life_event=mother.life_event)
    base = f"/services/applications/{application}"
    for name, posted in ANSWERS.items():
        if name == upto:
            return application
        answer = mother.browser.post(f"{base}/pages/{name}", {**posted, "version": version_of(application)})
        assert answer.status_code == 302, answer.content.decode()
        if name == "parts":
            if upto == "consent":
                return application
            decide(mother, base, agree=agree)
            if upto == "facts":
                return application
            assert mother.browser.post(f"{base}/facts").status_code == 302
    return application


def decide(mother: Mother, base: str, *, agree: bool) -> None:
    """Open the consent page and tick everything, or nothing."""
    url = mother.browser.get(f"{base}/consent")["Location"]
    ids = [item["item"].id for group in mother.browser.get(url).context["groups"] for item in group.items]
    assert mother.browser.post(url, {"accept": ids if agree else []}).status_code == 302


def hand_in(mother: Mother, application: str) -> Any:
    """Tick the declaration and send."""
    posted = {"declaration": "yes", "version": version_of(application)}
    return mother.browser.post(f"/services/applications/{application}/check", posted)


def version_of(application: str) -> int:
    """The version that a fresh page shows."""
    return Application.objects.get(id=application).version


def handed_in(mother: Mother) -> str:
    """An application that was handed in."""
    application = walk(mother)
    assert hand_in(mother, application).status_code == 302
    return application


def part_of(application: str, name: str) -> Part:
    """One part of an application."""
    return Part.objects.get(application_id=application, part=name)


def inbound(mother: Mother, agency: str) -> Inbound:
    """A verified request of an agency's case system about this mother."""
    return Inbound(
        agency="portal",
        client_member=f"TW/GOV/{agency}",
        client_subsystem=f"TW/GOV/{agency}/cases",
        subject=mother.person,
        exchange_id="x",
        purpose="birth.registration",
        basis="household-registration-act-48",
        consent_id=None,
        case=None,
    )


def a_step(part: Part, kind: str, **more: Any) -> dict[str, Any]:
    """A step as agencies send it."""
    return {
        "id": uuid7(),
        "part_id": part.id,
        "kind": kind,
        "at": clock.now().isoformat(),
        "title": {"en": kind, "zh": kind},
        "text": {"en": "", "zh": ""},
        **more,
    }
