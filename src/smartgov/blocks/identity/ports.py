"""What `identity` needs from outside: the services and helpers by which people prove who they are, the authority
that certified them, and who vouches for mandates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from cryptography import x509

from smartgov.blocks.identity import domain
from smartgov.blocks.identity.domain import Represented, Standing


@dataclass(frozen=True, slots=True)
class Ticket:
    """An open request at the mobile-identity service; `show` is what the QR code on our page holds."""

    id: str
    show: str


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


@dataclass(frozen=True, slots=True)
class Paper:
    """A document to be signed: its name, the digest (SHA-256, hex) that both screens show, and what the key signs."""

    name: str
    digest: str
    to_sign: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page of ours asks a person to prove, and by which way the person wants to be reached.

    `national_id` and `key_ids` name the person where the means must know; `back` is where a helper or an app leads back
    to. With `paper` the key signs the paper and not the challenge.
    """

    origin: str
    nonce: str
    number: str
    text: Mapping[str, str]
    begun: datetime
    until: datetime
    way: str = ""
    back: str = ""
    national_id: str = field(default="", repr=False)
    key_ids: tuple[str, ...] = ()
    paper: Paper | None = None

    def content(self, issued: str = "") -> bytes:
        """The bytes that the person's key has to sign."""
        if self.paper is not None:
            return self.paper.to_sign
        return domain.signed_content(
            origin=self.origin, nonce=self.nonce, number=self.number, text=self.text, issued=issued
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """An open request. `kept` is what reading the answer needs; the rest is for the page: a code to scan, a link that
    opens the app on this device, a form (`form_to`, `form_request`) that asks a helper on this machine, and in a demo
    the place where the person's device is played.
    """

    kept: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    link: str = ""
    form_to: str = ""
    form_request: str = ""
    played_at: str = ""


Reason = Literal["", "cancelled", "expired", "pin-locked", "card-absent", "unknown-person", "not-genuine"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back so far. A given one holds a CMS `message` with the certificate inside, or a bare `signature` with
    the `certificate` (DER) beside it, or one by a key that is known here as `key_id`, made at `issued`.
    """

    state: Literal["waiting", "given", "refused"]
    reason: Reason = ""
    message: bytes = b""
    signature: bytes = b""
    certificate: bytes = b""
    key_id: str = ""
    issued: str = ""


class Means(Protocol):
    """One way in which a person's own key answers. It is a courier: only what the key signed proves anything."""

    pause: int
    """Seconds that its service wants between two looks."""

    def is_ready(self) -> bool:
        """Whether this platform is connected to it."""
        ...

    def open(self, asked: Asked) -> Opened:
        """Open a request; Problem `means-unreachable`. Somebody whom the service does not know gets one without end."""
        ...

    def read(self, kept: Mapping[str, str], delivered: bytes) -> Answer:
        """The present answer; `delivered` is what the person's browser brought, for means that have no service."""
        ...


class Certifier(Protocol):
    """The authority behind the certificates of natural persons."""

    def anchors(self) -> Sequence[x509.Certificate]:
        """Its certificates that this platform trusts; none when it is not connected."""
        ...

    def ocsp(self, question: bytes) -> bytes:
        """Its answer about one certificate; OSError when nobody answers."""
        ...

    def crl(self) -> bytes:
        """Its list in force; OSError when nobody answers."""
        ...

    def confirms(self, number: str, national_id: str) -> bool:
        """Whether the person of its own `number` is the one with that national id; Problem `means-unreachable`."""
        ...
