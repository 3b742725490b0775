"""Names on T-Road: members, gateways, subsystems, services, and the address of one call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import unquote

from smartgov.engines.troad.problems import refuse

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
BUILT_IN = "-"
"""The subsystem name under which a gateway answers by itself."""


@dataclass(frozen=True)
class Target:
    """What a path `/r1/{instance}/{class}/{member}/{subsystem}/{service}/{path}` names."""

    member: str
    subsystem: str
    service: str
    path: str

    @cached_property
    def service_id(self) -> str:
        """`<member>/<subsystem>/<service>`."""
        return f"{self.member}/{self.subsystem}/{self.service}"

    @property
    def built_in(self) -> bool:
        """Whether the gateway itself answers."""
        return self.subsystem == BUILT_IN


@lru_cache(maxsize=1024)
def parse_target(path: str) -> Target:
    """Read the address of a call. Paths that could be read in two ways are refused (Problem `address-invalid`)."""
    parts = path.split("/")
    if len(parts) < 7 or parts[0] or parts[1] != "r1":
        raise refuse("address-invalid")
    instance, group, member, subsystem, service = parts[2:7]
    named = (instance, group, member, service, *(() if subsystem == BUILT_IN else (subsystem,)))
    if not all(_PART.fullmatch(part) for part in named):
        raise refuse("address-invalid")
    rest = parts[7:]
    if any(_ambiguous(part) for part in rest[:-1]) or (rest and rest[-1] and _ambiguous(rest[-1])):
        raise refuse("address-invalid")
    return Target(f"{instance}/{group}/{member}", subsystem, service, "/" + "/".join(rest))


@lru_cache(maxsize=1024)
def member_of(subsystem_or_service: str) -> str:
    """The member that owns a subsystem, service or gateway id."""
    return "/".join(subsystem_or_service.split("/")[:3])


def is_part(text: str) -> bool:
    """Whether `text` may stand between the slashes of an id."""
    return _PART.fullmatch(text) is not None


def is_subsystem(text: str) -> bool:
    """Whether `text` has the form of a subsystem id."""
    parts = text.split("/")
    return len(parts) == 4 and all(map(is_part, parts))


def _ambiguous(segment: str) -> bool:
    plain = unquote(segment)
    return plain in {"", ".", ".."} or any(mark in plain for mark in "/\\?#\0%")


def is_number(text: str, digits: int = 18) -> bool:
    """Whether `int` reads it and a database holds it; other scripts have digits that are no numbers (`²`)."""
    return text.isascii() and text.isdigit() and len(text) <= digits


def epoch_of(origin: str) -> tuple[str, int]:
    """The gateway and the epoch of a log's origin: `TW/GOV/ris/gw1` is the first, `TW/GOV/ris/gw1+2` the second.

    A log that was restored from a backup goes on under a new origin, because its end was seen by others and is lost.
    """
    gateway, plus, number = origin.partition("+")
    if not plus:
        return origin, 1
    return (gateway, int(number)) if is_number(number, 8) and int(number) > 1 else (origin, 1)


def origin_of(gateway: str, epoch: int) -> str:
    """The origin of a gateway's log in this epoch."""
    return gateway if epoch == 1 else f"{gateway}+{epoch}"
