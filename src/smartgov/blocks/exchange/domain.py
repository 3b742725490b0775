"""Value types of an exchange as the other blocks see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


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


@dataclass(frozen=True, slots=True)
class Member:
    """A member of T-Road; `code` is its agency code."""

    id: str
    code: str
    name: Text
    log_key: dict[str, Any] = field(default_factory=dict)
    log_origin: str = ""


@dataclass(frozen=True, slots=True)
class GatewayHealth:
    """What a gateway says of itself; `problem` is empty when it works."""

    agency: str
    name: Text
    healthy: bool
    log_size: int
    configuration_expires: str
    problem: str = ""


def gateway_unreachable(agency: str) -> Problem:
    """This agency's own gateway does not answer."""
    return Problem(
        "gateway-unreachable",
        503,
        what=Text("The gateway of this agency does not answer.", "本機關的資料交換閘道沒有回應。"),
        why=Text("It is stopped or restarting.", "閘道已停止或正在重新啟動。"),
        todo=Text(
            "Nothing is lost; the work goes on by itself when it is back.", "資料不會遺失，閘道恢復後會自動繼續。"
        ),
        agency=agency,
    )


NOT_FROM_GATEWAY = Problem(
    "not-from-gateway",
    401,
    what=Text("This door is open to the agency's own gateway only.", "這個入口只供本機關的閘道使用。"),
    why=Text("The shared secret of the local hop is missing or wrong.", "缺少或不符本地連線的共用密鑰。"),
    todo=Text("Call the service through T-Road.", "請經由 T-Road 呼叫服務。"),
)
