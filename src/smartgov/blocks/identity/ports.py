"""What `identity` needs from outside: the service behind people's phones, and who vouches for mandates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from smartgov.blocks.identity.domain import Represented, Standing


@dataclass(frozen=True, slots=True)
class Ticket:
    """An open request at the mobile-identity service; `show` is what the QR code on our page holds."""

    id: str
    show: str


@dataclass(frozen=True, slots=True)
class Approval:
    """What the phone has answered so far. `signature` is ECDSA P-256 with SHA-256 in DER, `issued` the phone's time."""

    state: Literal["waiting", "approved", "refused"]
    key_id: str = ""
    signature: bytes = b""
    issued: str = ""


class MobileIdentity(Protocol):
    """The service that reaches a person's phone. It is a courier: only the phone's signature proves anything."""

    def open(self, *, origin: str, nonce: str, number: str, text: dict[str, str], key_ids: Sequence[str]) -> Ticket:
        """Open a request: for whoever scans the code, or pushed to the phones that hold `key_ids`."""
        ...

    def read(self, ticket: str) -> Approval:
        """The present answer; raises Problem `phone-service-unreachable`."""
        ...


class Mandates(Protocol):
    """Who vouches that somebody may act for another. All raise a Problem, or answer None, when it does not hold."""

    def standing(self, *, subject: str, represented: str, mandate: str) -> Standing:
        """What the mandate allows now; its evidence is not older than a token lives."""
        ...

    def check(self, *, subject: str, represented: str, mandate: str) -> Standing:
        """The same, the evidence asked anew."""
        ...

    def caption(self, *, subject: str, mandate: str) -> Represented | None:
        """Whom it is about, in words; also of one that has ended."""
        ...
