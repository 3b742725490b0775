"""A smart card behind PKCS#11: whose certificate is on it, and a signature after its PIN was given.

The PIN goes to the card and nowhere else. Cards lock after a few wrong tries; what the card says of that is told as it
is, so that nobody spends the last try unwarned.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pkcs11
from asn1crypto import algos, core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11.constants import TokenFlag

from smartgov.engines.pki import certificates

_HALF = 32
_ONE_AT_A_TIME = threading.Lock()  # a card has one session; modules differ in what they do with a second


class CardError(Exception):
    """The card did not do it; the kinds below say why."""


class CardAbsentError(CardError):
    """There is no such card in any reader, or it holds no certificate for signatures."""


class PinWrongError(CardError):
    """Not the card's PIN. `last` says that the next wrong one locks it."""

    def __init__(self, *, last: bool = False) -> None:
        super().__init__("the PIN is wrong")
        self.last = last


class PinLockedError(CardError):
    """Too many wrong PINs: only the issuer, or the unlocking code, opens the card again."""


@dataclass(frozen=True, slots=True)
class Card:
    """The card with this label in a reader of this module (a PKCS#11 library)."""

    module: str
    label: str

    def certificate(self) -> x509.Certificate:
        """The certificate for signatures; needs no PIN. CardAbsentError."""
        with self._session() as session:
            return _certificate(session)[0]

    def sign(self, data: bytes, pin: str) -> bytes:
        """The signature over `data` with SHA-256: PKCS#1 v1.5 of an RSA key, ECDSA in DER of a P-256 key.

        PinWrongError, PinLockedError, CardAbsentError.
        """
        with self._session(pin) as session:
            key = _private(session)
            if key.key_type == pkcs11.KeyType.RSA:
                return bytes(key.sign(_digest_info(data), mechanism=pkcs11.Mechanism.RSA_PKCS))
            raw = key.sign(sha256(data).digest(), mechanism=pkcs11.Mechanism.ECDSA)
            return encode_dss_signature(int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big"))

    @contextmanager
    def _session(self, pin: str | None = None) -> Iterator[Any]:
        with _ONE_AT_A_TIME:
            try:
                token = pkcs11.lib(self.module).get_token(token_label=self.label)
                session = token.open(user_pin=pin) if pin is not None else token.open()
            except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
                raise self._wrong() from None
            except pkcs11.PinLocked:
                raise PinLockedError from None
            except (pkcs11.PKCS11Error, OSError) as error:
                raise CardAbsentError(type(error).__name__) from None
            with session:
                yield session

    def _wrong(self) -> CardError:
        """What the card says of its own state after a wrong PIN."""
        try:
            flags = pkcs11.lib(self.module).get_token(token_label=self.label).flags
        except pkcs11.PKCS11Error:
            return PinWrongError()
        if flags & TokenFlag.USER_PIN_LOCKED:
            return PinLockedError()
        return PinWrongError(last=bool(flags & TokenFlag.USER_PIN_FINAL_TRY))


def cards(module: str) -> list[Card]:
    """Every card in a reader of this module; none when the module cannot be loaded."""
    try:
        with _ONE_AT_A_TIME:
            tokens = [slot.get_token() for slot in pkcs11.lib(module).get_slots(token_present=True)]
    except (pkcs11.PKCS11Error, RuntimeError, OSError):
        return []
    ready = [one for one in tokens if one.flags & TokenFlag.TOKEN_INITIALIZED]
    return [Card(module, str(one.label).strip("\0 ")) for one in ready]


def _certificate(session: Any) -> tuple[x509.Certificate, bytes]:
    """The certificate for signatures, and the id that its key shares with it; a card holds a pair for secrets too."""
    for one in list(session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE})):
        certificate = certificates.from_der(bytes(one[pkcs11.Attribute.VALUE]))
        try:
            usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        except x509.ExtensionNotFound:
            continue
        if usage.digital_signature:
            return certificate, bytes(one[pkcs11.Attribute.ID])
    raise CardAbsentError("no certificate for signatures")


def _private(session: Any) -> Any:
    """The private key that belongs to the certificate for signatures."""
    wanted = {
        pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
        pkcs11.Attribute.ID: _certificate(session)[1],
    }
    found = list(session.get_objects(wanted))
    if len(found) != 1:
        raise CardAbsentError("no key for the certificate")
    return found[0]


def _digest_info(data: bytes) -> bytes:
    """The DigestInfo that PKCS#1 v1.5 signs; the card adds the padding and raises it to its power."""
    algorithm = {"algorithm": "sha256", "parameters": core.Null()}
    der: bytes = algos.DigestInfo({"digest_algorithm": algorithm, "digest": sha256(data).digest()}).dump()
    return der
