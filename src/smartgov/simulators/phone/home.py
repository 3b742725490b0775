"""The phones' home folder: one key file and one card per person, and the secret of the service provider."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from smartgov.engines.pki import keys
from smartgov.shared import canonical
from smartgov.shared.text import Text

_PERSONA = re.compile(r"[a-z][a-z0-9-]{0,40}")


@dataclass(frozen=True, slots=True)
class Persona:
    """A demo person with a phone. `key_id` is the RFC 7638 thumbprint of her public key."""

    id: str
    name: str
    key_id: str
    public_jwk: dict[str, str]
    story: Text
    """Who she is in the demo, for whoever must choose a phone; may be empty."""
    place: int
    """Where she stands among the others."""


def enrol(home: Path | str, *, persona: str, name: str, story: Text | None = None, place: int = 0) -> Persona:
    """Give `persona` a phone with a new key; an enrolled one keeps her key and may change her name.

    `persona` stands in addresses, so it is a made-up word (`mother`), never a national id.
    """
    home = Path(home)
    if not _PERSONA.fullmatch(persona):
        raise ValueError("a persona id is lower case letters, digits and -")
    sp_secret(home)
    path = _key_path(home, persona)
    if not path.exists():
        keys.save_private(path, keys.generate_p256())
    public = keys.load_p256(path).public_key()
    jwk = {part: text for part, text in keys.public_jwk(public).items() if part != "kid"}
    card: dict[str, object] = {"id": persona, "name": name, "key_id": jwk_thumbprint(jwk), "public_jwk": jwk}
    card |= {"story": (story or Text("", "")).as_dict(), "place": place}
    keys.write_secret(_card_path(home, persona), json.dumps(card, ensure_ascii=False, indent=1).encode())
    return _persona(card)


def replace_phone(home: Path, persona: Persona) -> Persona:
    """The phone is lost: the new one has another key, which nobody knows yet."""
    keys.save_private(_key_path(home, persona.id).with_suffix(".new"), keys.generate_p256())
    _key_path(home, persona.id).with_suffix(".new").replace(_key_path(home, persona.id))
    return enrol(home, persona=persona.id, name=persona.name, story=persona.story, place=persona.place)


def public_jwk(home: Path, persona: str) -> dict[str, str]:
    """The public half of the phone's key."""
    public = keys.public_jwk(keys.load_p256(_key_path(home, persona)).public_key())
    return {part: text for part, text in public.items() if part != "kid"}


def personas(home: Path) -> list[Persona]:
    """Everybody with a phone, in their order; read anew so that an enrolment shows at once."""
    cards = (home / "personas").glob("*.json")
    found = [_persona(json.loads(card.read_text(encoding="utf-8"))) for card in cards]
    return sorted(found, key=lambda owner: (owner.place, owner.id))


def sign(home: Path, persona: str, content: bytes) -> bytes:
    """The signature (r || s) of the persona's phone over `content`."""
    return keys.sign(keys.load_p256(_key_path(home, persona)), content)


def signing_request(home: Path, persona: Persona) -> str:
    """A PKCS#10 request (PEM) for the persona's key, named by her made-up id."""
    key = keys.load_p256(_key_path(home, persona.id))
    return request_for(key, persona.id)


def request_for(key: ec.EllipticCurvePrivateKey, name: str) -> str:
    """A PKCS#10 request (PEM) for `key`, with a made-up name that counts for nothing."""
    return _request(key, name).public_bytes(serialization.Encoding.PEM).decode()


def sp_secret(home: Path) -> str:
    """The service provider's bearer secret, made at the first use."""
    path = home / "secrets" / "sp"
    if not path.exists():
        keys.write_secret(path, secrets.token_urlsafe(32).encode())
    return path.read_text().strip()


def jwk_thumbprint(jwk: dict[str, str]) -> str:
    """RFC 7638: base64url of SHA-256 over the required members."""
    return keys.b64url(sha256(canonical.dumps({part: jwk[part] for part in ("crv", "kty", "x", "y")})).digest())


def _request(key: ec.EllipticCurvePrivateKey, name: str) -> x509.CertificateSigningRequest:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())


def _persona(card: Mapping[str, object]) -> Persona:
    jwk = card["public_jwk"]
    assert isinstance(jwk, dict)
    story, place = card.get("story") or "", card.get("place") or 0
    assert isinstance(place, int)
    return Persona(str(card["id"]), str(card["name"]), str(card["key_id"]), jwk, Text.of(story), place)  # type: ignore[arg-type]


def _key_path(home: Path, persona: str) -> Path:
    return home / "keys" / f"{persona}.key"


def _card_path(home: Path, persona: str) -> Path:
    return home / "personas" / f"{persona}.json"
