"""Who acts. Every verb of every block takes an Actor, so that permission and trail never guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["citizen", "officer", "system", "public"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, seat or system at work.

    `subject` is the platform's own id of the person (never a national id); `seat` the account's role at `agency`;
    `acting_for` the represented subject under `mandate`; `assurance` the level of sign-in, 0 to 3.
    """

    kind: Kind
    subject: str | None = None
    seat: str | None = None
    system: str | None = None
    agency: str | None = None
    acting_for: str | None = None
    mandate: str | None = None
    assurance: int = 0

    @property
    def label(self) -> str:
        """A name that is safe in logs."""
        return f"{self.kind}:{self.seat or self.system or self.subject or 'anyone'}"

    @classmethod
    def for_system(cls, agency: str, system: str) -> Actor:
        """A program of `agency` acting by itself."""
        return cls("system", system=system, agency=agency)


ANYONE = Actor("public")
