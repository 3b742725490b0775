"""The Ministry's home folder: the authority's key, what it issued to whom, keys on people's phones, its own secrets."""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from smartgov.engines.pki import certificates, citizen, keys, revocation
from smartgov.shared import clock

KEY_BITS = 2048
_BACKDATED = timedelta(minutes=5)
_YEAR = timedelta(days=365)
_LIFE = {"card": 5 * _YEAR, "mobile": 3 * _YEAR}
LIST_LIFE = timedelta(hours=24)
NAME = "Synthetic Ministry of the Interior Certification Authority"


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate that was issued: to whom, of which kind (`card` or `mobile`), and whether it was revoked."""

    persona: str
    name: str
    national_id: str
    kind: str
    number: str
    """The authority's own number for the person; the same in all certificates of hers."""
    serial: str
    certificate: str
    revoked_at: str = ""
    reason: str = ""

    @property
    def is_revoked(self) -> bool:
        """Whether it stands on the list."""
        return bool(self.revoked_at)


def create(home: Path) -> None:
    """Make the authority and the secrets of its customers where they are missing."""
    if (home / "ca.pem").exists():
        return
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = rsa.generate_private_key(65537, KEY_BITS)
    certificate = _authority(key)
    responder = keys.generate_p256()
    _save(home / "keys" / "ca.key", key)
    keys.save_private(home / "keys" / "ocsp.key", responder)
    (home / "ocsp.pem").write_bytes(certificates.pem(_responder(responder.public_key(), key, certificate)))
    secret = {
        "service_id": f"SP{secrets.randbelow(10**8):08d}",
        "aes_key": base64.b64encode(os.urandom(32)).decode(),
        "name": "智慧政府服務平臺",
        "confirm": secrets.token_urlsafe(32),
    }
    keys.write_secret(home / "secrets" / "customer.json", json.dumps(secret, ensure_ascii=False).encode())
    keys.write_secret(home / "secrets" / "hash", os.urandom(32))
    (home / "ca.pem").write_bytes(certificates.pem(certificate))  # last: it says that the folder is complete


def customer(home: Path) -> dict[str, str]:
    """What the platform was given when it became a customer: service id, AES key, name, secret of the confirmation."""
    found: dict[str, str] = json.loads((home / "secrets" / "customer.json").read_text(encoding="utf-8"))
    return found


def authority(home: Path) -> x509.Certificate:
    """The authority's own certificate."""
    return certificates.from_pem((home / "ca.pem").read_bytes())


def issue(
    home: Path, public_key: rsa.RSAPublicKey, *, persona: str, name: str, national_id: str, kind: str
) -> x509.Certificate:
    """A certificate of a natural person over `public_key`; an earlier one of the same kind is revoked as superseded."""
    before = issued(home)
    number = next((one.number for one in before if one.national_id == national_id), _number(before))
    made = _signed(home, public_key, name=name, number=number, last_four=national_id[-4:], life=_LIFE[kind])
    pem = certificates.pem(made).decode()
    rows = [
        revoked(one, "superseded") if (one.persona, one.kind) == (persona, kind) and not one.is_revoked else one
        for one in before
    ]
    rows.append(Issued(persona, name, national_id, kind, number, str(made.serial_number), pem))
    _write(home, rows)
    return made


def issued(home: Path) -> list[Issued]:
    """Everything that was issued, oldest first."""
    path = home / "issued.json"
    return [Issued(**row) for row in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []


def revoke(home: Path, serial: str, reason: str = "keyCompromise") -> None:
    """Revoke a certificate; again is fine."""
    rows = [revoked(one, reason) if one.serial == serial and not one.is_revoked else one for one in issued(home)]
    _write(home, rows)


def revoked(one: Issued, reason: str) -> Issued:
    """The same, revoked from now on."""
    return replace(one, revoked_at=clock.now().isoformat(), reason=reason)


def enrol_phone(home: Path, *, persona: str, name: str, national_id: str) -> x509.Certificate:
    """Give a person the mobile certificate: a key on the phone, certified; an enrolled one keeps hers."""
    path = _phone_key(home, persona)
    current = next(iter(of_kind(home, persona, "mobile")), None)
    if path.exists() and current is not None:
        return certificates.from_pem(current.certificate.encode())
    key = rsa.generate_private_key(65537, KEY_BITS)
    _save(path, key)
    return issue(home, key.public_key(), persona=persona, name=name, national_id=national_id, kind="mobile")


def of_kind(home: Path, persona: str, kind: str) -> list[Issued]:
    """A person's certificates of a kind that are not revoked, newest first."""
    return [one for one in reversed(issued(home)) if (one.persona, one.kind) == (persona, kind) and not one.is_revoked]


def phone_key(home: Path, persona: str) -> rsa.RSAPrivateKey:
    """The key on a person's phone."""
    key = serialization.load_pem_private_key(_phone_key(home, persona).read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def hashed(home: Path, national_id: str) -> str:
    """How answers name a person without her number. Of what the real service makes it is not published."""
    return hmac.new((home / "secrets" / "hash").read_bytes(), national_id.encode(), sha256).hexdigest()


def ca_key(home: Path) -> rsa.RSAPrivateKey:
    """The authority's key."""
    key = serialization.load_pem_private_key((home / "keys" / "ca.key").read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def crl(home: Path) -> bytes:
    """A new list, numbered by the time."""
    now = clock.now()
    ca, key = authority(home), ca_key(home)
    identifier = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.subject)
        .last_update(now - _BACKDATED)
        .next_update(now + LIST_LIFE)
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    for one in issued(home):
        if one.is_revoked:
            builder = builder.add_revoked_certificate(_entry(one))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _entry(one: Issued) -> x509.RevokedCertificate:
    reason = x509.CRLReason(revocation.reason_flag(one.reason))
    return (
        x509.RevokedCertificateBuilder()
        .serial_number(int(one.serial))
        .revocation_date(datetime.fromisoformat(one.revoked_at))
        .add_extension(reason, critical=False)
        .build()
    )


def _number(before: Iterable[Issued]) -> str:
    taken = {one.number for one in before}
    while (number := f"{secrets.randbelow(10**16):016d}") in taken:
        pass
    return number


def _write(home: Path, rows: list[Issued]) -> None:
    content = json.dumps([asdict(one) for one in rows], ensure_ascii=False, indent=1)
    keys.write_secret(home / "issued.json", content.encode())


def _phone_key(home: Path, persona: str) -> Path:
    return home / "keys" / f"phone-{persona}.key"


def _save(path: Path, key: rsa.RSAPrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    keys.write_secret(path, pem)


def _authority(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "TW"), x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    return (
        _builder(name, name, key.public_key(), 10 * _YEAR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(certificates.key_usage(authority=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _responder(
    public: keys.PublicKey, key: rsa.RSAPrivateKey, authority_certificate: x509.Certificate
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "OCSP responder")])
    return (
        _builder(name, authority_certificate.subject, public, 10 * _YEAR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(certificates.key_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .sign(key, hashes.SHA256())
    )


def _signed(
    home: Path, public: rsa.RSAPublicKey, *, name: str, number: str, last_four: str, life: timedelta
) -> x509.Certificate:
    ca, key = authority(home), ca_key(home)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "TW"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, number),
        ]
    )
    identifier = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder(subject, ca.subject, public, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(certificates.key_usage(commitment=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .add_extension(citizen.last_four_extension(last_four), critical=False)
        .sign(key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public: keys.PublicKey | rsa.RSAPublicKey, life: timedelta
) -> x509.CertificateBuilder:
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
