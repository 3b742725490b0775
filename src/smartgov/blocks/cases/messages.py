"""The messages of `cases.v1`: what agencies and the portal send to a case system, and what it answers.

The published contract (content/tw/contracts/cases.v1.yaml) is made from these types. They are closed: what a
message may not carry is refused on the way in, and never leaves by accident.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field

from smartgov.shared.tw import national_id

Id = Annotated[str, Field(max_length=36)]
Code = Annotated[str, Field(max_length=40)]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


def _person(text: str) -> str:
    national_id.from_urn(text)
    return text


Person = Annotated[
    str, Field(pattern=national_id.URN_PATTERN, json_schema_extra={"x-person": True}), AfterValidator(_person)
]


class Closed(Schema):
    """A message that has these members and no others."""

    model_config = ConfigDict(extra="forbid")


class Said(Closed):
    """A text in both languages."""

    en: str
    zh: str


# -- sent to an agency -------------------------------------------------------------------------------------------------


class Preparation(Closed):
    """What an applicant is about to ask for. `on` is the applicant's own day; the agency judges by its clock."""

    service: Code
    part: Code
    answers: dict[str, Any] = {}
    notification: Annotated[str, Field(max_length=64)] | None = None
    consents: dict[str, str] = {}
    application: Id = ""
    on: date | None = None


class Follower(Closed):
    """A part at another agency that waits for this one."""

    agency: Code
    part: Code
    part_id: Id


class Evidence(Closed):
    """On what a mandate rests: a register's word with the exchange that asked it, or the digest of approved terms."""

    source: Literal["register", "given"]
    reference: Annotated[str, Field(max_length=64)]
    at: datetime


class Representative(Closed):
    """Who handed the application in for the applicant, by which mandate; the portal has checked that it holds."""

    person: Person
    name: Annotated[str, Field(max_length=200)] = ""
    kind: Said
    mandate: Id
    evidence: Evidence


class NewCase(Closed):
    """One part of an application."""

    application: Id
    part_id: Id
    service: Code
    part: Code
    reference: Annotated[str, Field(max_length=20)] = ""
    applicant_name: Annotated[str, Field(max_length=200)] = ""
    representative: Representative | None = None
    submitted_at: datetime | None = None
    notification: Annotated[str, Field(max_length=64)] | None = None
    answers: dict[str, Any] = {}
    consents: dict[str, str] = {}
    waits_for: list[Code] = []
    followers: list[Follower] = []


class Answered(Closed):
    """The applicant's answer to a question."""

    supplement: Id
    answers: dict[str, str]
    answered_at: datetime | None = None


class Continuation(Closed):
    """The part before was decided. `child` is the person who was registered by it."""

    decided: Code
    outcome: Literal["granted", "refused"]
    child: Person | None = None


class LifeEvent(Closed):
    """A birth, announced by the health agency; the mother is the request's subject."""

    id: Annotated[str, Field(max_length=64)]
    kind: Literal["birth"]
    happened_on: date
    notification: Annotated[str, Field(max_length=64)]
    detail: dict[str, str] = {}


# -- answered by an agency ---------------------------------------------------------------------------------------------


class FactFound(Closed):
    """A value that the agency learned from a register, with where and when it was said."""

    id: str
    title: Said
    value: Any
    source: str
    source_name: Said
    service: str
    answered_at: Moment
    exchange: str
    basis: str


class FactLacking(Closed):
    """A fact that could not be had, and why."""

    id: str
    title: Said
    reason: str
    text: Said
    source: str
    service: str
    needed: bool


class Cited(Closed):
    """A published source."""

    title: Said
    article: Said
    url: str


class Line(Closed):
    """One line of a rule's explanation; `tree` is the evaluated expression, `parameters` the cited values."""

    kind: str
    id: str
    text: Said
    because: Said
    holds: bool | None
    facts_used: dict[str, Any]
    parameter: str | None
    parameters: list[dict[str, Any]]
    value: Any
    shown: Said | None
    source: Cited
    tree: dict[str, Any]


class Outlook(Closed):
    """What the part's rule says of the facts so far; the decision is an officer's."""

    rule: str
    title: Said
    version: str
    on: Day
    outcome: Literal["granted", "refused", "undecided"]
    expected: bool
    summary: Said
    values: dict[str, Any]
    missing: list[str]
    explanation: list[Line]
    source: Cited | None


class Prepared(Closed):
    """What is known before anything is applied for."""

    facts: list[FactFound]
    missing: list[FactLacking]
    decision: Outlook


class Standing(Closed):
    """How a case stands: its number, and what happens next and by when."""

    number: str
    state: Literal["waiting", "received", "working", "supplement_asked", "approved", "refused", "stopped", "closed"]
    next: Said
    by: Day | None


class OneCase(Standing):
    """A case with its id."""

    id: str


class Noted(Closed):
    """The announcement is kept."""

    state: Literal["noted"]
