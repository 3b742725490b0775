"""What pages and the API read of the register: services with their contract, rights, requests, members with keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from smartgov.blocks.directory import api as directory
from smartgov.blocks.exchange import asking, contracts, domain
from smartgov.blocks.exchange.domain import RightState
from smartgov.blocks.exchange.models import (
    Certificate,
    Contract,
    Gateway,
    Member,
    Right,
    RightRequest,
    Service,
    Subsystem,
)
from smartgov.blocks.exchange.publishing import rights_in_force
from smartgov.blocks.exchange.registry import MEMBER, SERVICE, find
from smartgov.engines.pki import keys
from smartgov.shared import clock, homes
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

SOON = timedelta(days=30)
KEYS = ("message_key", "log_key", "witness_key", "reference_key", "configuration_key")


@dataclass(frozen=True, slots=True)
class Version:
    """One document that a service has published."""

    digest: str
    title: str
    version: str
    accepted_at: datetime
    findings: list[dict[str, Any]]
    in_force: bool


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service in a list."""

    id: str
    member: str
    member_name: Text
    personal: bool
    visibility: str
    visibility_terms: dict[str, Any]
    title: str
    title_zh: str
    version: str
    endpoints: tuple[str, ...]
    rights: int
    remarks: int
    own: bool
    withdrawn: bool

    @property
    def named(self) -> Text | str:
        """The title in both languages where the document gives a pair; else as the document writes it."""
        return Text(self.title, self.title_zh) if self.title_zh else self.title


