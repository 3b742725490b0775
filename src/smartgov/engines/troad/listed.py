"""The gateways of a configuration as evidence knows them: by keys that their members signed for, as far as that can be
seen, and held to what the reader knows of those members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from smartgov.engines.pki import keys
from smartgov.engines.trust import Held, Listing, Pins

_KEYS = ("message_key", "log_key", "witness_key")
"""What evidence rests on: certificates and references to persons are not looked at here."""


class InvalidError(Exception):
    """Something does not hold; the text is a stable word."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One gateway; `doubt` is a word where what rests on its member's own key is not proven to this reader."""

    id: str
    member: str
    message_key: ec.EllipticCurvePublicKey
    log_key: Ed25519PublicKey
    log_origin: str
    witness_key: Ed25519PublicKey | None
    doubt: str = ""
    foreign: bool = False
    """Its member signed for other keys, or for no such gateway."""

    @property
    def message_kid(self) -> str:
        """The thumbprint of its message key."""
        return keys.thumbprint(self.message_key)


def gateways(country: Mapping[str, Any], said: Listing, pins: Pins, issued: int) -> dict[str, Listed]:
    """All that a configuration of this time lists, by id; InvalidError `member-key` where a pin is not kept."""
    held = {
        member: pins.judge(member, listed, issued, said.statements, said.root)
        for member, listed in said.keys.items()
        if member in pins.members
    }
    if Held.FALSE in held.values():
        raise InvalidError("member-key")
    found = [
        _read(member["id"], entry, said, _doubt(member["id"], said, pins, held))
        for member in country["members"]
        for entry in member["gateways"]
    ]
    return {one.id: one for one in found}


def _doubt(member: str, said: Listing, pins: Pins, held: Mapping[str, Held]) -> str:
    if member not in pins.members:
        return ""
    if held.get(member) is Held.BY_ROOT:
        return "member-key-by-root"
    return "" if held.get(member) is Held.KEPT and _vouched(member, said) is not None else "member-key"


def _vouched(member: str, said: Listing) -> Mapping[str, Any] | None:
    """What a member signed about the keys of its gateways; None where that is not there."""
    vouched = said.offers.get(member, {}).get("gateways")
    return vouched if isinstance(vouched, dict) else None


def _read(member: str, entry: Mapping[str, Any], said: Listing, doubt: str) -> Listed:
    message, log = keys.from_jwk(entry["message_key"]), keys.from_jwk(entry["log_key"])
    witness = keys.from_jwk(entry["witness_key"]) if entry.get("witness_key") else None
    if not isinstance(message, ec.EllipticCurvePublicKey) or not isinstance(log, Ed25519PublicKey):
        raise ValueError("message keys are on P-256, log keys Ed25519")
    if not isinstance(witness, Ed25519PublicKey | None):
        raise ValueError("witness keys are Ed25519")
    shown: dict[str, keys.PublicKey] = {"message_key": message, "log_key": log}
    shown |= {"witness_key": witness} if witness else {}
    name, vouched = f"{member}/{entry['code']}", _vouched(member, said)
    said_of = vouched.get(entry["code"]) if vouched is not None else None
    signed = {one: said_of.get(one) for one in _KEYS if one in said_of} if isinstance(said_of, dict) else None
    foreign = vouched is not None and signed != {one: keys.thumbprint(key) for one, key in shown.items()}
    return Listed(name, member, message, log, entry.get("log_origin", name), witness, doubt, foreign)
