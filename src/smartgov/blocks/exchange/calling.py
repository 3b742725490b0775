"""What this site asks of its agencies' gateways: calls, seals, time stamps, consents, a person's trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smartgov.blocks.exchange import transport, vouching
from smartgov.blocks.exchange.domain import PORTAL, Answer, Call
from smartgov.shared import homes
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7


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
