"""Members' own keys as a reader of evidence knows them from elsewhere, and whether a configuration keeps to them.

The list of members is signed by the centre. A gateway remembers each member's key and takes another one only with
proof; a reader years later remembers nothing, and knows a member's key only when it lies among the reader's anchors.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from tuf.api.metadata import Root

from smartgov.engines.trust.rotation import Rotation, handed_over
from smartgov.shared import canonical

FILE, TYPE = "members.json", "troad-members-v1"
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


class Held(Enum):
    """What a configuration's key for a member is, to whoever holds a pin of that member."""

    KEPT = "the pin, or a key that it handed over to"
    BY_ROOT = "a key that only root keys put in its place"
    UNKNOWN = "another one, from before the first pin"
    FALSE = "another one"


@dataclass(frozen=True, slots=True)
class Pin:
    """Known to be the member's key from `since` (Unix seconds) on, by its thumbprint."""

    key: str
    since: float


@dataclass(frozen=True, slots=True)
class Pins:
    """Pins by member, growing; `only`: members without one witness nothing."""

    members: Mapping[str, tuple[Pin, ...]]
    only: bool = False

    @classmethod
    def read(cls, anchors: Path) -> Pins:
        """Of a folder of anchors; none where it has no such file. ValueError when the file has another form."""
        path = anchors / FILE
        return cls.of(path.read_text()) if path.exists() else cls({})

    @classmethod
    def of(cls, text: str) -> Pins:
        """Read `text`; ValueError when it has another form: what cannot be read must not be taken for no pins."""
        try:
            said = canonical.once(text)
            fits = said["type"] == TYPE and set(said) == {"type", "witnesses", "members"}
            pins = {str(member): tuple(map(_pin, given)) for member, given in said["members"].items()}
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{FILE} has another form") from error
        growing = all(given and list(given) == sorted(given, key=lambda one: one.since) for given in pins.values())
        if not fits or not growing or said["witnesses"] not in {"any", "named"}:
            raise ValueError(f"{FILE} has another form")
        return cls(pins, said["witnesses"] == "named")

    def write(self, anchors: Path, moment: Callable[[float], str]) -> None:
        """Put them in a folder of anchors; `moment` words a time."""
        members = {
            member: [{"key": pin.key, "from": moment(pin.since)} for pin in given]
            for member, given in sorted(self.members.items())
        }
        text = json.dumps({"type": TYPE, "witnesses": "named" if self.only else "any", "members": members}, indent=1)
        anchors.mkdir(parents=True, exist_ok=True)
        draft = anchors / f".{FILE}.draft"
        draft.write_text(f"{text}\n")
        draft.replace(anchors / FILE)

    def began(self, issued: float) -> set[str]:
        """The members that have a pin by this time."""
        return {member for member, given in self.members.items() if given[0].since <= issued}

    def judge(self, member: str, listed: str, issued: float, statements: Iterable[Rotation], root: Root) -> Held:
        """The key `listed` for a pinned member by a configuration of this time with these statements."""
        given = self.members[member]
        at = bisect_right([pin.since for pin in given], issued) - 1
        if at < 0 and listed != given[0].key:
            return Held.UNKNOWN
        own = [one for one in statements if one.member == member]
        reached = handed_over({given[max(at, 0)].key}, own, Rotation.by_carried_key)
        if listed in reached:
            return Held.KEPT
        reached = handed_over(reached, own, lambda one: one.by_carried_key() or one.by_root(root))
        return Held.BY_ROOT if listed in reached else Held.FALSE


def _pin(given: Mapping[str, Any]) -> Pin:
    since = datetime.fromisoformat(given["from"])
    if set(given) != {"key", "from"} or not _THUMBPRINT.fullmatch(given["key"]) or since.tzinfo is None:
        raise ValueError("a pin has a thumbprint and a time with its offset")
    return Pin(given["key"], int(since.timestamp()))  # as configurations are dated
