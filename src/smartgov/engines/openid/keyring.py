"""Signing keys with a life: published first, used later, and published still until nothing signed by them counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

AHEAD = timedelta(days=1)
"""How long a key is published before it signs: longer than relying parties keep the key set (`MAX_AGE`)."""
MAX_AGE = timedelta(hours=1)
AFTERWARDS = timedelta(hours=1)
"""How long a retired key stays published: longer than anything that it signed is valid."""


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """One key and its life; `jwk` is the public half. It signs from `not_before` until `retires_at` (None: no end)."""

    kid: str
    jwk: dict[str, Any]
    not_before: datetime
    retires_at: datetime | None = None

    def signs(self, now: datetime) -> bool:
        """Whether it may sign now."""
        return self.not_before <= now and (self.retires_at is None or now < self.retires_at)

    def is_published(self, now: datetime) -> bool:
        """Whether relying parties should know it now."""
        return self.retires_at is None or now < self.retires_at + AFTERWARDS


class Signer(Protocol):
    """Whoever holds the private keys: a file, a hardware module, another process."""

    def plans(self) -> Sequence[KeyPlan]:
        """All keys that are not forgotten."""
        ...

    def sign(self, claims: dict[str, Any], *, kid: str, typ: str) -> str:
        """A compact JWS by the key `kid`."""
        ...


def current(plans: Sequence[KeyPlan], now: datetime) -> KeyPlan:
    """The key to sign with: of those that may, the one that came last."""
    fitting = [plan for plan in plans if plan.signs(now)]
    if not fitting:
        raise Problem(
            "openid-key-missing",
            503,
            what=Text("Sign-in for other services is not available.", "目前無法為其他服務提供登入。"),
            why=Text("No signing key is in force.", "沒有生效中的簽章金鑰。"),
            todo=Text("Tell the operator: `openid_keys` makes one.", "請通知維運人員以 openid_keys 建立。"),
        )
    return max(fitting, key=lambda plan: plan.not_before)


def published(plans: Sequence[KeyPlan], now: datetime) -> dict[str, list[dict[str, Any]]]:
    """The JWK set: present, coming and lately retired keys."""
    return {"keys": [{**plan.jwk, "use": "sig", "alg": "ES256"} for plan in plans if plan.is_published(now)]}
