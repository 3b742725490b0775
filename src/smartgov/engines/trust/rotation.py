"""The change of a member's key: by its old key at once, or by the threshold of root keys after 72 hours.

The 72 hours run from the moment a gateway first sees the statement: a day that its signers write into it proves
nothing.

Whoever holds the centre's online keys could list another key for a member and then write rights in its name. A
gateway therefore believes a new key only with proof, and says aloud when the proof is not the member's own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from tuf.api.metadata import Key, Root, Targets

from smartgov.engines.pki import keys
from smartgov.engines.trust import metadata as md

WAIT = timedelta(hours=72)
FIELD = "x-member-rotations"


@dataclass(frozen=True, slots=True)
class Rotation:
    """A statement that `member` signs with key `new` instead of `old` from `at` on; signatures by key id, base64url.

    `old_key`, the old key itself (JWK), is proven by `old`, its thumbprint: who knows no more than that can follow.
    """

    member: str
    old: str
    new: str
    at: datetime
    signatures: Mapping[str, str]
    old_key: Mapping[str, str] | None = None

    @classmethod
    def make(cls, *, member: str, old: md.Key, new: md.Key, at: datetime, by: Iterable[md.PrivateKey]) -> Rotation:
        """The statement signed by these keys: the old one, or a threshold of root keys."""
        at, jwk = md.whole_seconds(at), keys.public_jwk(old)
        made = cls(member, keys.thumbprint(old), keys.thumbprint(new), at, {}, jwk)
        for key in by:
            made = made.signed(key)
        return made

    def signed(self, key: md.PrivateKey) -> Rotation:
        """The same statement with one more signature."""
        mark = {keys.thumbprint(key.public_key()): keys.b64url(keys.sign(key, self.text()))}
        return replace(self, signatures={**self.signatures, **mark})

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Rotation:
        """Read `as_json`."""
        at = datetime.fromisoformat(data["at"])
        return cls(data["member"], data["old"], data["new"], at, dict(data["signatures"]), data.get("old_key"))

    def as_json(self) -> dict[str, Any]:
        """The form in which the centre's metadata carry it."""
        carried = {"old_key": dict(self.old_key)} if self.old_key else {}
        return {**self._bare(), **carried, "signatures": dict(self.signatures)}

    def text(self) -> bytes:
        """What is signed."""
        return b"troad-key-rotation-v1\n" + md.compact(self._bare())

    def by_old_key(self, old: md.Key) -> bool:
        """Whether the member's own last key signed it."""
        return keys.thumbprint(old) == self.old and self._holds(self.old, old)

    def by_carried_key(self) -> bool:
        """Whether the old key that stands in the statement is the old key, and signed it."""
        try:
            old = keys.from_jwk(dict(self.old_key or {}))
        except (ValueError, TypeError):
            return False
        return isinstance(old, md.Key) and self.by_old_key(old)

    def by_root(self, root: Root) -> bool:
        """Whether a threshold of the root's keys signed it."""
        role = root.roles[Root.type]
        good = [kid for kid in role.keyids if self._holds(kid, public_key(root.keys[kid]))]
        return len(good) >= role.threshold

    def _holds(self, kid: str, key: md.Key) -> bool:
        try:
            return keys.verify(key, keys.from_b64url(self.signatures[kid]), self.text())
        except (KeyError, ValueError, AttributeError):  # none, or no text
            return False

    def _bare(self) -> dict[str, str]:
        return {"member": self.member, "old": self.old, "new": self.new, "at": self.at.isoformat()}


def statements(top: Targets) -> Iterator[Rotation]:
    """Those in the metadata that can be read; the others prove nothing."""
    for entry in top.unrecognized_fields.get(FIELD) or ():
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
            found = Rotation.of(entry)
            if {type(part) for part in (found.member, found.old, found.new)} == {str}:
                yield found


def handed_over(start: set[str], said: Iterable[Rotation], proven: Callable[[Rotation], bool]) -> set[str]:
    """The keys to which proven statements of one member lead, one after another, from those of `start` on."""
    reached, left = set(start), list(said)
    while following := [one for one in left if one.old in reached]:
        left = [one for one in left if one.old not in reached]
        reached |= {one.new for one in following if proven(one)}
    return reached


def public_key(listed: Key) -> md.Key:
    """The key that metadata list; ValueError when it is not on P-256."""
    key = load_pem_public_key(listed.keyval["public"].encode())
    if not isinstance(key, md.Key):
        raise ValueError("keys of metadata are on P-256")
    return key
