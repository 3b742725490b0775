"""The transport in force: each agency's own gateway on loopback, spoken to by the client of `engines/troad`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from smartgov.blocks.exchange import refusals
from smartgov.blocks.exchange.domain import Answer, Call
from smartgov.engines.httpd import Response
from smartgov.engines.troad.client import LocalGateway
from smartgov.engines.troad.problems import BETWEEN_GATEWAYS
from smartgov.shared import homes
from smartgov.shared.problems import Problem

WAIT_SECONDS = 20
"""How long a page or a worker waits for an answer, which is less than a service may take: both can come again."""
BY_THE_SUBJECT = "subject"
"""What a caller names as its ground when the person herself asks; on the wire that is neither law nor consent."""


class AgencyGateway(LocalGateway):
    """The client of one agency's gateway, whose outages are told to the readers of pages.

    The client's own words are for who writes programs: they name a loopback address, and ask for another call. Gateways
    that do not believe each other are an outage too, not a refusal of what was asked: it is asked again later.
    """

    def __init__(self, agency: str, secret: str, client_id: str) -> None:
        super().__init__(homes.gateway_url(agency), secret, client_id)
        self._agency = agency

    def _send(self, *given: Any, **named: Any) -> Response:
        try:
            return super()._send(*given, **named)
        except Problem as problem:
            if problem.slug in BETWEEN_GATEWAYS:
                raise refusals.between_gateways(problem) from None
            if problem.extra.get("gateway") != "own":
                raise
            seconds = problem.extra.get("seconds")
            raise (
                refusals.gateway_unreachable(self._agency)
                if seconds is None
                else refusals.gateway_silent(self._agency, seconds)
            ) from None


class Gateways:
    """A client for each agency's gateway, made when first needed."""

    def __init__(self) -> None:
        self._known: dict[str, LocalGateway] = {}

    def call(self, agency: str, call: Call) -> Answer:
        """Send `call` through the gateway of `agency`."""
        got = self._gateway(agency).call(
            call.service,
            call.method,
            call.path,
            json=call.json,
            subject=call.subject,
            purpose=call.purpose,
            basis=None if call.basis == BY_THE_SUBJECT else call.basis,
            consent=call.consent,
            issue=call.case,
            user=call.user,
            fields=list(call.fields) if call.fields is not None else None,
            timeout=WAIT_SECONDS,
        )
        return Answer(
            status=got.status,
            body=got.body,
            exchange_id=got.exchange_id,
            log_ref=got.log_ref,
            provider=got.provider,
            answered_at=got.answered_at,
        )

    def seal(self, agency: str, data: bytes) -> bytes:
        """The agency's seal over `data`."""
        return self._gateway(agency).seal(data)

    def seal_certificate(self, agency: str) -> tuple[str, Sequence[str]]:
        """The seal's certificate and its chain."""
        return self._gateway(agency).seal_certificate()

    def consent(self, agency: str, **claims: Any) -> str:
        """A signed consent artefact."""
        return self._gateway(agency).consent(**claims)

    def revoke_consent(self, agency: str, *, jti: str, expires_at: str) -> None:
        """Take a consent back at its issuer."""
        self._gateway(agency).revoke_consent(jti=jti, expires_at=expires_at)

    def token(
        self,
        agency: str,
        *,
        subject: str,
        audience: str,
        gateway: str,
        assurance: int,
        jti: str,
        mandate: Mapping[str, Any] | None = None,
    ) -> str:
        """A trail token."""
        return self._gateway(agency).token(
            subject=subject, audience=audience, gateway=gateway, assurance=assurance, jti=jti, mandate=mandate
        )

    def trail(self, agency: str, *, member: str, gateway: str, token: str, have: int) -> dict[str, Any]:
        """Listed entries with proofs."""
        return self._gateway(agency).trail(member, token, have, gateway=gateway)

    def health(self, agency: str) -> dict[str, Any]:
        """The gateway's own words."""
        return self._here(agency).health()

    def traffic(self, agency: str) -> dict[str, Any]:
        """The gateway's own figures."""
        return self._here(agency).traffic()

    def systems(self, agency: str) -> dict[str, Any]:
        """What the gateway knows of the systems behind it."""
        return self._gateway(agency).systems()

    def configuration(self, agency: str) -> tuple[dict[str, Any], datetime]:
        """The configuration that the gateway has verified."""
        return self._gateway(agency).configuration()

    def _here(self, agency: str) -> LocalGateway:
        if not homes.has_gateway(agency):
            raise refusals.gateway_elsewhere(agency)
        return self._gateway(agency)

    def _gateway(self, agency: str) -> LocalGateway:
        if agency not in self._known:
            try:
                subsystem = _subsystem(agency)
                secret = homes.gateway_secret(agency, subsystem)
                self._known[agency] = AgencyGateway(agency, secret, f"{homes.member_id(agency)}/{subsystem}")
            except (OSError, ValueError, IndexError):
                raise refusals.gateway_unreachable(agency) from None
        return self._known[agency]


def _subsystem(agency: str) -> str:
    """The system that speaks for `agency` here; a member with a register only is asked for its health as that."""
    own = "portal" if agency == "portal" else "cases"
    known = homes.subsystems(agency)
    return own if own in known else known[0]
