"""What gateways say: members, services and rights of the configuration that they verified, and how they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from smartgov.blocks.exchange import domain, refusals, transport
from smartgov.blocks.exchange.domain import PORTAL, GatewayHealth, Member, RightView, ServiceView, Visibility
from smartgov.blocks.exchange.selectors import registered
from smartgov.engines.troad.alarms import HANDED_OVER, PASSED_OVER
from smartgov.shared import homes
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


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
        elsewhere = problem.slug == refusals.ELSEWHERE
        return GatewayHealth(member.code, member.name, False, 0, "", problem.why, problem.todo, elsewhere=elsewhere)
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
