"""T-Road's door for the other blocks: call a service, be called, seal, see who is a member; and keep its register.

An agency always acts through its own gateway; the portal is one more member. Web processes hold no keys: what must be
signed is asked of the gateway, and what the centre publishes is signed by its worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from smartgov.blocks.exchange import domain, transport, vouching
from smartgov.blocks.exchange.asking import (
    Wish,
    ask_renewal,
    ask_right,
    end_right,
    grant_request,
    refuse_request,
    renew_right,
    withdraw_request,
)
from smartgov.blocks.exchange.contracts import check as lint
from smartgov.blocks.exchange.contracts import rules
from smartgov.blocks.exchange.domain import (
    Ability,
    Answer,
    Basis,
    Call,
    Durability,
    GatewayHealth,
    Inbound,
    Limits,
    Member,
    Offered,
    RequestState,
    RightView,
    ServiceView,
    Settings,
    Terms,
    Visibility,
    terms_of,
)
from smartgov.blocks.exchange.granting import follow, grant_right, revoke_right
from smartgov.blocks.exchange.inbound import TRoadInbound, serves
from smartgov.blocks.exchange.joining import issue_ordered, keep_joining
from smartgov.blocks.exchange.offering import (
    add_subsystem,
    document_of,
    of_tables,
    offer_service,
    offer_tables,
    register_of,
    replacement,
    withdraw_offer,
)
from smartgov.blocks.exchange.publishing import (
    PUBLISHER,
    is_centre,
    keep_published,
    publication,
    publish,
    republish,
)
from smartgov.blocks.exchange.registry import (
    follow_service,
    publish_service,
    register_gateway,
    register_issuer,
    register_member,
    register_seal_authority,
    register_subsystem,
    set_revoked_consents,
    withdraw_service,
)
from smartgov.blocks.exchange.reminding import Ending, ending, remind_of_endings
from smartgov.blocks.exchange.replacing import Holder, Replacement, holders
from smartgov.blocks.exchange.sealing import seal_chain, seal_document, seal_trust
from smartgov.blocks.exchange.selectors import (
    MemberPage,
    RequestRow,
    RightRow,
    ServicePage,
    ServiceRow,
    member_page,
    registered,
    request_row,
    request_rows,
    right_rows,
    service_page,
    service_rows,
    subsystems_of,
)
from smartgov.engines.troad.alarms import HANDED_OVER, PASSED_OVER
from smartgov.shared import homes
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

__all__ = [
    "Ending",
    "PORTAL",
    "PUBLISHER",
    "Ability",
    "Answer",
    "Durability",
    "Limits",
    "RequestState",
    "Holder",
    "MemberPage",
    "Replacement",
    "RequestRow",
    "RightRow",
    "ServicePage",
    "ServiceRow",
    "Settings",
    "Wish",
    "add_subsystem",
    "ask_right",
    "document_of",
    "ending",
    "ask_renewal",
    "end_right",
    "grant_request",
    "lint",
    "member_page",
    "request_row",
    "request_rows",
    "right_rows",
    "rules",
    "service_page",
    "service_rows",
    "subsystems_of",
    "tables_of",
    "offer_service",
    "offer_tables",
    "of_tables",
    "replacement",
    "holders",
    "follow_service",
    "refuse_request",
    "renew_right",
    "terms_of",
    "addresses",
    "shown_otherwise",
    "traffic",
    "withdraw_offer",
    "withdraw_request",
    "Basis",
    "GatewayHealth",
    "Inbound",
    "Member",
    "Offered",
    "TRoadInbound",
    "Terms",
    "Visibility",
    "call",
    "consent",
    "follow",
    "grant_right",
    "health",
    "is_centre",
    "issue_ordered",
    "keep_joining",
    "remind_of_endings",
    "keep_published",
    "members",
    "publication",
    "publish",
    "publish_service",
    "register_gateway",
    "register_issuer",
    "register_member",
    "register_seal_authority",
    "register_subsystem",
    "republish",
    "revoke_right",
    "rights",
    "seal",
    "seal_certificate",
    "seal_chain",
    "seal_document",
    "seal_trust",
    "stamp",
    "stamp_root",
    "serves",
    "services",
    "set_revoked_consents",
    "subsystem_of",
    "trail",
    "revoke_consent",
    "trail_token",
    "withdraw_service",
]

PORTAL = "portal"


def subsystem_of(agency: str) -> str:
    """The T-Road id of the information system that this site runs for `agency`."""
    return f"{homes.member_id(agency)}/{'portal' if agency == PORTAL else 'cases'}"


def call(
    *,
    actor: Actor,
    agency: str,
    service: str,
    method: str,
    path: str,
    purpose: str,
    json: Any = None,
    subject: str | None = None,
    basis: str | None = None,
    consent: str | None = None,
    case: str | None = None,
    fields: Sequence[str] | None = None,
) -> Answer:
    """Call `service` as `agency`. `subject` is a national id and leaves this process on the local hop only.

    Answers below 400 return; any other answer, of the service or of a gateway on the way, is raised as its Problem.
    """
    request = Call(
        client=subsystem_of(agency),
        service=service,
        method=method,
        path=path,
        json=json,
        subject=subject,
        purpose=purpose,
        basis=basis,
        consent=consent,
        case=case,
        user=actor.seat,
        fields=fields,
    )
    return transport.current().call(agency, request)


def seal(*, agency: str, data: bytes) -> bytes:
    """The seal of `agency` over `data`, made by its gateway (ECDSA P-256 with SHA-256, DER)."""
    return transport.current().seal(agency, data)


def seal_certificate(*, agency: str) -> tuple[str, Sequence[str]]:
    """The seal's certificate and chain, as PEM."""
    return transport.current().seal_certificate(agency)


