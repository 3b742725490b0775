"""An offer: a member's services, the rights it grants to them and its gateways' keys, signed with its own key.

The keys stand there so that nobody else can list a gateway in its name: whoever holds the centre's online keys could
otherwise put another message key beside the member's name and ask with its rights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, TargetFile, Targets

from smartgov.engines.pki import certificates, keys
from smartgov.engines.trust import metadata as md
from smartgov.engines.trust.problems import offer_invalid

Vouched = Mapping[str, Mapping[str, str]]
"""Code of a gateway to the thumbprints of its keys."""
_KEYS = ("message_key", "reference_key", "log_key", "witness_key")


@dataclass(frozen=True, slots=True)
class Offer:
    """The signed metadata of a member and the content it covers, as bytes: nothing is written anew on the way."""

    member: str
    metadata: bytes
    content: bytes

    @property
    def version(self) -> int:
        """Grows with every change."""
        return int(self._signed().version)

    @property
    def ends(self) -> datetime:
        """When it ends by itself."""
        return self._signed().expires

    @property
    def target(self) -> TargetFile:
        """Path, length and hash of the content as the member signed them."""
        return self._signed().targets[md.path_of(self.member)]

    @property
    def body(self) -> dict[str, Any]:
        """`member`, `services` and `rights`, as the signed configuration words them."""
        found: dict[str, Any] = json.loads(self.content)
        return found

    def as_json(self) -> dict[str, str]:
        """The form in which a gateway hands an offer to the centre."""
        return {"member": self.member, "metadata": self.metadata.decode(), "content": self.content.decode()}

    def _signed(self) -> Targets:
        return Metadata[Targets].from_bytes(self.metadata).signed

    @classmethod
    def of(cls, data: Mapping[str, str]) -> Offer:
        """Read `as_json`; Problem `offer-invalid` when a part is missing."""
        try:
            return cls(data["member"], data["metadata"].encode(), data["content"].encode())
        except (KeyError, AttributeError) as error:
            raise offer_invalid("A part of it is missing.", "內容不完整。") from error


def sign_offer(
    key: md.PrivateKey,
    *,
    member: str,
    services: list[dict[str, Any]],
    rights: list[dict[str, Any]],
    version: int,
    now: datetime,
    gateways: Vouched | None = None,
    once: Mapping[str, Any] | None = None,
) -> Offer:
    """What `member` offers from now on, and by which `gateways` (see `thumbprints`) it speaks; None leaves that open.

    `once` names the gateway at which what may happen only once is counted, by its code, and since when (Unix seconds,
    0 for always): `{"gateway": "gw1", "since": 0}`. The member says it, so that no order of a list can change it.
    Problem `offer-invalid` when it speaks of another member's service.
    """
    said: dict[str, Any] = {"member": member, "services": services, "rights": rights}
    said |= {name: value for name, value in (("gateways", gateways), ("once", once)) if value is not None}
    content = md.compact(said)
    _own(member, json.loads(content))
    target = TargetFile.from_data(md.path_of(member), content, ["sha256"])
    targets = Targets(version=version, expires=md.whole_seconds(now + md.OFFER_LIFE), targets={target.path: target})
    return Offer(member, md.signed(Metadata(targets), key), content)


def thumbprints(gateway: Mapping[str, Any]) -> dict[str, str]:
    """The thumbprints of the keys with which the configuration lists a gateway, by name; a certificate counts by its
    key, so that it can be renewed. ValueError or KeyError when one cannot be read.
    """
    found = {name: keys.thumbprint(keys.from_jwk(gateway[name])) for name in _KEYS if gateway.get(name)}
    if gateway.get("tls_certificate"):
        certificate = certificates.from_pem(gateway["tls_certificate"].encode())
        found["tls_key"] = keys.thumbprint(certificates.public_key(certificate))
    return found


def check_offer(offer: Offer, key: md.Key) -> Targets:
    """The metadata of an offer that `key` signed and that fits its content; else Problem `offer-invalid`."""
    try:
        whole = Metadata[Targets].from_bytes(offer.metadata)
        _signed_by(whole, key)
        target = whole.signed.targets[md.path_of(offer.member)]
        target.verify_length_and_hashes(offer.content)
        _own(offer.member, offer.body)
    except md.UNREADABLE as error:
        raise offer_invalid("Its signature or its content is wrong.", "簽章或內容錯誤。") from error
    return whole.signed


def _signed_by(whole: Metadata[Targets], key: md.Key) -> None:
    signature = whole.signatures.get(keys.thumbprint(key))
    if signature is None:
        raise UnsignedMetadataError("not by the member's key")
    md.listed(key).verify_signature(signature, whole.signed_bytes)


def _own(member: str, body: Mapping[str, Any]) -> None:
    named = [entry["id"] for entry in body["services"]] + [entry["service"] for entry in body["rights"]]
    if body["member"] != member or any(not name.startswith(f"{member}/") for name in named):
        raise offer_invalid("It speaks of another member's services.", "內容涉及其他成員的服務。")
