"""Where the processes of one country listen: offsets from one base, so that several countries fit a machine."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from smartgov.shared import content

SPAN = 60
"""How many ports a country may use from its base."""
_CARD, _MOICA, _WALLET, _AUTHORITY, _PHONE, _SMTP, _BANK, _MAILBOX, _TIMESTAMP, _LIBRARY = range(20, 30)
_GATEWAYS, _LOCAL, _REGISTERS = 30, 40, 50


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a country; `web` is the base and the one that people open."""

    base: int = 8000

    @property
    def web(self) -> int:
        """The portal, and every agency that has no web process of its own."""
        return self.base

    @property
    def second_web(self) -> int:
        """The web process of an agency that runs apart."""
        return self.base + 1

    @property
    def phone(self) -> int:
        """The mobile-identity simulator."""
        return self.base + _PHONE

    @property
    def smtp(self) -> int:
        """The mailbox's mail server."""
        return self.base + _SMTP

    @property
    def bank(self) -> int:
        """The sandbox bank."""
        return self.base + _BANK

    @property
    def mailbox(self) -> int:
        """The mailbox's pages."""
        return self.base + _MAILBOX

    @property
    def timestamp(self) -> int:
        """The time-stamping authority."""
        return self.base + _TIMESTAMP

    @property
    def authority(self) -> int:
        """The citizens' certification authority."""
        return self.base + _AUTHORITY

    @property
    def wallet(self) -> int:
        """People's wallets."""
        return self.base + _WALLET

    @property
    def library(self) -> int:
        """The city library, a relying party."""
        return self.base + _LIBRARY

    @property
    def moica(self) -> int:
        """The Ministry of the Interior: its certification authority and TW FidO."""
        return self.base + _MOICA

    @property
    def card(self) -> int:
        """The card helper, as on a person's own machine."""
        return self.base + _CARD

    def gateway(self, agency: str) -> int:
        """Where other gateways reach this agency's gateway (mTLS)."""
        return self.base + _GATEWAYS + agencies().index(agency)

    def gateway_local(self, agency: str) -> int:
        """Where the agency's own systems reach its gateway."""
        return self.base + _LOCAL + agencies().index(agency)

    def register(self, agency: str) -> int:
        """Where the agency's register answers its gateway."""
        return self.base + _REGISTERS + agencies().index(agency)

    def all(self) -> list[int]:
        """Every port that may be used."""
        single = [
            self.web,
            self.second_web,
            self.phone,
            self.smtp,
            self.bank,
            self.mailbox,
            self.timestamp,
            self.library,
            self.wallet,
            self.authority,
            self.moica,
            self.card,
        ]
        ranges = (self.gateway, self.gateway_local, self.register)
        return single + [port(agency) for port in ranges for agency in agencies()]

    def taken(self) -> list[int]:
        """Those of them on which something listens already."""
        return [port for port in self.all() if _answers(port)]


def agencies() -> list[str]:
    """The codes of T-Road's members, the portal first."""
    return [row["code"] for row in content.read("directory.yaml")["agencies"]]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
