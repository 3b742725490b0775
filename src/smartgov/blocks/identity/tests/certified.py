"""The Ministry and a card in this process, for tests that need a proof and no programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.test import Client

from smartgov.blocks.identity.adapters.card import CardHelper
from smartgov.blocks.identity.means import connected, standing
from smartgov.blocks.identity.models import Proving
from smartgov.engines.pki import citizen
from smartgov.engines.pki.keys import b64url, from_b64url
from smartgov.shared import canonical
from smartgov.simulators.card import asked
from smartgov.simulators.moica import home as ministry


class ReadyCard(CardHelper):
    """The card's adapter; it is connected without a folder."""

    def is_ready(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class World:
    """A Ministry in a folder, as the authority (port Certifier) and as the issuer of cards."""

    home: Path

    def anchors(self) -> Sequence[x509.Certificate]:
        """Its certificate."""
        return [ministry.authority(self.home)]

    def ocsp(self, question: bytes) -> bytes:
        """Nobody answers; the list has to do."""
        raise ConnectionError

    def crl(self) -> bytes:
        """The list."""
        return ministry.crl(self.home)

    def confirms(self, number: str, national_id: str) -> bool:
        """Whether they are one person."""
        return any((one.number, one.national_id) == (number, national_id) for one in ministry.issued(self.home))

    def card(self, national_id: str, name: str = "林美玲") -> Card:
        """A new card of a person."""
        key = rsa.generate_private_key(65537, 2048)
        persona = f"p{national_id.lower()}"
        made = ministry.issue(
            self.home, key.public_key(), persona=persona, name=name, national_id=national_id, kind="card"
        )
        return Card(key, made)


@dataclass(frozen=True, slots=True)
class Card:
    """A card that signs whatever it is asked."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def sign(self, data: bytes) -> bytes:
        """PKCS#1 v1.5 with SHA-256."""
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def answers(self, browser: Client, proving: str) -> None:
        """What a helper brings for the request that this browser has begun."""
        form = json.loads(Proving.objects.get(id=proving).opened)["form_request"]
        found = asked.read(json.loads(from_b64url(form)), json.loads(from_b64url(form))["origin"])
        message = citizen.packed(found.content(), self.certificate, self.sign)
        answer = b64url(canonical.dumps({"cms": b64url(message)}))
        Client().post(f"/identity/prove/{proving}/answer", {"answer": answer})


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A Ministry in `folder`, and the card as the only means."""
    ministry.create(folder / "moica")
    made = World(folder / "moica")
    standing.forget()
    with connected.replaced(means={connected.CARD: ReadyCard()}, certifier=made):
        yield made


def begun(browser: Client) -> str:
    """A request with a card; its id."""
    return str(browser.post("/identity/prove/with/card").headers["Location"]).rsplit("/", 1)[-1]
