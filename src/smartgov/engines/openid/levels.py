"""Levels of assurance: what a sign-in was worth, and what to do when a relying party asks for more.

The levels are NIST SP 800-63B's AAL1 to AAL3; `phr` and `phrh` are OpenID's Extended Authentication Profile.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from smartgov.engines.openid.model import Authentication

AAL1, AAL2, AAL3 = (f"urn:smartgov:acr:aal{level}" for level in (1, 2, 3))
PHR, PHRH = "phr", "phrh"
SUPPORTED = (AAL1, AAL2, AAL3, PHR, PHRH)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`met`: the answer carries `acr`. `step-up`: sign in again so as to reach `acr`. `unmet`: refuse."""

    kind: Literal["met", "step-up", "unmet"]
    acr: str = ""


def satisfies(event: Authentication, acr: str) -> bool:
    """Whether the sign-in is worth `acr`. A sign-in approved on another device never is phishing-resistant."""
    if acr == PHR:
        return event.phishing_resistant and not event.remote
    if acr == PHRH:
        return event.phishing_resistant and event.hardware and not event.remote
    needed = {AAL1: 1, AAL2: 2, AAL3: 3}.get(acr)
    if needed is None:
        return False
    # AAL3 itself demands resistance to phishing and a key in hardware (SP 800-63B section 2.3).
    return event.level >= needed and (needed < 3 or satisfies(event, PHRH))


def reached(event: Authentication) -> str:
    """The plain level of a sign-in, for a relying party that asked for none."""
    return next(acr for acr in (AAL3, AAL2, AAL1) if acr == AAL1 or satisfies(event, acr))


def decide(wanted: tuple[str, ...], event: Authentication, reachable: Collection[str], *, essential: bool) -> Verdict:
    """Take the first of `wanted`, in the relying party's order, that is met now or reachable by signing in again.

    Never the lowest in silence: a later wish counts only when the earlier cannot be satisfied at all. When none can,
    an essential request is refused and a voluntary one is told the level that there is.
    """
    for acr in wanted:
        if satisfies(event, acr):
            return Verdict("met", acr)
        if acr in reachable:
            return Verdict("step-up", acr)
    if wanted and essential:
        return Verdict("unmet")
    return Verdict("met", reached(event))
