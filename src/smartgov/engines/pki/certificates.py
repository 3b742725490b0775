"""A small certificate authority in a folder, and what every process asks about a certificate."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from smartgov.engines.pki import keys, revocation
from smartgov.shared import clock

Usage = Literal["tls", "message", "seal", "mobile", "ocsp"]
_BACKDATED = timedelta(minutes=5)  # so that a peer whose clock is a little slow accepts a new certificate
_CA_LIFE = timedelta(days=3650)
_YEAR = timedelta(days=365)
_LIFE = {"seal": 5 * _YEAR, "mobile": 5 * _YEAR}  # what they sign is looked at for years; the rest is renewed yearly
_CRL_LIFE = timedelta(days=7)
_EXTENDED: dict[str, list[x509.ObjectIdentifier]] = {
    "tls": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
    "ocsp": [ExtendedKeyUsageOID.OCSP_SIGNING],
}
_NON_REPUDIATION = {"seal", "mobile"}
_SCHEMA = """CREATE TABLE IF NOT EXISTS issued (
  serial TEXT PRIMARY KEY, usage TEXT NOT NULL, fingerprint TEXT NOT NULL, not_after TEXT NOT NULL,
  revoked_at TEXT, reason TEXT);
CREATE TABLE IF NOT EXISTS lists (number INTEGER PRIMARY KEY, made_at TEXT NOT NULL);"""


class CertificateAuthority:
    """The authority of one home folder: `ca.key` (0600), `ca.crt`, and `issued.sqlite3` with serials only."""

    def __init__(self, home: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self.home, self.key, self.certificate = home, key, certificate

    @classmethod
    def create(cls, home: Path | str, common_name: str, organisation: str = "smartgov") -> CertificateAuthority:
        """Make a new authority in an empty folder; FileExistsError when one is there already."""
        home = Path(home)
        if (home / "ca.key").exists():
            raise FileExistsError(home / "ca.key")
        key = keys.generate_p256()
        certificate = _self_signed(key, _name(common_name, organisation))
        keys.save_private(home / "ca.key", key)
        (home / "ca.crt").write_bytes(pem(certificate))
        return cls(home, key, certificate)

    @classmethod
    def load(cls, home: Path | str) -> CertificateAuthority:
        """The authority of a folder that `create` made."""
        home = Path(home)
        return cls(home, keys.load_p256(home / "ca.key"), from_pem((home / "ca.crt").read_bytes()))

    def issue(
        self,
        public_key: keys.PublicKey,
        *,
        common_name: str,
        organisation: str,
        usage: Usage,
        serial: str | None = None,
        san_dns: Iterable[str] = (),
        san_ip: Iterable[str] = (),
        not_after: datetime | None = None,
        crl_url: str = "",
        ocsp_url: str = "",
    ) -> x509.Certificate:
        """A certificate for `public_key`, one usage each, valid for a year (seal and mobile: five) or to `not_after`.

        `serial` is the subject's serialNumber attribute (an opaque number; never a national id). `crl_url` and
        `ocsp_url` say where readers ask whether it was revoked.
        """
        begin = clock.now() - _BACKDATED
        end = not_after or clock.now() + _LIFE.get(usage, _YEAR)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name, organisation, serial))
            .issuer_name(self.certificate.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )
        for extension, critical in self._extensions(public_key, usage, list(san_dns), list(san_ip)):
            builder = builder.add_extension(extension, critical)
        for extension in _whom_to_ask(crl_url, ocsp_url):
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        self._remember(certificate, usage)
        return certificate

    def revoke(self, serial: int, reason: str = "unspecified") -> None:
        """Revoke an issued certificate for an RFC 5280 `reason` (`keyCompromise`, `superseded`, ...). Again is fine.

        `certificateHold` only suspends: a later reason takes its place, from the day of the suspension.
        KeyError when this authority never issued the serial, ValueError when the reason has no such name.
        """
        revocation.reason_flag(reason)
        with self._register() as register:
            found = self._reason(register, serial)
            if found is None:
                change = "UPDATE issued SET revoked_at = ?, reason = ? WHERE serial = ?"
                register.execute(change, (clock.now().isoformat(), reason, str(serial)))
            elif found == revocation.HOLD:
                register.execute("UPDATE issued SET reason = ? WHERE serial = ?", (reason, str(serial)))

    def suspend(self, serial: int) -> None:
        """Put an issued certificate on hold; it is on the next list, and `resume` takes it off."""
        self.revoke(serial, revocation.HOLD)

    def resume(self, serial: int) -> None:
        """End a suspension; ValueError when the certificate is revoked for good, KeyError as in `revoke`."""
        with self._register() as register:
            if self._reason(register, serial) not in (None, revocation.HOLD):
                raise ValueError("a revoked certificate never comes back")
            register.execute("UPDATE issued SET revoked_at = NULL, reason = NULL WHERE serial = ?", (str(serial),))

    def crl(self, revoked: Iterable[int] = (), *, life: timedelta = _CRL_LIFE) -> bytes:
        """The next numbered DER list of what was revoked here, and of the serials in `revoked`; good for `life`."""
        now = clock.now()
        with self._register() as register:
            number = _next_number(register, now)
            rows = self._revocations(register, revoked, now)
        return revocation.build(
            key=self.key, authority=self.certificate, number=number, revoked=rows, made_at=now, life=life
        )

    def is_revoked(self, serial: int) -> bool:
        """Whether `revoke` was called for this serial."""
        with self._register() as register:
            row = register.execute("SELECT revoked_at FROM issued WHERE serial = ?", (str(serial),)).fetchone()
        return row is not None and row[0] is not None

    def _extensions(
        self, public_key: keys.PublicKey, usage: Usage, dns: list[str], ips: list[str]
    ) -> Iterator[tuple[x509.ExtensionType, bool]]:
        yield x509.BasicConstraints(ca=False, path_length=None), True
        yield key_usage(commitment=usage in _NON_REPUDIATION), True
        yield x509.SubjectKeyIdentifier.from_public_key(public_key), False
        yield _authority_id(self.certificate), False
        if usage in _EXTENDED:
            yield x509.ExtendedKeyUsage(_EXTENDED[usage]), False
        if usage == "ocsp":
            yield x509.OCSPNoCheck(), False
        if names := [*map(x509.DNSName, dns), *(x509.IPAddress(ip_address(ip)) for ip in ips)]:
            yield x509.SubjectAlternativeName(names), False

    def _revocations(
        self, register: sqlite3.Connection, more: Iterable[int], now: datetime
    ) -> list[revocation.Revocation]:
        rows = register.execute("SELECT serial, revoked_at, reason FROM issued WHERE revoked_at IS NOT NULL").fetchall()
        known = {
            int(serial): revocation.Revocation(int(serial), datetime.fromisoformat(at), str(reason))
            for serial, at, reason in rows
        }
        return list({**{serial: revocation.Revocation(serial, now) for serial in more}, **known}.values())

    def _reason(self, register: sqlite3.Connection, serial: int) -> str | None:
        row = register.execute("SELECT reason FROM issued WHERE serial = ?", (str(serial),)).fetchone()
        if row is None:
            raise KeyError("this authority did not issue that serial")
        return None if row[0] is None else str(row[0])

    def _remember(self, certificate: x509.Certificate, usage: str) -> None:
        row = (
            str(certificate.serial_number),
            usage,
            fingerprint(certificate),
            certificate.not_valid_after_utc.isoformat(),
        )
        with self._register() as register:
            register.execute("INSERT INTO issued (serial, usage, fingerprint, not_after) VALUES (?, ?, ?, ?)", row)

    @contextmanager
    def _register(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.home / "issued.sqlite3")
        try:
            with connection:
                connection.executescript(_SCHEMA)
                yield connection
        finally:
            connection.close()


def fingerprint(certificate: bytes | x509.Certificate) -> str:
    """SHA-256 (hex) of the certificate's DER: how a registered peer is named."""
    return sha256(certificate if isinstance(certificate, bytes) else der(certificate)).hexdigest()


