"""Value types of an exchange as the other blocks see it, and of its administration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from smartgov.blocks.exchange.refusals import invalid, unclear
from smartgov.engines.troad.names import is_part
from smartgov.engines.troad.terms import BODY_BYTES, SECONDS
from smartgov.shared import clock
from smartgov.shared.text import Text

PORTAL = "portal"
NAME_LENGTH = 80
"""The longest T-Road id that is registered: a part may have 64 characters, but ids stand in audit entries too."""


class Basis(StrEnum):
    """On which ground a right rests: an article of law, the person's consent, her own request, or no person at all."""

    STATUTE = "statute"
    CONSENT = "consent"
    SUBJECT = "subject"
    NONE = "none"


class Visibility(StrEnum):
    """How the use records of a service appear to the person concerned."""

    OWN = "own"
    THIRD_PERSON_MASKED = "third-person-masked"
    DELAYED = "delayed"
    SEALED = "sealed"


class Ability(StrEnum):
    """What a member's gateway signs for everybody."""

    CONSENT = "consent"
    TOKEN = "token"  # noqa: S105 - a kind of artefact, no secret


class RightState(StrEnum):
    """The life of a right. WITHDRAWN: what it followed from (a service of the catalogue) needs it no more."""

    GRANTED = "granted"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"


class JoinState(StrEnum):
    """The life of a request to join. JOINED: its certificate is made and it is in the register."""

    PENDING = "pending"
    APPROVED = "approved"
    JOINED = "joined"
    REFUSED = "refused"
    EXPIRED = "expired"


class OrderState(StrEnum):
    """The life of a certificate's order."""

    WAITING = "waiting"
    ISSUED = "issued"
    REFUSED = "refused"


class Durability(StrEnum):
    """When an exchange counts as recorded: before it is sent, within milliseconds, or without its body."""

    STRICT = "strict"
    SOON = "soon"
    META = "meta"


class RequestState(StrEnum):
    """The life of a request for a right."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a service allows: bytes of each message, seconds it may take, calls of one client (0: unlimited)."""

    body_bytes: int = BODY_BYTES
    seconds: int = SECONDS
    per_minute: int = 0
    per_day: int = 0

    def named(self) -> dict[str, int]:
        """Those that differ from T-Road's own, as a signed offer words them."""
        return {name: value for name, value in asdict(self).items() if value != getattr(Limits(), name)}


@dataclass(frozen=True, slots=True)
class Settings:
    """How a service is offered, beside its document; `related` are JSON keys that may name further persons."""

    personal: bool = True
    related: tuple[str, ...] = ()
    visibility: str = Visibility.OWN
    visibility_terms: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    durability: str = Durability.STRICT
    retain_days: int | None = None


def settings_in_a_row(settings: Settings) -> dict[str, Any]:
    """Settings by name, each as JSON knows it; limits stand beside the others."""
    return {
        "personal": settings.personal,
        "related": sorted(settings.related),
        "visibility": worded(settings.visibility, settings.visibility_terms),
        "durability": str(settings.durability),
        "retain_days": settings.retain_days,
        **asdict(settings.limits),
    }


@dataclass(frozen=True, slots=True)
class Terms:
    """The words of a right. `client` is a subsystem id, `service` a service id, `fields` None means all of them.

    `basis_code` is a legal basis of the directory; `citation` is how it is cited to people. `visibility` is a class
    with its terms by which the uses under this right appear even later or less than the service's; empty for none.
    """

    client: str
    service: str
    endpoints: tuple[str, ...]
    basis: Basis
    purpose: str
    fields: tuple[str, ...] | None = None
    basis_code: str = ""
    citation: str = ""
    visibility: str = ""
    visibility_terms: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One request of an information system to a service on T-Road.

    `client` is the subsystem that asks (`TW/GOV/ris/cases`); `service` the full service id; `subject` a national id for
    the local hop only; exactly one of `basis` (legal basis code) and `consent` (signed artefact) for personal data.
    """

    client: str
    service: str
    method: str
    path: str
    json: Any = None
    subject: str | None = None
    purpose: str = ""
    basis: str | None = None
    consent: str | None = None
    case: str | None = None
    user: str | None = None
    fields: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and where it is written down: `log_ref` names the provider's log, index and size."""

    status: int
    body: Any
    exchange_id: str
    log_ref: str
    provider: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Inbound:
    """A verified request that this agency's gateway handed in."""

    agency: str
    client_member: str
    client_subsystem: str
    subject: str | None
    exchange_id: str
    purpose: str
    basis: str | None
    consent_id: str | None
    case: str | None


