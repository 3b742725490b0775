"""Where what may happen only once is counted: at one gateway of its member, however many the member has.

Each gateway has a log of its own, so a key or a consent that two of them took could be used at both. A key belongs to
the gateway that the member's signed offer names (`once`); a consent for a single use to the one that can open its
reference to the person, which its issuer signed. Neither follows from the order in which the centre lists gateways.
A gateway that has handed over (`handover`) takes neither by the word of the offer under which it did.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from functools import lru_cache
from typing import Any

from smartgov.engines.pki import keys
from smartgov.engines.troad.handover import Given, refuse_given
from smartgov.engines.troad.idempotency import FIELD
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.rights import Ask
from smartgov.engines.troad.snapshot import Member
from smartgov.engines.trust import WAIT

MOVING_SECONDS = 49 * 3600
"""Between the signature that names another gateway and its first key: the longest that anybody may still work by a
configuration of before (a day, and a day of grace), and an hour in which the centre publishes the new one.
"""
LOST_SECONDS = MOVING_SECONDS + int(WAIT.total_seconds())
"""The same where a member's keys were lost: until then some still believe the lost ones, and the word of then."""
_MOST_KEPT = 4096


def asked_at(ask: Ask, token: str, member: Member) -> str:
    """The id of the gateway of `member` that alone can take this call, empty when any may; the token is a trail's.

    Problem `once-elsewhere` for a key when the member names no gateway for keys, or names one in a wrong way.
    """
    if ask.target.built_in:
        named = _opener(token, False) if token else ""
        return named if any(named == one.id for one in member.gateways) else ""
    if ask.consent and (named := _opener(ask.consent, True)):
        return named
    if FIELD not in ask.headers:
        return ""
    if not member.once:
        raise refuse("once-elsewhere", gateway="")
    return member.once


def named(member: Member | None) -> dict[str, Any] | None:
    """The word of a member on it, as its offer repeats it; None when there is none to repeat."""
    if member is None or not member.once:
        return None
    return {"gateway": member.once.rpartition("/")[2], "since": member.once_since}


def in_charge_since(member: Member, here: str) -> int:
    """From when on the gateway `here` takes keys by its member's word (Unix seconds), -1 when it does not."""
    return member.once_since if member.once == here else -1


def refuse_elsewhere(ask: Ask, member: Member, here: str, now: datetime, given: Given | None, begins: float) -> None:
    """At the gateway `here` of `member`: Problem `once-elsewhere` for what counts once and is counted at another one,
    `once-moving` for a key while it is not yet sure that the gateway that took keys before has stopped (until `begins`,
    Unix seconds), `once-handed-over` where this one has handed it over (`given`).
    """
    if ask.consent and (named := _opener(ask.consent, True)):
        if named != here:
            raise refuse("once-elsewhere", gateway=named)
        refuse_given(given, in_charge_since(member, here))
    if FIELD not in ask.headers:
        return
    if member.once != here:
        raise refuse("once-elsewhere", gateway=member.once)
    refuse_given(given, member.once_since)
    if (left := begins - now.timestamp()) > 0:
        raise refuse("once-moving", retry_after=math.ceil(left))


@lru_cache(maxsize=_MOST_KEPT)
def _opener(artefact: str, single: bool) -> str:
    """The gateway that an artefact's reference is encrypted to; with `single` empty unless it is for a single use.

    This only says whom to ask, or that another one is to be asked: what the artefact is worth is judged there.
    """
    try:
        claims = _part(artefact.split(".")[1])
        if single and claims.get("single_use") is not True:
            return ""
        return str(_part(claims["sub_ref"].split(".")[0])["aud"])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return ""


def _part(text: str) -> dict[str, Any]:
    part: dict[str, Any] = json.loads(keys.from_b64url(text))
    return part