def der(certificate: x509.Certificate) -> bytes:
    """The certificate's DER."""
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate: x509.Certificate) -> bytes:
    """The certificate's PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def from_pem(data: bytes) -> x509.Certificate:
    """The first certificate of PEM text."""
    return x509.load_pem_x509_certificate(data)


def from_der(data: bytes) -> x509.Certificate:
    """The certificate of DER bytes."""
    return x509.load_der_x509_certificate(data)


def common_name(certificate: x509.Certificate) -> str:
    """The subject's common name, or an empty text."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def organisation(certificate: x509.Certificate) -> str:
    """The subject's organisation, or an empty text."""
    found = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else ""


def public_key(certificate: x509.Certificate) -> keys.PublicKey:
    """The certificate's key; ValueError when it is of a kind that the platform does not use."""
    key = certificate.public_key()
    if not isinstance(key, keys.PublicKey):
        raise ValueError("only P-256 and Ed25519 certificates are accepted")
    return key


def was_issued_by(certificate: x509.Certificate, authority: x509.Certificate, *, at: datetime) -> bool:
    """Whether `authority` signed `certificate` directly and both are valid at the aware instant `at`."""
    try:
        certificate.verify_directly_issued_by(authority)
    except Exception:  # InvalidSignature, ValueError, TypeError: every way of not being issued by it
        return False
    return all(c.not_valid_before_utc <= at <= c.not_valid_after_utc for c in (certificate, authority))


def is_on_crl(crl: bytes, certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether a DER list names the certificate; ValueError when the list is not the authority's own."""
    return revocation.read(crl, authority).find(certificate.serial_number) is not None


def _next_number(register: sqlite3.Connection, now: datetime) -> int:
    # Milliseconds, so that numbers go on rising after a folder is restored from an older copy.
    last = register.execute("SELECT max(number) FROM lists").fetchone()[0] or 0
    number = max(int(now.timestamp() * 1000), last + 1)
    register.execute("INSERT INTO lists (number, made_at) VALUES (?, ?)", (number, now.isoformat()))
    return number


def _self_signed(key: ec.EllipticCurvePrivateKey, name: x509.Name) -> x509.Certificate:
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def key_usage(*, commitment: bool = False, authority: bool = False) -> x509.KeyUsage:
    """What a key may sign (RFC 5280 4.2.1.3): data, also to commit its holder; or certificates and lists."""
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _whom_to_ask(crl_url: str, ocsp_url: str) -> Iterator[x509.ExtensionType]:
    if crl_url:
        place = [x509.UniformResourceIdentifier(crl_url)]
        yield x509.CRLDistributionPoints([x509.DistributionPoint(place, None, None, None)])
    if ocsp_url:
        at = x509.UniformResourceIdentifier(ocsp_url)
        yield x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, at)])


def _authority_id(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _name(common: str, org: str, serial: str | None = None) -> x509.Name:
    parts = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "TW"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, org),
        x509.NameAttribute(NameOID.COMMON_NAME, common),
    ]
    if serial:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial))
    return x509.Name(parts)
