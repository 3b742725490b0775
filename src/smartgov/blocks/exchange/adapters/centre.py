"""The centre in force: its keys lie in `centre/trust` of the home folder; gateways on this machine are handed a file.

Keys are read for each publication, so that a process that publishes nothing never has them in its memory. Offers are
signed with the key in each member's own gateway home: here one machine holds them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.blocks.exchange.domain import Published
from smartgov.engines import trust
from smartgov.engines.pki import keys
from smartgov.engines.troad import home as homes_of_gateways
from smartgov.engines.troad import snapshot
from smartgov.shared import homes


class HomeCentre:
    """Publishes into `centre/trust/repository` and puts the bundle into every `gateways/*/`."""

    def publish(
        self, data: Mapping[str, Any], now: datetime, documents: Mapping[str, Mapping[str, bytes]]
    ) -> Published:
        """Files are written atomically; a running gateway takes the bundle up with its next message."""
        snapshot.parse({**data, "version": 0, "expires_at": now.isoformat()})  # nothing unreadable is published
        _hand_out(documents)
        centre = trust.Centre(homes.home() / "centre" / "trust")
        expires = centre.publish(data, member_keys=_member_keys(data), sign=_signed_by_member, now=now)
        bundle = centre.repository.bundle()
        for settings in sorted((homes.home() / "gateways").glob("*/gateway.yaml")):
            homes_of_gateways.set_bundle(settings.parent, bundle)
        return Published(centre.repository.version, expires)


def _hand_out(documents: Mapping[str, Mapping[str, bytes]]) -> None:
    """Put each document into its member's gateway, before an offer names it."""
    for member, listed in documents.items():
        home = homes.gateway_home(member.rsplit("/", 1)[1])
        for digest, document in listed.items():
            if (home / "gateway.yaml").exists() and not (home / "contracts" / digest).exists():
                homes_of_gateways.add_contract(home, document)


def _member_keys(data: Mapping[str, Any]) -> dict[str, ec.EllipticCurvePublicKey]:
    """The first gateway's key signs for its member."""
    found = {}
    for member in data["members"]:
        for gateway in member["gateways"][:1]:
            key = keys.from_jwk(gateway["configuration_key"])
            if not isinstance(key, ec.EllipticCurvePublicKey):
                raise ValueError("configuration keys are on P-256")
            found[member["id"]] = key
    return found


def _signed_by_member(
    *,
    member: str,
    services: list[dict[str, Any]],
    rights: list[dict[str, Any]],
    version: int,
    now: datetime,
    gateways: trust.Vouched,
) -> trust.Offer | None:
    home: Path = homes.gateway_home(member.rsplit("/", 1)[1])
    if not (home / "gateway.yaml").exists():
        return None  # a member elsewhere: its last offer stays in force until it hands in another
    return homes_of_gateways.sign_offer(
        home, member=member, services=services, rights=rights, version=version, now=now, gateways=gateways
    )
