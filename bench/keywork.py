"""What the keys alone cost in one exchange with a person each way: no gateway in any language does less than this."""

from __future__ import annotations

import os
from time import process_time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.pki import keys

TIMES = 300
_ECDSA = ec.ECDSA(hashes.SHA256())


def micros() -> float:
    """CPU microseconds: question and answer signed and verified, a reference made and opened in each."""
    own, other, message = keys.generate_p256(), keys.generate_p256(), os.urandom(700)
    started = process_time()
    for _ in range(TIMES):
        _one(own, other, message)
    return (process_time() - started) / TIMES * 1e6


def _one(own: ec.EllipticCurvePrivateKey, other: ec.EllipticCurvePrivateKey, message: bytes) -> None:
    for sender, receiver in ((own, other), (other, own)):
        signature = sender.sign(message, _ECDSA)
        sender.public_key().verify(signature, message, _ECDSA)
        ephemeral = ec.generate_private_key(ec.SECP256R1())
        sent = ephemeral.exchange(ec.ECDH(), receiver.public_key())
        if receiver.exchange(ec.ECDH(), ephemeral.public_key()) != sent:
            raise SystemExit("two sides agree on different keys")