def stamp(request: bytes) -> bytes:
    """The time-stamping authority's DER answer to a DER request; OSError when it does not answer."""
    return vouching.current().stamp(request)


def stamp_root() -> bytes | None:
    """The certificate (PEM) under which time stamps are trusted; None where the country has none."""
    return vouching.current().time_root()


def consent(
    *,
    subject: str,
    provider: str,
    requester: str,
    fields: Sequence[str],
    purpose: str,
    expires_at: str,
    jti: str,
    single_use: bool = False,
) -> str:
    """A consent artefact signed by the portal: `provider` is a service id, `requester` a subsystem id."""
    return transport.current().consent(
        PORTAL,
        subject=subject,
        provider=provider,
        requester=requester,
        fields=list(fields),
        purpose=purpose,
        expires_at=expires_at,
        jti=jti,
        single_use=single_use,
    )


def revoke_consent(*, jti: str, expires_at: str) -> None:
    """Have the portal's gateway say that this consent was taken back; providers ask it within the minute."""
    transport.current().revoke_consent(PORTAL, jti=jti, expires_at=expires_at)


def trail_token(
    *, subject: str, member: str, gateway: str, assurance: int, mandate: Mapping[str, Any] | None = None
) -> str:
    """Her own token for one gateway of a member: 60 s, single use. `mandate` (`id`, `excludes`) when another looks."""
    more = {"mandate": mandate} if mandate else {}
    return transport.current().token(
        PORTAL, subject=subject, audience=member, gateway=gateway, assurance=assurance, jti=uuid7(), **more
    )


def trail(*, member: str, gateway: str, token: str, have: int) -> dict[str, Any]:
    """What a member's gateway lists for the token's subject; `have` is the log size that the portal has pinned."""
    return transport.current().trail(PORTAL, member=member, gateway=gateway, token=token, have=have)


def members(agency: str = PORTAL) -> list[Member]:
    """The members of T-Road in the configuration that the gateway of `agency` has verified."""
    configuration, _ = transport.current().configuration(agency)
    return [
        Member(
            id=row["id"],
            code=row["id"].rsplit("/", 1)[1],
            name=Text.of(row["name"]),
            logs={one["log_origin"]: one["log_key"] for one in row["gateways"]},
            witness_keys={
                f"{row['id']}/{one['code']}": one["witness_key"] for one in row["gateways"] if one.get("witness_key")
            },
        )
        for row in configuration["members"]
    ]