@dataclass(frozen=True, slots=True)
class Published:
    """A configuration that was handed out: its number, and when it ends."""

    version: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Offered:
    """What a block says of a service that it answers on T-Road, beside its operations (`OFFERED` in its `troad.py`).

    `related` are the JSON keys under which a request may name persons other than its subject.
    """

    title: Text
    personal: bool = True
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service in the register of T-Road."""

    id: str
    member: str
    personal: bool


@dataclass(frozen=True, slots=True)
class RightView:
    """Who may call what, on which legal ground, and which fields come back."""

    client: str
    service: str
    endpoints: tuple[str, ...]
    basis: str
    fields: tuple[str, ...]
    purpose: str
    expires_at: datetime | None = None
    basis_code: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of T-Road; `code` is its agency code."""

    id: str
    code: str
    name: Text
    logs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The keys that sign the logs of its gateways, by the gateway's id, which is the log's origin too."""
    witness_keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The keys with which its gateways co-sign the logs of others, by the gateway's id."""


NOTHING = Text("", "")


@dataclass(frozen=True, slots=True)
class GatewayHealth:
    """What a gateway says of itself; `problem` is empty when it works.

    `elsewhere`: it runs on another machine, where its own operator asks it; here it says nothing.
    """

    agency: str
    name: Text
    healthy: bool
    log_size: int
    configuration_expires: str
    problem: Text = NOTHING
    todo: Text = NOTHING
    elsewhere: bool = False
    passed_over: tuple[str, ...] = ()
    """Gateways of other members round which its calls go now, because they cannot be reached or do not work."""
    alarms: tuple[str, ...] = ()
    """Its other alarms, by name, as the operator's manual lists them."""
    answers: bool = False
    """Whether it answered at all: one that does and is not healthy refuses exchanges, and `problem` says why."""
    maintenance: bool = False
    handed_over: str = ""
    """The gateway to which it has handed over what may happen only once, until its member's offer says so."""


VISIBILITY = Text("The visibility", "顯示方式")
LONGEST_DELAY = 3650
"""Days after which a delayed use appears at the latest."""


def check_visibility(kind: str, terms: Mapping[str, Any], today: date) -> None:
    """Problem `registration-invalid` for a class that nobody could keep: a delay has days or a date, a seal an end."""
    if kind not in [*Visibility]:
        raise invalid(VISIBILITY, f"{kind!r} is none of {', '.join(Visibility)}")
    if kind == Visibility.DELAYED and not (terms.get("days") or terms.get("until")):
        raise unclear("A delay has days, or the date from which uses appear.", "延後顯示須填寫天數或起始日。")
    if kind == Visibility.SEALED and not (str(terms.get("order", "")).strip() and terms.get("until")):
        raise unclear("A seal has the number of its order and its end.", "依令保密須填寫命令文號與結束日。")
    if "days" in terms and not 0 < int(terms["days"]) <= LONGEST_DELAY:
        raise unclear(f"A delay has 1 to {LONGEST_DELAY} days.", f"延後天數為 1 至 {LONGEST_DELAY} 日。")
    if "until" in terms and date.fromisoformat(str(terms["until"])) <= today:
        raise unclear("Its end is not in the future.", "結束日須在未來。")


def terms_of(kind: str, *, days: int | None, until: date | None, order: str) -> dict[str, Any]:
    """The terms that a class has, of all that a form holds."""
    found: dict[str, Any] = {}
    if kind == Visibility.DELAYED and days:
        found["days"] = days
    if kind in {Visibility.DELAYED, Visibility.SEALED} and until:
        found["until"] = until.isoformat()
    if kind == Visibility.SEALED and order.strip():
        found["order"] = order.strip()[:120]
    return found


def worded(kind: str, terms: Mapping[str, Any]) -> str | dict[str, Any]:
    """A class with its terms as a signed offer words it."""
    return {"class": str(kind), **terms} if terms else str(kind)


def end_of(day: date) -> datetime:
    """The instant at which a civil day in Taiwan ends."""
    return datetime.combine(day + timedelta(days=1), time(), clock.TAIPEI)


_SERVICE_PARTS = 5


def check_name(name: str, parts: int, what: Text) -> str:
    """A T-Road id of so many parts (3 a member, 4 a subsystem or gateway, 5 a service); else `registration-invalid`."""
    given = name.split("/")
    if len(given) != parts or len(name) > NAME_LENGTH or not all(is_part(part) for part in given):
        why = Text(
            f"{name[:NAME_LENGTH]}: {parts} parts of letters, digits, '.', '_', '-', at most {NAME_LENGTH} characters",
            f"{name[:NAME_LENGTH]}：須為 {parts} 段英文字母、數字或「.」「_」「-」，全長至多 {NAME_LENGTH} 字元",
        )
        raise invalid(what, why, field="code" if parts == _SERVICE_PARTS else "")
    return name
