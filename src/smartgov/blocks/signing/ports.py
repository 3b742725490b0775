"""What `signing` needs from outside: the person's phone, the certification authority, the time-stamping authority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from smartgov.engines.pki.authority import Record
from smartgov.engines.pki.authority.trail import Entry
from smartgov.engines.pki.keys import PublicKey


@dataclass(frozen=True, slots=True)
class Answer:
    """What the phone has answered so far; `signature` (DER) is its own key's over the approval, `outcome` its work."""

    state: Literal["waiting", "approved", "refused"]
    key_id: str = ""
    signature: bytes = b""
    issued: str = ""
    outcome: Mapping[str, str] = field(default_factory=dict)


class Phone(Protocol):
    """The service that reaches a person's phone."""

    def ask(
        self, *, origin: str, nonce: str, number: str, text: Mapping[str, str], key_id: str, task: Mapping[str, str]
    ) -> tuple[str, str]:
        """Push a task to the phone that holds `key_id`; returns the ticket and, in a demo, where the phone lies."""

    def read(self, ticket: str) -> Answer:
        """The present answer; raises Problem `phone-service-unreachable`."""


class Authority(Protocol):
    """The certification authority's local doors (`engines.authority.Client` is one)."""

    def request(self, csr: str, **facts: str) -> Record:
        """Hand in a request."""

    def step(self, record: str, step: str, *, by: str, **detail: Any) -> Record:
        """One step of a certificate's life."""

    def get(self, record: str) -> Record:
        """One record."""

    def records(self, *, state: str = "", holder: str = "") -> Sequence[Record]:
        """Records, newest first."""

    def trail(self) -> Sequence[Entry]:
        """Everything that was done."""

    def trail_key(self) -> PublicKey:
        """The key that signs the trail."""

    def certificate(self) -> bytes:
        """The authority's own certificate (PEM)."""

    def crl(self) -> bytes:
        """The list in force (DER)."""

    def ocsp(self, question: bytes) -> bytes:
        """The answer to a DER question."""


class Mandates(Protocol):
    """Whoever keeps mandates: asked when a signature says that it was made on behalf of another."""

    def word(self, *, mandate: str, represented: str, holder: str, at: datetime) -> Literal["held", "not-held"]:
        """Whether `mandate` let the signer act for `represented` (a name, as the signature says it) at `at`.

        `holder` is the signer's pseudonym in the certificate (`signing.holder_of` of a subject). What raises a Problem
        is not known.
        """


class Clocktower(Protocol):
    """The time-stamping authority."""

    def stamp(self, request: bytes) -> bytes:
        """The DER answer to a DER request; OSError when nobody answers."""

    def root(self) -> bytes:
        """The certificate (PEM) under which its stamps are trusted."""
