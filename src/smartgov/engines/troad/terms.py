"""The terms under which a service is offered: size, time, rate and quota, and the digest of its OpenAPI document.

They stand in the member's signed offer, so that everybody knows them and nobody but the member can change them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BODY_BYTES = 5 * 2**20
SECONDS = 120
"""T-Road's own limits, in force where a service names none."""
HOPS_SECONDS = 10
"""What two gateways may take beyond the time that the service has."""
MOST_BYTES, MOST_SECONDS = 64 * 2**20, 600
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Terms:
    """`contract` is the SHA-256 (hex) of the OpenAPI document, empty for none; rate and quota 0 mean unlimited.

    `body_bytes` limits each of request and answer, `seconds` the whole time that the service may take.
    """

    contract: str = ""
    body_bytes: int = BODY_BYTES
    seconds: int = SECONDS
    per_minute: int = 0
    per_day: int = 0


def read(entry: Mapping[str, Any]) -> Terms:
    """The terms in a service's entry. ValueError or TypeError when one cannot be meant."""
    limits = entry.get("limits") or {}
    if strange := set(limits) - {"body_bytes", "seconds", "per_minute", "per_day"}:
        raise ValueError(f"unknown limits: {sorted(strange)}")
    terms = Terms(contract=entry.get("contract") or "", **{name: int(value) for name, value in limits.items()})
    if terms.contract and not _DIGEST.fullmatch(terms.contract):
        raise ValueError("a contract is named by its SHA-256")
    if not (0 < terms.body_bytes <= MOST_BYTES and 0 < terms.seconds <= MOST_SECONDS):
        raise ValueError("a service's size or time limit lies outside T-Road's")
    if terms.per_minute < 0 or terms.per_day < 0:
        raise ValueError("a rate is not negative")
    return terms
