"""A country of two members with a root of three keys, two of which must sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from smartgov.engines.pki import keys
from smartgov.engines.trust import Offer, OnlineKeys, Repository, Rotation, sign_offer, thumbprints
from smartgov.engines.trust import metadata as md

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
RIS, HPA = "TW/GOV/ris", "TW/GOV/hpa"


@dataclass
class Country:
    folder: Path
    roots: list[md.PrivateKey] = field(default_factory=lambda: [keys.generate_p256() for _ in range(3)])
    online: OnlineKeys = field(default_factory=lambda: OnlineKeys(*(keys.generate_p256() for _ in range(3))))
    members: dict[str, md.PrivateKey] = field(default_factory=lambda: {m: keys.generate_p256() for m in (RIS, HPA)})
    anchor: bytes = b""
    gateways: dict[str, dict[str, object]] = field(default_factory=dict)
    """What the centre lists as the gateway `gw1` of a member."""

    def __post_init__(self) -> None:
        self.repository = Repository(self.folder)
        self.anchor = self.repository.create(root_keys=self.roots, threshold=2, online=self.online.public(), now=NOW)

    def offer(self, member: str, *, version: int = 1, now: datetime = NOW, fields: Sequence[str] = ("name",)) -> Offer:
        service = f"{member}/register/people.v1"
        right = {"client": "TW/GOV/ris/cases", "service": service, "fields": list(fields)}
        return sign_offer(
            self.members[member],
            member=member,
            services=[{"id": service}],
            rights=[right],
            version=version,
            now=now,
            gateways={"gw1": thumbprints(self.gateways[member])} if member in self.gateways else None,
        )

    def publish(
        self, *offers: Offer, now: datetime = NOW, rotations: Sequence[Rotation] = (), online: OnlineKeys | None = None
    ) -> bytes:
        self.repository.publish(
            {
                "instance": "TW",
                "members": [
                    {"id": one, "gateways": [self.gateways[one]] if one in self.gateways else []}
                    for one in sorted(self.members)
                ],
            },
            member_keys={member: key.public_key() for member, key in self.members.items()},
            offers=offers or [self.offer(member) for member in self.members],
            keys_online=online or self.online,
            now=now,
            rotations=rotations,
        )
        return self.repository.bundle()


def listed(code: str = "gw1") -> dict[str, object]:
    """A gateway with a message key of its own, as the centre lists it."""
    return {"code": code, "message_key": keys.public_jwk(keys.generate_p256().public_key())}
