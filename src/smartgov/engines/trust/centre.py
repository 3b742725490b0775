"""A centre in one folder: root keys, online keys and the repository, for a country on one machine.

In a real country the root keys lie with different persons on machines of their own, and only their public halves here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from smartgov.engines.pki import keys
from smartgov.engines.trust import metadata as md
from smartgov.engines.trust.offers import Offer, Vouched, thumbprints
from smartgov.engines.trust.repository import OnlineKeys, Repository
from smartgov.engines.trust.rotation import Rotation

ROOT_KEYS, THRESHOLD = 3, 2
_RENEW = timedelta(days=7)  # an offer is signed anew this long before it ends


class SignsOffers(Protocol):
    """Has a member's own key sign what it offers: a file on this machine, or a request to its gateway."""

    def __call__(
        self,
        *,
        member: str,
        services: list[dict[str, Any]],
        rights: list[dict[str, Any]],
        version: int,
        now: datetime,
        gateways: Vouched,
    ) -> Offer | None:
        """The signed offer; None when the member is not at hand, and its last one stays in force.

        `gateways` is what the centre lists for it: the member answers with what it knows to be its own.
        """


class Centre:
    """`keys/root-N.key`, `keys/{targets,snapshot,timestamp}.key` and `repository/` in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.repository = folder, Repository(folder / "repository")

    @classmethod
    def create(cls, folder: Path, now: datetime) -> Centre:
        """Make all keys and the first root."""
        centre = cls(folder)
        for name in [*(f"root-{n + 1}" for n in range(ROOT_KEYS)), *md.ROLES[1:]]:
            keys.save_private(folder / "keys" / f"{name}.key", keys.generate_p256())
        roots = [centre._key(f"root-{n + 1}") for n in range(ROOT_KEYS)]
        online = centre._online().public()
        centre.repository.create(root_keys=roots, threshold=THRESHOLD, online=online, now=now)
        return centre

    @property
    def anchor(self) -> bytes:
        """The first root, with which every gateway is set up."""
        return (self.repository.folder / "1.root.json").read_bytes()

    def publish(
        self,
        data: Mapping[str, Any],
        *,
        member_keys: Mapping[str, md.Key],
        sign: SignsOffers,
        now: datetime,
        rotations: Iterable[Rotation] = (),
        handed: Mapping[str, Offer] | None = None,
    ) -> datetime:
        """Publish the whole configuration `data`; `sign` is asked only for offers that changed or end soon, and where
        the member has `handed` in a newer one that counts what may happen only once at another gateway.
        """
        country = {name: value for name, value in data.items() if name not in {"services", "rights"}}
        offers: list[Offer] = []
        for member in member_keys:
            said = draft(member, data)
            last = self.repository.offer(member)
            moves = last is not None and _moves(last, (handed or {}).get(member))
            if last is None or moves or not _same(last, said, member_keys[member], now):
                version = last.version + 1 if last else 1
                fresh = sign(
                    member=member,
                    services=said["services"],
                    rights=said["rights"],
                    gateways=said["gateways"],
                    version=version,
                    now=now,
                )
                offers += [fresh] if fresh else []
        return self.repository.publish(
            country, member_keys=member_keys, offers=offers, keys_online=self._online(), now=now, rotations=rotations
        )

    def _online(self) -> OnlineKeys:
        return OnlineKeys(*(self._key(role) for role in md.ROLES[1:]))

    def _key(self, name: str) -> md.PrivateKey:
        return keys.load_p256(self.folder / "keys" / f"{name}.key")


def draft(member: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What the centre's register says of `member`, for the member to sign: `services`, `rights` and `gateways`."""
    own = f"{member}/"
    return {
        "member": member,
        "services": [entry for entry in data["services"] if entry["id"].startswith(own)],
        "rights": [entry for entry in data["rights"] if entry["service"].startswith(own)],
        "gateways": {
            gateway["code"]: thumbprints(gateway)
            for entry in data["members"]
            if entry["id"] == member
            for gateway in entry["gateways"]
        },
    }


def _moves(last: Offer, newer: Offer | None) -> bool:
    return newer is not None and newer.version > last.version and newer.body.get("once") != last.body.get("once")


def _same(last: Offer, said: Mapping[str, Any], key: md.Key, now: datetime) -> bool:
    signed_by = json.loads(last.metadata)["signatures"][0]["keyid"]
    # Where a member counts what may happen only once is its own affair: the register does not know it.
    known = {name: value for name, value in last.body.items() if name != "once"}
    return md.compact(said) == md.compact(known) and signed_by == keys.thumbprint(key) and last.ends > now + _RENEW
