"""Whose word a letter is: the gateway that it speaks for, and the registered key that signed it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.blocks.exchange import joining_problems
from smartgov.blocks.exchange.models import Gateway
from smartgov.engines.pki import keys
from smartgov.engines.troad.joining.letters import Letter


def registered(letter: Letter) -> Gateway:
    """The gateway that a letter speaks for, if its member's registered key signed it."""
    row = Gateway.objects.filter(id=str(letter.content.get("gateway", ""))).first()
    if row is None:
        raise joining_problems.UNKNOWN
    key_of(letter, row.member_id)
    return row


def key_of(letter: Letter, member: str) -> ec.EllipticCurvePublicKey:
    """The configuration key of a member, if it signed the letter."""
    first = Gateway.objects.filter(member_id=member).order_by("registered_at", "id").first()
    if first is None:
        raise joining_problems.UNKNOWN
    key = configuration_key(first)
    if not is_signed_by(letter, "configuration", key):
        raise joining_problems.NOT_ITS_KEY
    return key


def configuration_key(row: Gateway) -> ec.EllipticCurvePublicKey:
    """The key with which the member of this gateway signs its offers."""
    try:
        key = keys.from_jwk(row.described["configuration_key"])
    except (KeyError, ValueError):
        raise joining_problems.NOT_ITS_KEY from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise joining_problems.NOT_ITS_KEY
    return key


def is_signed_by(letter: Letter, name: str, key: keys.PublicKey) -> bool:
    """Whether the letter's key of this name is that one."""
    return name in letter.keys and keys.thumbprint(letter.keys[name]) == keys.thumbprint(key)