def services(agency: str = PORTAL) -> list[ServiceView]:
    """The services that members offer."""
    configuration, _ = transport.current().configuration(agency)
    return [ServiceView(row["id"], row["member"], bool(row.get("personal"))) for row in configuration["services"]]


def shown_otherwise(agency: str = PORTAL) -> list[tuple[str, str, dict[str, Any]]]:
    """Services whose uses do not appear at once and whole to the person: id, class and terms, as they are signed."""
    configuration, _ = transport.current().configuration(agency)
    found = []
    for row in configuration["services"]:
        declared = row.get("visibility") or Visibility.OWN
        terms = dict(declared) if isinstance(declared, dict) else {"class": declared}
        if (kind := str(terms.pop("class"))) != Visibility.OWN:
            found.append((str(row["id"]), kind, terms))
    return found


def rights(agency: str = PORTAL) -> list[RightView]:
    """The rights in force."""
    configuration, _ = transport.current().configuration(agency)
    return [
        RightView(
            client=row["client"],
            service=row["service"],
            endpoints=tuple(row["endpoints"]),
            basis=row["basis"].get("citation") or row["basis"].get("code") or row["basis"]["kind"],
            fields=tuple(row.get("fields") or ()),
            purpose=str(row.get("purpose") or ""),
            expires_at=datetime.fromisoformat(row["expires_at"]) if row.get("expires_at") else None,
            basis_code=str(row["basis"].get("code") or ""),
        )
        for row in configuration["rights"]
    ]


def known_members() -> tuple[list[Member], Problem | None]:
    """The members that the portal's gateway has verified; where it cannot say, those of the register, and why not.

    So whoever looks after gateways sees them also while that one is down.
    """
    try:
        return members(), None
    except Problem as problem:
        return registered(), problem


def health() -> list[GatewayHealth]:
    """What every gateway on this machine says of itself, asked at once."""
    known, _ = known_members()
    with ThreadPoolExecutor(max_workers=len(known) or 1) as pool:
        return list(pool.map(_health, known))


def _health(member: Member) -> GatewayHealth:
    try:
        said = transport.current().health(member.code)
    except Problem as problem:
        elsewhere = problem.slug == domain.ELSEWHERE
        return GatewayHealth(member.code, member.name, False, 0, "", problem.why, elsewhere=elsewhere)
    alarms = sorted(said.get("alarms", ()))
    return GatewayHealth(
        agency=member.code,
        name=member.name,
        healthy=bool(said.get("healthy")),
        log_size=int(said.get("log_size", 0)),
        configuration_expires=str(said.get("configuration_expires", "")),
        problem=Text.of(said["problem"]["what"]) if said.get("problem") else domain.NOTHING,
        todo=Text.of(said["problem"]["todo"]) if said.get("problem") else domain.NOTHING,
        passed_over=tuple(name.removeprefix(PASSED_OVER) for name in alarms if name.startswith(PASSED_OVER)),
        alarms=tuple(name for name in alarms if name != HANDED_OVER and not name.startswith(PASSED_OVER)),
        answers=True,
        maintenance=bool(said.get("maintenance")),
        handed_over=said["once"]["gateway"] if HANDED_OVER in said.get("alarms", ()) else "",
    )


def traffic(agency: str) -> dict[str, Any]:
    """What the gateway of `agency` has counted since it started: calls, refusals, times, by service and peer."""
    return transport.current().traffic(agency)


def addresses(agency: str) -> dict[str, str] | None:
    """Where the services of `agency` are, as its gateway on this machine says; None when there is none, or it is down.

    By service id. Only the agency's own gateway knows it.
    """
    try:
        told = transport.current().systems(agency)
    except Problem:
        return None
    member = homes.member_id(agency)
    return {
        f"{member}/{system}/{code}": address
        for system, one in told.items()
        for code, address in one["services"].items()
    }


def tables_of(agency: str) -> list[tuple[str, Text]]:
    """The tables of the agency's register, if it has one of ours."""
    known = register_of(agency)
    return [(name, table.title) for name, table in known.tables.items()] if known else []


gateway_unreachable = domain.gateway_unreachable
ELSEWHERE = domain.ELSEWHERE
