"""Events, how often a delivery is tried, and when it is given up. No Django, no I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from typing import Any

from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

# Statuses with which the other side asks to be called again later (RFC 9110, RFC 6585, RFC 8470).
_RETRYABLE = frozenset({409, 425, 429})
MAX_REFUSALS = 5
_LONGEST_WAIT = timedelta(seconds=60)

Fields = type | Mapping[str, Any] | Iterable[str]


@dataclass(frozen=True, slots=True)
class EventKind:
    """A declared event: its past-tense name, the block that emits it, its payload's keys and their version."""

    name: str
    block: str
    fields: frozenset[str]
    version: int = 1


@dataclass(frozen=True, slots=True)
class EmittedEvent:
    """What a listener receives. `aggregate` is the id whose events stay in order; `payload` holds ids only."""

    name: str
    aggregate: str
    payload: dict[str, Any]
    actor: Actor
    id: str


def field_names(declared: Fields) -> frozenset[str]:
    """The payload keys of a declaration: a dataclass, a mapping of key to type, or the bare keys."""
    if isinstance(declared, type):
        if not is_dataclass(declared):
            raise TypeError("an event's fields are a dataclass, a mapping or a list of names")
        return frozenset(field.name for field in fields(declared))
    return frozenset(declared)


def check_payload(kind: EventKind, payload: Mapping[str, Any]) -> None:
    """Refuse a payload with other keys than declared, or with a person's id: outboxes hold our own ids only."""
    if set(payload) != kind.fields:
        raise ValueError(f"event {kind.name} carries {sorted(kind.fields)}, not {sorted(payload)}")
    if national_id.FINDER.search(json.dumps(payload, ensure_ascii=False)):
        raise ValueError(f"event {kind.name} carries a national id; events hold ids of ours only")


def wait_after(attempt: int) -> timedelta:
    """The pause after the `attempt`-th failure: 1 s, 2 s, 4 s ... at most 60 s."""
    return min(timedelta(seconds=2 ** min(attempt - 1, 6)), _LONGEST_WAIT)


def wait_after_refusal(refusal: int) -> timedelta:
    """The pause after the `refusal`-th refusal: 4 s, 16 s, 64 s, 256 s.

    What is refused may only have come too early, before what it belongs to: it is given up after minutes, not seconds.
    """
    return timedelta(seconds=4**refusal)


def is_refusal(error: BaseException) -> bool:
    """Whether trying again cannot help by itself: the other side understood and said no."""
    return isinstance(error, Problem) and 400 <= error.status < 500 and error.status not in _RETRYABLE


def is_dead(*, refusals: int) -> bool:
    """Whether a delivery goes to the dead letters; outages alone never do that, so nothing is lost in a long one."""
    return refusals >= MAX_REFUSALS


def actor_to_json(actor: Actor) -> dict[str, Any]:
    """The stored form of an actor, without empty members."""
    return {field.name: value for field in fields(actor) if (value := getattr(actor, field.name)) not in (None, 0)}


def actor_from_json(stored: Mapping[str, Any]) -> Actor:
    """The actor of a stored form."""
    return Actor(**stored)
