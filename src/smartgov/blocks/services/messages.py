"""The messages of `services.v1`: births that are announced, and steps that agencies tell.

The published contract (content/tw/contracts/services.v1.yaml) is made from these types; they are closed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

Id = Annotated[str, Field(min_length=1, max_length=36)]
Name = Annotated[str, Field(min_length=1, max_length=64)]


def _of_our_time(at: datetime) -> datetime:
    """No database can turn the first and last day of the calendar into another zone."""
    if not 1900 <= at.year <= 2200:
        raise ValueError("a year between 1900 and 2200")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_of_our_time)]


class Closed(Schema):
    """A message that has these members and no others."""

    model_config = ConfigDict(extra="forbid")


class Said(Closed):
    """A text in both languages."""

    en: str
    zh: str


class LifeEventIn(Closed):
    """An announced life event; the person is the header's subject. `id` is the sender's own."""

    id: Id
    kind: Literal["birth"]
    happened_on: date
    notification: Name
    detail: dict[str, str | None] = {}


class ChoiceIn(Closed):
    """One of the answers to choose from."""

    value: str
    label: Said


class FieldIn(Closed):
    """One field of a question."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    kind: Literal["text", "date", "yesno", "choice"] = "text"
    label: Said
    required: bool = True
    choices: list[ChoiceIn] = []


class SupplementIn(Closed):
    """A question for the applicant."""

    id: Id
    ask: Said
    fields: list[FieldIn] = []
    due: date | None = None


class CertificateIn(Closed):
    """A certificate that was issued."""

    id: Name
    title: Said
    code: Annotated[str, Field(max_length=80)] = ""
    number: str = ""


class PaymentIn(Closed):
    """A payment of the part, in whole New Taiwan dollars; `account` is masked by the agency."""

    amount: Annotated[int, Field(ge=0, le=10**12)]
    account: str = ""
    reference: str = ""
    reason: Said | None = None


class CitedIn(Closed):
    """The article that a decision rests on."""

    title: Said
    article: Said
    url: str


class DecisionIn(Closed):
    """What was decided, by which version of which rule; `explanation` holds the lines of engines/rules."""

    outcome: Literal["granted", "refused"]
    rule: str | None = None
    version: str | None = None
    values: dict[str, Any] | None = None
    explanation: list[dict[str, Any]] | None = None
    cited: CitedIn | None = None
    gives: Said | None = None


class StepIn(Closed):
    """One step of an agency on its part of an application."""

    id: Id
    part_id: Id
    kind: Literal[
        "received",
        "working",
        "waiting",
        "supplement_asked",
        "supplement_received",
        "approved",
        "refused",
        "stopped",
        "certificate_issued",
        "payment_instructed",
        "paid",
        "payment_failed",
        "closed",
    ]
    at: Moment
    title: Said
    text: Said | None = None
    next: Said | None = None
    by: date | None = None
    number: Annotated[str, Field(max_length=40)] | None = None
    decision: DecisionIn | None = None
    amount: Annotated[int, Field(ge=0, le=10**12)] | None = None
    payment: PaymentIn | None = None
    missing: list[dict[str, Any]] | None = None
    supplement: SupplementIn | None = None
    certificate: CertificateIn | None = None


class Accepted(Closed):
    """The message is kept; `duplicate` when it was known."""

    accepted: bool
    duplicate: bool
    known_person: bool | None = None
