"""The centre in force: its keys lie in `centre/trust` of the home folder; gateways on this machine are handed a file.

Keys are read for each publication, so that a process that publishes nothing never has them in its memory. Offers are
signed with the key in each member's own gateway home: here one machine holds them all.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.blocks.exchange.adapters import issuing
from smartgov.blocks.exchange.domain import Published
from smartgov.engines import trust
from smartgov.engines.pki import certificates, keys
from smartgov.engines.troad import home as homes_of_gateways
from smartgov.engines.troad import snapshot
from smartgov.shared import homes

_LIST_LIFE = timedelta(hours=24)
"""A new list comes with each publication, at least hourly: a day without one is worth an alarm."""


class HomeCentre:
    """Publishes into `centre/trust/repository` and puts the bundle into every `gateways/*/`."""

    def publish(
        self, data: Mapping[str, Any], now: datetime, documents: Mapping[str, Mapping[str, bytes]]
    ) -> Published:
        """Files are written atomically; a running gateway takes the bundle up with its next message."""
        data, handed = _with_revocations(data, now)
        snapshot.parse({**data, "version": 0, "expires_at": now.isoformat()})  # nothing unreadable is published
        _hand_out(documents)
        centre = trust.Centre(homes.home() / "centre" / "trust")
        expires = centre.publish(
            data,
            member_keys=_member_keys(data),
            sign=handed.sign,
            now=now,
            rotations=handed.rotations,
            handed=handed.offers,
        )
        bundle = centre.repository.bundle()
        for settings in sorted((homes.home() / "gateways").glob("*/gateway.yaml")):
            homes_of_gateways.set_bundle(settings.parent, bundle)
        return Published(centre.repository.version, expires)


@dataclass(frozen=True, slots=True)
class _Handed:
    """What members elsewhere have handed in: their signed offers, and proofs of changed keys."""

    offers: Mapping[str, trust.Offer]
    rotations: tuple[trust.Rotation, ...]

    def sign(
        self,
        *,
        member: str,
        services: list[dict[str, Any]],
        rights: list[dict[str, Any]],
        version: int,
        now: datetime,
        gateways: trust.Vouched,
    ) -> trust.Offer | None:
        """The offer of a member: signed by the key in its home here, or the newest one that it handed in."""
        home: Path = homes.gateway_home(member.rsplit("/", 1)[1])
        if not (home / "gateway.yaml").exists():
            offer = self.offers.get(member)  # None or an older one: its last offer stays in force
            return offer if offer is not None and offer.version >= version else None
        return homes_of_gateways.sign_offer(
            home, member=member, services=services, rights=rights, version=version, now=now, gateways=gateways
        )


def _with_revocations(data: Mapping[str, Any], now: datetime) -> tuple[dict[str, Any], _Handed]:
    """What gateways are told, with the authority for their certificates and its newest revocation list."""
    told = dict(data)
    handed = told.pop("handed_in", {})
    own = issuing.authority()
    for serial, reason in handed.get("revoked", ()):
        own.revoke(int(serial), reason)
    told["anchors"] = [certificates.pem(own.certificate).decode()]
    told["revocation_lists"] = [b64encode(own.crl(life=_LIST_LIFE)).decode()]
    offers = [trust.Offer.of(one) for one in handed.get("offers", ())]
    rotations = tuple(trust.Rotation.of(one) for one in handed.get("rotations", ()))
    return told, _Handed({one.member: one for one in offers}, rotations)


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
