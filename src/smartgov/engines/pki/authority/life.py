"""The life of one certificate: its states, what may follow what, and how long each profile lives. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_YEAR = timedelta(days=365)


class State(StrEnum):
    """Where a certificate stands. `ISSUED` is signed but still on hold: its holder has not proved to have the key."""

    REQUESTED = "requested"
    PROVED = "proved"
    REJECTED = "rejected"
    ISSUED = "issued"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"


STATES: dict[State, Text] = {
    State.REQUESTED: Text("Requested", "已申請"),
    State.PROVED: Text("Identity proved", "身分已查驗"),
    State.REJECTED: Text("Rejected", "不予核發"),
    State.ISSUED: Text("Issued, to be activated", "已簽發，待啟用"),
    State.ACTIVE: Text("In force", "有效"),
    State.SUSPENDED: Text("Suspended", "暫時停用"),
    State.REVOKED: Text("Revoked", "已廢止"),
    State.EXPIRED: Text("Expired", "已到期"),
}
_STEPS: dict[str, tuple[frozenset[State], State]] = {
    "prove": (frozenset({State.REQUESTED}), State.PROVED),
    "reject": (frozenset({State.REQUESTED, State.PROVED}), State.REJECTED),
    "issue": (frozenset({State.PROVED}), State.ISSUED),
    "activate": (frozenset({State.ISSUED}), State.ACTIVE),
    "suspend": (frozenset({State.ACTIVE}), State.SUSPENDED),
    "resume": (frozenset({State.SUSPENDED}), State.ACTIVE),
    "revoke": (frozenset({State.ISSUED, State.ACTIVE, State.SUSPENDED}), State.REVOKED),
    "expire": (frozenset({State.ISSUED, State.ACTIVE, State.SUSPENDED}), State.EXPIRED),
}
REASONS: dict[str, Text] = {
    "keyCompromise": Text("The key may be in other hands", "金鑰可能遭他人取得"),
    "affiliationChanged": Text("The holder's name or office changed", "持有人姓名或職務異動"),
    "superseded": Text("A newer certificate replaces it", "已由新憑證取代"),
    "cessationOfOperation": Text("It is no longer needed", "不再需要"),
    "privilegeWithdrawn": Text("The right to it was withdrawn", "使用資格已撤銷"),
}
"""Why a certificate may be revoked here, by the names of RFC 5280; compromise of an authority is not for officers."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of certificate: its usage, first life, and the one extension that its holder may ask for.

    `proof_level` is what the identity proof has to reach (0 to 3). `four_eyes` asks that whoever issues did not prove.
    """

    usage: str
    life: timedelta
    extension: timedelta = timedelta(0)
    proof_level: int = 2
    four_eyes: bool = True


PROFILES: dict[str, Profile] = {
    # As the natural person's certificate: five years, once three more for the same key.
    "person": Profile("mobile", 5 * _YEAR, 3 * _YEAR),
    "seal": Profile("seal", 5 * _YEAR, 3 * _YEAR, proof_level=3),
    "gateway": Profile("tls", _YEAR, proof_level=3),
}
EXTENSION_WINDOW = timedelta(days=60)
"""How long before its end a certificate may be extended; after it, only a renewal with a new key is left."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How the holder's identity was proved: the way, who looked, when, the level reached, and where that is on file."""

    method: str
    by: str
    at: datetime
    level: int
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One certificate in its life. Names are what stands in the certificate; `holder` is an opaque id, never a number
    that the state gave a person. `renews` is the record that this one replaces.
    """

    id: str
    profile: str
    holder: str
    common_name: str
    organisation: str
    public_key: str
    """Base64 of the DER SubjectPublicKeyInfo."""
    state: State
    asked_by: str
    asked_at: datetime
    proof: Proof | None = None
    serial: int | None = None
    certificate: str = ""
    """The PEM, once it is issued."""
    not_after: datetime | None = None
    held_at: datetime | None = None
    revoked_at: datetime | None = None
    reason: str = ""
    renews: str = ""
    extension_of: str = ""
    challenge: str = field(default="", repr=False)

    @property
    def is_extension(self) -> bool:
        """Whether its life is the one extension; there is no second."""
        return bool(self.extension_of)


def after(step: str, state: State) -> State:
    """The state that `step` leads to; Problem `certificate-step` (409) when it may not follow `state`."""
    before, then = _STEPS[step]
    if state not in before:
        raise Problem(
            "certificate-step",
            409,
            what=Text("This cannot be done with the certificate now.", "憑證目前的狀態不能執行此操作。"),
            why=Text(f"It is: {STATES[state].en}.", f"目前狀態：{STATES[state].zh}。"),
            todo=Text("Look at it again; somebody else may have acted.", "請重新檢視，可能已由他人處理。"),
            state=str(state),
            step=step,
        )
    return then


def steps_from(state: State) -> list[str]:
    """What may be done next."""
    return [step for step, (before, _) in _STEPS.items() if state in before]


def to_json(record: Record) -> dict[str, Any]:
    """The record as JSON; instants in ISO 8601, the serial as text because it is larger than JSON's numbers."""
    found = asdict(record)
    for name in ("asked_at", "not_after", "held_at", "revoked_at"):
        found[name] = found[name].isoformat() if found[name] else None
    if record.proof:
        found["proof"]["at"] = record.proof.at.isoformat()
    found["serial"] = None if record.serial is None else str(record.serial)
    return found


def from_json(data: Mapping[str, Any]) -> Record:
    """A record from `to_json`'s form; members that it does not know are passed over."""
    found = {one.name: data[one.name] for one in fields(Record) if one.name in data}
    for name in ("asked_at", "not_after", "held_at", "revoked_at"):
        found[name] = _instant(found.get(name))
    if found.get("proof"):
        found["proof"] = Proof(**{**found["proof"], "at": _instant(found["proof"]["at"])})
    found["serial"] = None if found.get("serial") is None else int(found["serial"])
    return Record(**{**found, "state": State(found["state"])})


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
