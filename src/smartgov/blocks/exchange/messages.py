"""The messages of the register's own API: what is listed, asked, decided and published."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from smartgov.blocks.exchange.domain import Basis, Durability, Limits, RequestState, RightState, Visibility

LARGEST_DOCUMENT = 2**20
MOST_ROWS = 200
Name = Annotated[str, Field(min_length=1, max_length=80)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Names = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=200)]
OWN = Limits()


class Closed(Schema):
    """A message that has these members and no others."""

    model_config = ConfigDict(extra="forbid")


class Said(Closed):
    """A text in both languages."""

    en: str
    zh: str


# -- asked -------------------------------------------------------------------------------------------------------------


class LimitsIn(Closed):
    """What a service allows: bytes of a message, seconds of a call, calls of one client (0: unlimited)."""

    body_bytes: Annotated[int, Field(ge=1, le=2**31 - 1)] = OWN.body_bytes
    seconds: Annotated[int, Field(ge=1, le=3600)] = OWN.seconds
    per_minute: Annotated[int, Field(ge=0, le=2**31 - 1)] = OWN.per_minute
    per_day: Annotated[int, Field(ge=0, le=2**31 - 1)] = OWN.per_day


class VisibilityTerms(Closed):
    """What belongs to a class of visibility: days or a first day of a delay, order number and last day of a seal."""

    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    until: date | None = None
    order: Annotated[str, Field(max_length=120)] = ""


class OfferIn(Closed):
    """How a service is offered. `document` is its OpenAPI file, JSON or YAML; without it the one in force stays.

    `replace`: what is offered under this name may change; without it such a document is refused with what would change.
    """

    document: Annotated[str, Field(max_length=LARGEST_DOCUMENT)] | None = None
    replace: bool = False
    personal: bool = True
    related: Names = []
    visibility: Visibility = Visibility.OWN
    visibility_terms: VisibilityTerms = VisibilityTerms()
    limits: LimitsIn = LimitsIn()
    durability: Durability = Durability.STRICT
    retain_days: Annotated[int, Field(ge=1, le=36500)] | None = None


class SubsystemIn(Closed):
    """An information system of the caller's own member, by its id (`TW/GOV/ris/archive`)."""

    id: Name


class RequestIn(Closed):
    """A right that is asked for; `fields` null means all, which a service about persons never gives."""

    client: Name
    service: Name
    endpoints: Names
    basis: Basis
    basis_code: Annotated[str, Field(max_length=80)] = ""
    fields: Names | None = None
    purpose: Annotated[str, Field(min_length=1, max_length=80)]
    explanation: Annotated[str, Field(max_length=1000)] = ""
    wanted_until: date | None = None


class ReviewIn(Closed):
    """Granted until the end of a day, for no more than was asked; or refused, with a reason."""

    outcome: Literal["granted", "refused"]
    until: date | None = None
    endpoints: Names | None = None
    fields: Names | None = None
    reason: Annotated[str, Field(max_length=500)] = ""


class EndIn(Closed):
    """Why a right ends."""

    reason: Reason


class RenewIn(Closed):
    """Until the end of which day a right goes on."""

    until: date


class RenewalIn(Closed):
    """Until the end of which day a right is wanted anew, and why."""

    wanted_until: date
    explanation: Annotated[str, Field(max_length=1000)] = ""


# -- answered ----------------------------------------------------------------------------------------------------------


class ConfigurationOut(Closed):
    """What gateways were given last. `sha256` is the digest of `configuration.json` in every gateway's home."""

    version: int
    issued_at: datetime | None
    expires_at: datetime | None
    sha256: str
    pending: bool


class MemberRow(Closed):
    """A member of T-Road."""

    id: str
    code: str
    name: Said


class GatewayOut(Closed):
    """A gateway: where it is, the end of its certificate, and its public keys by RFC 7638 thumbprint."""

    id: str
    place: str
    certificate_expires_at: datetime | None
    changed_at: datetime
    keys: dict[str, str]


class MemberOut(MemberRow):
    """A member with its systems and gateways."""

    joined_at: datetime
    own: bool
    subsystems: list[str]
    gateways: list[GatewayOut]


class ServiceRowOut(Closed):
    """A service in a list."""

    id: str
    member: str
    member_name: Said
    personal: bool
    visibility: str
    title: str
    version: str
    endpoints: list[str]
    rights: int
    remarks: int
    own: bool
    withdrawn: bool


class VersionOut(Closed):
    """One OpenAPI document that the service has published."""

    digest: str
    title: str
    version: str
    accepted_at: datetime
    in_force: bool
    findings: list[dict[str, Any]]


class ServiceOut(ServiceRowOut):
    """A service with everything that is known of it."""

    related: list[str]
    limits: LimitsIn
    durability: str
    retain_days: int | None
    fields: list[str]
    versions: list[VersionOut]


class DocumentOut(Closed):
    """The OpenAPI document in force, as it was handed in, and its SHA-256."""

    sha256: str
    document: str


class RightOut(Closed):
    """A right as it stands in the register."""

    id: str
    client: str
    service: str
    endpoints: list[str]
    basis: str
    basis_code: str
    citation: str
    fields: list[str] | None
    purpose: str
    state: RightState
    in_force: bool
    granted_at: datetime | None
    expires_at: datetime | None
    reason: str
    own: bool


class RequestOut(Closed):
    """A request for a right; `may_review` and `may_withdraw` say what the caller's member can still do."""

    id: str
    client: str
    service: str
    endpoints: list[str]
    basis: str
    basis_code: str
    fields: list[str] | None
    purpose: str
    explanation: str
    wanted_until: date | None
    state: RequestState
    asked_at: datetime
    decided_at: datetime | None
    reason: str
    right: str
    may_review: bool
    may_withdraw: bool


class Members(Closed):
    """A page of members; `more` when there are further ones, after the id of the last."""

    items: list[MemberRow]
    more: bool


class Services(Closed):
    """A page of services."""

    items: list[ServiceRowOut]
    more: bool


class Rights(Closed):
    """A page of rights that the caller's member holds or has granted."""

    items: list[RightOut]
    more: bool


class Requests(Closed):
    """A page of requests of or to the caller's member."""

    items: list[RequestOut]
    more: bool
