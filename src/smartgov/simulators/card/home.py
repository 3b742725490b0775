"""The helper's home folder: the module to speak to, the sites that may ask, and what a chip would count.

Cards of the demo are tokens of SoftHSM2. It never locks, so the count of wrong PINs that a chip keeps is kept here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartgov.engines.pki import keys
from smartgov.engines.pki.card import Card, PinLockedError, PinWrongError, cards

LIBRARIES = (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"))
TRIES = 3
"""After so many wrong PINs in a row a natural person's card locks."""
DEMO_PIN = "246810"
_SO_PIN = "1357913579"


@dataclass(frozen=True, slots=True)
class Reader:
    """The module that the helper uses; `counts` when the cards are software and the chip's count is kept here."""

    home: Path
    module: str
    counts: bool

    def cards(self) -> list[Card]:
        """The cards that are in."""
        return cards(self.module)

    def sign(self, card: Card, data: bytes, pin: str) -> bytes:
        """The card's signature, or PinWrongError (`last`: one try is left), PinLockedError, CardAbsentError."""
        if not self.counts:
            return card.sign(data, pin)
        wrong = self._wrong()
        if wrong.get(card.label, 0) >= TRIES:
            raise PinLockedError
        try:
            signature = card.sign(data, pin)
        except PinWrongError:
            wrong[card.label] = wrong.get(card.label, 0) + 1
            self._keep(wrong)
            if wrong[card.label] >= TRIES:
                raise PinLockedError from None
            raise PinWrongError(last=wrong[card.label] == TRIES - 1) from None
        wrong.pop(card.label, None)
        self._keep(wrong)
        return signature

    def unlock(self, label: str) -> None:
        """What the issuer does with the unlocking code: the count begins anew."""
        wrong = self._wrong()
        wrong.pop(label, None)
        self._keep(wrong)

    def _wrong(self) -> dict[str, int]:
        path = self.home / "wrong.json"
        found: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _keep(self, wrong: dict[str, int]) -> None:
        keys.write_secret(self.home / "wrong.json", json.dumps(wrong).encode())


def library() -> Path | None:
    """SoftHSM2's library on this machine, if it is installed with its tool."""
    found = next((path for path in LIBRARIES if path.exists()), None)
    return found if found and shutil.which("softhsm2-util") else None


def reader(home: Path, module: str = "") -> Reader:
    """The reader of this home: `module` if it is given (a real card's library), else the demo's software cards."""
    if module:
        return Reader(home, module, counts=False)
    os.environ["SOFTHSM2_CONF"] = str(_configured(home))
    return Reader(home, str(library() or ""), counts=True)


def sites(home: Path) -> set[str]:
    """The origins that may ask this machine's card."""
    path = home / "sites.json"
    return set(json.loads(path.read_text())) if path.exists() else set()


def allow(home: Path, origin: str) -> None:
    """Let a site ask."""
    keys.write_secret(home / "sites.json", json.dumps(sorted(sites(home) | {origin.rstrip("/")})).encode())


def make_card(home: Path, label: str, issue: Any, *, pin: str = DEMO_PIN) -> None:
    """A new software card: `issue` gets its public RSA key and returns the certificate's DER. A made one stays.

    SoftHSM2 reads its configuration once a process, so a process makes cards of one home only.
    """
    import pkcs11
    from cryptography.hazmat.primitives.serialization import load_der_public_key
    from pkcs11.util.rsa import encode_rsa_public_key

    found = reader(home)
    if any(one.label == label for one in found.cards()):
        return
    tool = shutil.which("softhsm2-util")
    assert tool is not None
    command = [tool, "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", _SO_PIN]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the machine's own tool, our own words
    module = pkcs11.lib(found.module)
    module.reinitialize()
    with module.get_token(token_label=label).open(rw=True, user_pin=pin) as session:
        public, _ = session.generate_keypair(pkcs11.KeyType.RSA, 2048, id=b"\1", label="signature", store=True)
        der = issue(load_der_public_key(encode_rsa_public_key(public)))
        session.create_object(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                pkcs11.Attribute.TOKEN: True,
                pkcs11.Attribute.LABEL: "signature",
                pkcs11.Attribute.ID: b"\1",
                pkcs11.Attribute.SUBJECT: b"",
                pkcs11.Attribute.VALUE: der,
            }
        )


def _configured(home: Path) -> Path:
    """The configuration of SoftHSM2 for this home. Written each time, because a home may have been moved."""
    tokens, path = home / "tokens", home / "softhsm2.conf"
    tokens.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(f"directories.tokendir = {tokens.resolve()}\nobjectstore.backend = file\nlog.level = ERROR\n")
    return path
