"""The wallets' folder: the wallet's own key as a client of the provider, whom it trusts, and what each person holds."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec

from smartgov.engines.credential.wallet import Held
from smartgov.engines.openid.client import RelyingParty
from smartgov.engines.pki import keys
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

NAME = Text("Wallet", "數位錢包")
PURPOSE = Text("To put your certificates into your wallet.", "將您的證明書放入數位錢包。")
_OWNER = re.compile(r"[a-z][a-z0-9-]{0,40}")


@dataclass(slots=True)
class Owner:
    """A person with a wallet. `titles` are the words for each kind of credential and its claims, by type."""

    id: str
    name: str
    place: int = 0
    held: list[Held] = field(default_factory=list)
    titles: dict[str, Any] = field(default_factory=dict)


def create(
    home: Path, *, issuer: str, client_id: str, address: str, root: bytes, people: Mapping[str, str]
) -> dict[str, Any]:
    """Make the folder with empty wallets for `people` (made-up word to name); returns the registration to hand in.

    `root` is the certificate (PEM) of the authority that vouches for issuers and for the register of verifiers.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = keys.generate_p256()
    keys.save_private(home / "key.pem", key)
    (home / "root.pem").write_bytes(root)
    known = {"issuer": issuer, "client_id": client_id, "redirect_uri": f"{address}/callback"}
    keys.write_secret(home / "party.json", json.dumps(known).encode())
    made = Home(home)
    for place, (owner, name) in enumerate(people.items()):
        if not _OWNER.fullmatch(owner):
            raise ValueError("an owner is named by lower case letters, digits and -")
        made.save(Owner(owner, name, place))
    return {
        "client_id": client_id,
        "name": NAME.as_dict(),
        "purpose": PURPOSE.as_dict(),
        "registration": {
            "redirect_uris": [known["redirect_uri"]],
            "jwks": [keys.public_jwk(key.public_key())],
            "scopes": ["openid"],
            "details": ["openid_credential"],
        },
    }


class Home:
    """The folder at `path`; one program at a time uses it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def party(self) -> RelyingParty:
        """The wallet as a client of the provider; a new key for its proofs each time. Problem `wallet-unregistered`."""
        known = self._known()
        key = keys.load_p256(self.path / "key.pem")
        return RelyingParty(known["issuer"], known["client_id"], key, known["redirect_uri"])

    def register_address(self) -> str:
        """Where the signed register of verifiers lies."""
        return f"{self._known()['issuer']}/credentials/verifiers.jwt"

    def roots(self) -> list[x509.Certificate]:
        """Who vouches for issuers and verifiers."""
        return x509.load_pem_x509_certificates((self.path / "root.pem").read_bytes())

    def owners(self) -> list[Owner]:
        """Everybody with a wallet, in their order."""
        found = [_owner(json.loads(card.read_text())) for card in (self.path / "wallets").glob("*.json")]
        return sorted(found, key=lambda one: (one.place, one.id))

    def owner(self, name: str) -> Owner:
        """One of them; Problem `wallet-unknown` (404)."""
        path = self._card(name) if _OWNER.fullmatch(name) else None
        if path is None or not path.exists():
            raise Problem("wallet-unknown", 404, what=Text("There is no such wallet.", "查無此錢包。"))
        return _owner(json.loads(path.read_text()))

    def save(self, owner: Owner) -> None:
        """Keep what the owner holds."""
        card = {
            "id": owner.id,
            "name": owner.name,
            "place": owner.place,
            "titles": owner.titles,
            "held": [_held_card(one) for one in owner.held],
        }
        keys.write_secret(self._card(owner.id), json.dumps(card, ensure_ascii=False).encode())

    @contextmanager
    def changing(self, name: str) -> Iterator[Owner]:
        """The owner, kept afterwards in any case: what was shown counts as used even when the other side failed."""
        with self._lock:
            owner = self.owner(name)
            try:
                yield owner
            finally:
                self.save(owner)

    def _card(self, name: str) -> Path:
        return self.path / "wallets" / f"{name}.json"

    def _known(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads((self.path / "party.json").read_text())
        except OSError:
            raise Problem(
                "wallet-unregistered",
                503,
                what=Text("The wallet is not registered anywhere.", "數位錢包尚未登錄。"),
                todo=Text("Raise the demo country anew.", "請重新建立示範國家。"),
            ) from None
        return found


def _owner(card: Mapping[str, Any]) -> Owner:
    return Owner(card["id"], card["name"], card["place"], [_held(one) for one in card["held"]], dict(card["titles"]))


def _held(card: Mapping[str, Any]) -> Held:
    key = form.load_pem_private_key(card["key"].encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Held(card["vct"], card["credential"], key, card["used"], card["claims"])


def _held_card(one: Held) -> dict[str, Any]:
    pem = one.key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()
    return {
        "vct": one.vct,
        "credential": one.credential,
        "key": pem,
        "used": one.used,
        "claims": dict(one.claims),
    }
