"""What `identity` needs from outside: the service behind people's phones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


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


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a phone that is being enrolled has answered: its public key, and its signature over the invitation."""

    state: Literal["waiting", "approved", "refused"]
    jwk: dict[str, str] | None = None
    signature: bytes = b""
    issued: str = ""


class PhoneEnrolment(Protocol):
    """Invites a new phone, whose key nobody knows yet, to show its key and that it holds it."""

    def invite(self, *, origin: str, nonce: str, number: str, text: dict[str, str]) -> Ticket:
        """Open an invitation for whoever scans its code."""
        ...

    def enrolled(self, ticket: str) -> Enrolment:
        """The present answer."""
        ...


class MobileIdentity(Protocol):
    """The service that reaches a person's phone. It is a courier: only the phone's signature proves anything."""

    def open(self, *, origin: str, nonce: str, number: str, text: dict[str, str], key_ids: Sequence[str]) -> Ticket:
        """Open a request: for whoever scans the code, or pushed to the phones that hold `key_ids`."""
        ...

    def read(self, ticket: str) -> Approval:
        """The present answer; raises Problem `phone-service-unreachable`."""
        ...