@dataclass(frozen=True, slots=True)
class ServicePage:
    """A service with everything that is known of it."""

    row: ServiceRow
    related: tuple[str, ...]
    limits: domain.Limits
    durability: str
    retain_days: int | None
    fields: dict[str, Text]
    versions: list[Version]
    findings: list[dict[str, Any]]
    examples: list[contracts.Shown]
    rights: list[RightRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RightRow:
    """A right with its ground, as it stands in the register."""

    id: str
    client: str
    service: str
    endpoints: tuple[str, ...]
    basis: str
    basis_code: str
    citation: str
    fields: tuple[str, ...] | None
    purpose: str
    state: str
    granted_at: datetime | None
    expires_at: datetime | None
    reason: str
    own: bool
    visibility: str = ""
    visibility_terms: dict[str, Any] = field(default_factory=dict)
    origin: str = ""

    @property
    def in_force(self) -> bool:
        """Whether calls under it are answered now."""
        return self.state == RightState.GRANTED and (self.expires_at is None or self.expires_at > clock.now())

    @property
    def ends_soon(self) -> bool:
        """Whether somebody should think of renewing it."""
        return self.in_force and self.expires_at is not None and self.expires_at - clock.now() < SOON


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request for a right; `may_review` and `may_withdraw` say what this officer's agency can still do."""

    id: str
    client: str
    service: str
    endpoints: tuple[str, ...]
    basis: str
    basis_code: str
    legal: directory.LegalBasis | None
    fields: tuple[str, ...] | None
    purpose: str
    explanation: str
    wanted_until: date | None
    state: str
    asked_at: datetime
    decided_at: datetime | None
    reason: str
    right: str
    may_review: bool
    may_withdraw: bool


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """A registered gateway: where it is, when its certificate ends, and its public keys by their thumbprints."""

    id: str
    place: str
    certificate_expires_at: datetime | None
    changed_at: datetime
    keys: dict[str, str]


@dataclass(frozen=True, slots=True)
class MemberPage:
    """A member with its systems and gateways."""

    id: str
    code: str
    name: Text
    joined_at: datetime
    own: bool
    subsystems: list[str]
    gateways: list[GatewayRow]


def service_rows(actor: Actor) -> list[ServiceRow]:
    """Every service in the register, the officer's own agency's first."""
    rows = list(Service.objects.order_by("id"))
    counted = Counter(right.service_id for right in rights_in_force(clock.now()))
    documents = {(one.service_id, one.digest): one for one in Contract.objects.defer("document")}
    names = {one.id: Text.of(one.name) for one in Member.objects.all()}
    shown = [_row(actor, row, documents.get((row.id, row.contract)), counted[row.id], names) for row in rows]
    return sorted(shown, key=lambda row: (not row.own, row.withdrawn))


def service_page(actor: Actor, service: str) -> ServicePage:
    """One service; Problem `not-registered`."""
    row = find(Service, service, SERVICE)
    versions = [_version(one, row) for one in row.contracts.order_by("-accepted_at").defer("document")]
    current = row.contracts.filter(digest=row.contract).first() if row.contract else None
    granted = list(row.rights.order_by("-granted_at"))
    names = {row.subsystem.member_id: Text.of(row.subsystem.member.name)}
    live = sum(1 for one in rights_in_force(clock.now()) if one.service_id == service)
    return ServicePage(
        row=_row(actor, row, current, live, names),
        related=tuple(row.related),
        limits=domain.Limits(row.body_bytes, row.seconds, row.per_minute, row.per_day),
        durability=row.durability,
        retain_days=row.retain_days,
        fields=contracts.fields_of(current.document) if current else {},
        versions=versions,
        findings=list(current.findings) if current else [],
        examples=contracts.examples_of(current.document) if current else [],
        rights=[right_row(actor, one) for one in granted],
    )


def subsystems_of(actor: Actor) -> list[str]:
    """The information systems of the officer's own agency."""
    member = homes.member_id(actor.agency or "")
    return list(Subsystem.objects.filter(member=member).order_by("id").values_list("id", flat=True))


def right_rows(actor: Actor) -> list[RightRow]:
    """Rights that the officer's agency holds or has granted, the newest first."""
    found = Right.objects.order_by("-granted_at", "-id")
    own = [row for row in found if asking.is_own(actor, row.client_id) or asking.is_own(actor, row.service_id)]
    return [right_row(actor, row) for row in own]


def right_row(actor: Actor, row: Right) -> RightRow:
    """A right as this officer sees it; `own` when it is to a service of the own agency."""
    return RightRow(
        id=row.id,
        client=row.client_id,
        service=row.service_id,
        endpoints=tuple(row.endpoints),
        basis=row.basis,
        basis_code=row.basis_code,
        citation=row.citation,
        fields=None if row.fields is None else tuple(row.fields),
        purpose=row.purpose,
        state=row.state,
        granted_at=row.granted_at,
        expires_at=row.expires_at,
        reason=row.reason,
        own=asking.is_own(actor, row.service_id),
        visibility=row.visibility,
        visibility_terms=row.visibility_terms,
        origin=row.origin,
    )


def request_rows(actor: Actor) -> list[RequestRow]:
    """Requests of and to the officer's agency, the open ones first."""
    return [_request(actor, row) for row in asking.requests(actor)]


def request_row(actor: Actor, request: str) -> RequestRow:
    """One of them; Problem `not-registered`."""
    return _request(actor, asking.request(actor, request))


def member_page(actor: Actor, code: str) -> MemberPage:
    """A member by its agency's code; Problem `not-registered`."""
    row = find(Member, homes.member_id(code), MEMBER)
    issued = Certificate.objects.filter(gateway__startswith=f"{row.id}/").order_by("ends_at")
    newest = {one.gateway: one.ends_at for one in issued}
    return MemberPage(
        id=row.id,
        code=code,
        name=Text.of(row.name),
        joined_at=row.joined_at,
        own=actor.agency == code,
        subsystems=list(row.subsystems.order_by("id").values_list("id", flat=True)),
        gateways=[_gateway(one, newest.get(one.id)) for one in row.gateways.order_by("id")],
    )


def _row(actor: Actor, row: Service, document: Contract | None, rights: int, names: dict[str, Text]) -> ServiceRow:
    member = row.id.rsplit("/", 2)[0]
    return ServiceRow(
        id=row.id,
        member=member,
        member_name=names.get(member, Text.of(member)),
        personal=row.personal,
        visibility=row.visibility,
        visibility_terms=row.visibility_terms,
        title=document.title if document else "",
        title_zh=document.title_zh if document else "",
        version=document.version if document else "",
        endpoints=tuple(row.endpoints),
        rights=rights,
        remarks=len(document.findings) if document else 0,
        own=asking.is_own(actor, row.id),
        withdrawn=row.withdrawn_at is not None,
    )


def _version(row: Contract, service: Service) -> Version:
    return Version(row.digest, row.title, row.version, row.accepted_at, row.findings, row.digest == service.contract)


def _request(actor: Actor, row: RightRequest) -> RequestRow:
    still_open = row.state == domain.RequestState.ASKED
    return RequestRow(
        id=row.id,
        client=row.client_id,
        service=row.service_id,
        endpoints=tuple(row.endpoints),
        basis=row.basis,
        basis_code=row.basis_code,
        legal=_legal(row.basis_code),
        fields=None if row.fields is None else tuple(row.fields),
        purpose=row.purpose,
        explanation=row.explanation,
        wanted_until=row.wanted_until,
        state=row.state,
        asked_at=row.asked_at,
        decided_at=row.decided_at,
        reason=row.reason,
        right=row.right_id or "",
        may_review=still_open and asking.is_own(actor, row.service_id),
        may_withdraw=still_open and asking.is_own(actor, row.client_id),
    )


def _legal(code: str) -> directory.LegalBasis | None:
    try:
        return directory.legal_basis(code) if code else None
    except Problem:
        return None


def _gateway(row: Gateway, newest: datetime | None) -> GatewayRow:
    """`newest` is the end of the last certificate that the centre issued to it."""
    ends = [end for end in (row.certificate_expires_at, newest) if end]
    return GatewayRow(
        id=row.id,
        place=f"{row.described['host']}:{row.described['port']}",
        certificate_expires_at=max(ends, default=None),
        changed_at=row.changed_at,
        keys=dict(_thumbprints(row.described)),
    )


def _thumbprints(described: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name in KEYS:
        if isinstance(described.get(name), dict):
            yield name, keys.thumbprint(keys.from_jwk(described[name]))


def registered() -> list[domain.Member]:
    """The members in this process's own register, whether or not a gateway knows them already; without keys."""
    rows = Member.objects.order_by("joined_at", "id")
    return [domain.Member(row.id, row.id.rsplit("/", 1)[1], Text.of(row.name)) for row in rows]
