"""What `exchange` needs from outside: a gateway of one's own, and at the centre a signer and a way to all gateways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from smartgov.blocks.exchange.domain import Answer, Call, Published


class Transport(Protocol):
    """An agency's gateway, seen from its information systems."""

    def call(self, agency: str, call: Call) -> Answer:
        """Send a call through the gateway of `agency`; raises Problem for everything but an answer of the service."""

    def seal(self, agency: str, data: bytes) -> bytes:
        """The agency's seal over `data`: an ECDSA P-256 SHA-256 signature in DER."""

    def seal_certificate(self, agency: str) -> tuple[str, Sequence[str]]:
        """The seal's certificate and its chain, as PEM."""

    def consent(self, agency: str, **claims: Any) -> str:
        """A signed consent artefact."""

    def revoke_consent(self, agency: str, *, jti: str, expires_at: str) -> None:
        """Let the gateway that signed a consent say from now on that it was taken back."""

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
        """A trail token for one gateway, 60 s, single use."""

    def trail(self, agency: str, *, member: str, gateway: str, token: str, have: int) -> dict[str, Any]:
        """The listed entries of the token's subject from a member's gateway, with proofs."""

    def health(self, agency: str) -> dict[str, Any]:
        """What the gateway says of itself."""

    def traffic(self, agency: str) -> dict[str, Any]:
        """What the gateway has counted since it started."""

    def systems(self, agency: str) -> dict[str, Any]:
        """The systems behind the gateway, each with `services` (code to address) and `may`."""

    def configuration(self, agency: str) -> tuple[dict[str, Any], datetime]:
        """The members, services and rights in force at this gateway, and when they expire."""


class Vouching(Protocol):
    """Trusted times, and the authority that certifies agencies' seals. What does not answer raises OSError."""

    def time_root(self) -> bytes | None:
        """The certificate (PEM) under which time stamps are trusted; None where the country has none."""

    def stamp(self, request: bytes) -> bytes:
        """The DER answer to a DER time-stamp request."""

    def seal_list(self) -> bytes | None:
        """The revocation list in force (DER); None where it publishes none."""

    def seal_answer(self, question: bytes) -> bytes | None:
        """The DER answer to a DER OCSP question; None where none are given."""


class Issuing(Protocol):
    """The centre's authority for gateways' certificates, and what everybody may read of its trust."""

    def certify(self, gateway: str, tls_key: Mapping[str, Any], host: str, ends: datetime) -> str:
        """A certificate (PEM) for the public JWK `tls_key`, in the name of `gateway`. For the process with the key."""

    def root(self) -> bytes:
        """The first root of the configuration: what a gateway is set up with."""

    def bundle(self) -> bytes:
        """The configuration as it is published; FileNotFoundError before the first."""

    def proven_by_root(self, rotation: Mapping[str, Any]) -> bool:
        """Whether a threshold of the newest root's keys signed this change of a member's key."""


class Centre(Protocol):
    """The part of the centre that holds its keys, and its way to members and gateways."""

    def publish(
        self, data: Mapping[str, Any], now: datetime, documents: Mapping[str, Mapping[str, bytes]]
    ) -> Published:
        """Have members sign what they offer and the centre all of it, and hand it to the gateways.

        `documents` are the OpenAPI documents that offers name, by member and SHA-256; a member's gateway gets its own.

        ValueError or KeyError, and nothing handed out, when gateways could not read it.
        """
