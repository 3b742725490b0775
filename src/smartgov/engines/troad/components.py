"""Which parts of a message a signature covers: the names of our profile, and how its base is written from them.

What follows from the names alone (which fields travel, in which order they are signed, the lines of the base) is found
out once for each set of names and kept: two gateways use few of them, over and over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

REQUIRED = ("@method", "@authority", "@path", "@query", "troad-body", "x-road-client", "x-road-id", "troad-receiver")
FORWARDED = (
    "accept",
    "accept-language",
    "cache-control",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-road-represented-party",
)
"""Fields of the information system that travel, signed, to the service."""
OPTIONAL = (
    "content-type",
    "troad-subject",
    "troad-purpose",
    "troad-basis",
    "troad-consent",
    "troad-trail-token",
    "troad-fields",
    "x-road-issue",
    "x-road-userid",
    *FORWARDED,
)
ANSWER_REQUIRED = ("@status", "troad-body")
ANSWER_OPTIONAL = (
    "content-type",
    "content-language",
    "cache-control",
    "etag",
    "last-modified",
    "location",
    "retry-after",
    "troad-refusal",
    "troad-log",
)
BOUND = ("@method", "@authority", "@path", "@query", "troad-body", "x-road-id", "signature-input")
"""The parts of its request that every answer covers (`;req`), so that two answers cannot be swapped."""
USER_FIELD = re.compile(r"x-(?!road-|troad-|forwarded|real-ip|request-id)[a-z0-9-]{1,60}")
"""Fields that the two information systems agree on among themselves: they travel too, signed like the others."""
MAX_USER_FIELDS = 16
DERIVED = ("@method", "@authority", "@path", "@query")
_PART = re.compile(r'"([@a-z0-9-]+)"(;req)?')
Names = tuple[str, ...]


def forwarded(fields: Mapping[str, str]) -> Names:
    """Names of the information system's own fields that travel to the service."""
    return order(fields).forwarded


def passed(fields: Mapping[str, str]) -> dict[str, str]:
    """Those of an answer's fields that travel, signed."""
    return {name: fields[name] for name in order(fields).passed}


def user_fields(fields: Mapping[str, str]) -> Names:
    """Names of the fields that the information systems added, in order; the first `MAX_USER_FIELDS` of them."""
    return order(fields).user


def of_request(text: str) -> Names | None:
    """The components that a request's signature lists, or None when they are not those of our profile."""
    return _cached(_request_names, text)


def of_answer(text: str) -> Names | None:
    """An answer's own components, before those of its request, or None when they are not those of our profile."""
    return _cached(_answer_names, text)


def _allowed(others: set[str]) -> bool:
    return len(others) <= MAX_USER_FIELDS and all(USER_FIELD.fullmatch(name) for name in others)


_LONGEST_KEPT = 2000
"""Characters of a component list that is kept as read: two gateways use few, and a stranger shall not fill memory."""


def _cached(read: Callable[[str], Names | None], parts: str) -> Names | None:
    if len(parts) > _LONGEST_KEPT:
        return read(parts)
    return _kept(read, parts)


@lru_cache(maxsize=1024)
def _kept(read: Callable[[str], Names | None], parts: str) -> Names | None:
    return read(parts)


def _request_names(text: str) -> Names | None:
    parts = _parts(text)
    names = tuple(name for name, of_request in parts if not of_request)
    missing = set(REQUIRED) - set(names)
    known = not missing and _allowed(set(names) - set(REQUIRED) - set(OPTIONAL))
    return names if known else None


def _answer_names(text: str) -> Names | None:
    parts = _parts(text)
    own = tuple(name for name, of_request in parts if not of_request)
    if not set(ANSWER_REQUIRED) <= set(own) or parts[len(own) :] != [(name, True) for name in BOUND]:
        return None
    return own if _allowed(set(own) - set(ANSWER_REQUIRED) - set(ANSWER_OPTIONAL)) else None


def _parts(text: str) -> list[tuple[str, bool]]:
    """The listed components; none when the list has another form or names one twice."""
    found = []
    for item in text.split(" "):
        match = _PART.fullmatch(item)
        if match is None or (match[1], bool(match[2])) in found:
            return []
        found.append((match[1], bool(match[2])))
    return found


@lru_cache(maxsize=1024)
def quoted(names: Names, bound: int) -> str:
    """The component list of these names, of which the last `bound` are the request's."""
    first = len(names) - bound
    return " ".join(f'"{name}"{";req" if at >= first else ""}' for at, name in enumerate(names))


class Order(NamedTuple):
    """What follows from the names of a message's fields, in the order in which they stand there."""

    user: Names
    forwarded: Names
    passed: Names
    request: Names
    answer: Names

    @classmethod
    def of(cls, names: Names) -> Order:
        """Find them out."""
        own = (name for name in names if name[:2] == "x-" and name[:7] != "x-road-" and USER_FIELD.fullmatch(name))
        user = tuple(sorted(own)[:MAX_USER_FIELDS])
        passed = (*(name for name in ANSWER_OPTIONAL if name in names), *user)
        return cls(
            user=user,
            forwarded=(*(name for name in ("content-type", *FORWARDED) if name in names), *user),
            passed=passed,
            request=(*REQUIRED, *(name for name in OPTIONAL if name in names), *user),
            answer=(*ANSWER_REQUIRED, *passed),
        )


_orders: dict[Names, Order] = {}
_ORDERS_KEPT = 256


def order(fields: Mapping[str, str]) -> Order:
    """Of these fields. Systems send the same few over and over, so what was found out is kept."""
    names = tuple(fields)
    found = _orders.get(names)
    if found is None:
        found = Order.of(names)
        if sum(map(len, names)) <= _LONGEST_KEPT:
            if len(_orders) >= _ORDERS_KEPT:
                _orders.clear()
            _orders[names] = found
    return found


class Form(NamedTuple):
    """How a signature base is written from a message with these components."""

    text: str
    """Its lines, with a place for each value and one for the parameters."""
    names: Names
    """The header fields among its components."""
    take: Callable[[Mapping[str, str]], tuple[str, ...]]
    """Their values; KeyError when one is missing."""
    order: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None
    """Puts the values of the derived components and then the fields into the order of the lines, if it is another."""


@lru_cache(maxsize=1024)
def form(names: Names, derived: Names, bound: Names = ()) -> Form:
    """Of the components `names`, `derived` and header fields in any order; `bound` are parts of an answer's request."""
    fields = tuple(name for name in names if name not in derived)
    lines = [*(f'"{name}": %s' for name in names), *(f'"{name}";req: %s' for name in bound)]
    given = (*derived, *fields)
    order = None if given == names else _getter(tuple(map(given.index, names)))
    return Form("\n".join([*lines, '"@signature-params": %s']), fields, _getter(fields), order)


def _getter(keys: tuple[Any, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes these keys, or these places, out of something as a tuple, however few they are."""
    return itemgetter(*keys) if len(keys) > 1 else lambda whole: tuple(whole[key] for key in keys)
