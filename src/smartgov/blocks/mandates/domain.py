"""Mandates: kinds and scopes, states, the ages and registrations that decide who represents whom; no Django, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from smartgov.shared import canonical
from smartgov.shared.clock import TAIPEI
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

RECHECK_AFTER = timedelta(minutes=5)
"""How old a register's word may be while somebody acts by it: as long as a token under a mandate lives."""
OFFER_LIFE = timedelta(days=14)


class State(StrEnum):
    """A mandate's life. Given ones are drafted, offered (signed by the giver) and accepted; others begin active."""

    DRAFT = "draft"
    OFFERED = "offered"
    ACTIVE = "active"
    REFUSED = "refused"
    ENDED = "ended"


FOLLOWS: Mapping[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.OFFERED, State.ENDED}),
    State.OFFERED: frozenset({State.ACTIVE, State.REFUSED, State.ENDED}),
    State.ACTIVE: frozenset({State.ENDED}),
    State.REFUSED: frozenset(),
    State.ENDED: frozenset(),
}


class End(StrEnum):
    """Why a mandate is over."""

    REPRESENTED = "represented"
    REPRESENTATIVE = "representative"
    EXPIRED = "expired"
    BIRTHDAY = "birthday"
    REGISTER = "register"


ENDS: Mapping[End, Text] = {
    End.REPRESENTED: Text("taken back by the represented.", "由本人撤回。"),
    End.REPRESENTATIVE: Text("laid down by the representative.", "由代理人終止。"),
    End.EXPIRED: Text("its time is over.", "期限屆滿。"),
    End.BIRTHDAY: Text("the child has turned 14 and acts alone.", "子女已滿 14 歲，可自行辦理。"),
    End.REGISTER: Text("the register does not confirm it any more.", "登記機關的資料已不再支持此代理關係。"),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """One matter that a mandate may reach."""

    code: str
    title: Text
    permissions: frozenset[str]
    signs_in: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mandate: by a register's `evidence`, or (empty) given by a person for at most `most_days`."""

    code: str
    title: Text
    law: Text
    scope: tuple[str, ...]
    evidence: str = ""
    until_age: int = 0
    most_days: int = 0
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The kinds and scopes of this jurisdiction."""

    kinds: Mapping[str, Kind]
    scopes: Mapping[str, Scope]


def read_catalogue(content: Mapping[str, Any]) -> Catalogue:
    """The parsed `mandates.yaml`; ValueError for a scope that is not described."""
    scopes = {
        code: Scope(code, Text.of(row["title"]), frozenset(row["permissions"]), bool(row.get("signs_in")))
        for code, row in content["scopes"].items()
    }
    kinds = {
        code: Kind(
            code,
            Text.of(row["title"]),
            Text.of(row["law"]),
            tuple(row["scope"]),
            row.get("evidence", ""),
            row.get("until_age", 0),
            row.get("most_days", 0),
            tuple(row.get("excludes", ())),
        )
        for code, row in content["kinds"].items()
    }
    if any(set(kind.scope) - set(scopes) for kind in kinds.values()):
        raise ValueError("a kind of mandate names a scope that is not described")
    return Catalogue(kinds, scopes)


def comes_of_age(born: date, years: int) -> date:
    """The first day on which somebody is `years` old (Civil Code, articles 121 and 124).

    A year of age ends with the day before the birthday; in a year without the 29th of February it ends with the 28th,
    so those born on the 29th are a year older on the 1st of March.
    """
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def start_of(day: date) -> datetime:
    """Midnight in Taipei at which a day begins."""
    return datetime.combine(day, time(), TAIPEI)


@dataclass(frozen=True, slots=True)
class Custody:
    """One registration of parental rights of one parent alone, or of a guardianship."""

    holder: str
    guardianship: bool
    begins: date
    ends: date | None

    def counts(self, on: date) -> bool:
        """Whether it is in force on that day."""
        return self.begins <= on and (self.ends is None or on <= self.ends)


def kind_by_registers(parents: Iterable[str], custody: Sequence[Custody], who: str, on: date) -> str | None:
    """`parent`, `guardian` or None: whether `who` represents a minor or ward with these registrations on that day.

    Both parents do by law; where a registration is in force, only those whom it names.
    """
    counting = [row for row in custody if row.counts(on)]
    if not counting:
        return "parent" if who and who in set(parents) else None
    mine = [row for row in counting if row.holder == who]
    if not mine:
        return None
    return "guardian" if any(row.guardianship for row in mine) else "parent"


def ends_of(kind: Kind, born: date | None, custody_ends: date | None, on: date) -> datetime | None:
    """When a mandate by registers ends by itself; None when it does not.

    A minor from `until_age` to 17 is not represented here at all: the end then lies in the past. From 18 on only a
    guardianship is left, and no birthday ends it.
    """
    ends = [] if custody_ends is None else [start_of(custody_ends + timedelta(days=1))]
    if born is not None and kind.until_age and on < comes_of_age(born, 18):
        ends.append(start_of(comes_of_age(born, kind.until_age)))
    return min(ends) if ends else None


def terms_digest(terms: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a given mandate's terms in canonical JSON: what the giver's passkey signs."""
    return sha256(canonical.dumps(dict(terms))).hexdigest()


@dataclass(frozen=True, slots=True)
class MandateView:
    """A mandate as its two sides see it. `mine` says on which side the reader stands."""

    id: str
    kind: Kind
    state: State
    represented: str
    representative: str
    scope: tuple[Scope, ...]
    begins: datetime | None
    ends: datetime | None
    over: End | None
    over_at: datetime | None
    checked_at: datetime | None
    mine: str
    terms: Mapping[str, Any]
    proof: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The fingerprint of the terms."""
        return terms_digest(self.terms)


def register_silent() -> Problem:
    """A register that has to vouch does not answer: nobody acts on its silence."""
    return Problem(
        "mandate-register-silent",
        503,
        what=Text("Your right to act for another cannot be checked now.", "目前無法查證您的代理權限。"),
        why=Text("The register that vouches for it does not answer.", "負責證明的登記機關系統沒有回應。"),
        todo=Text("Try again in some minutes; until then nobody acts by it.", "請稍候再試；查證前不開放代理。"),
    )


def refused(what: Text, why: Text, todo: Text) -> Problem:
    """Something in a form for a mandate that cannot be."""
    return Problem("mandate-invalid", 422, what=what, why=why, todo=todo)


NEEDS_PASSKEY = Problem(
    "mandate-needs-passkey",
    403,
    what=Text("A mandate is given by a sign-in of level 2 and a passkey.", "委任他人須以二級登入並用通行密鑰核可。"),
    why=Text("It gives somebody power over your matters.", "委任會讓他人處理您的事務。"),
    todo=Text("Make a passkey on your account page, then come back.", "請先到帳號頁建立通行密鑰，再回來辦理。"),
)
