"""The keys of one gateway, each for one purpose, and the certificate with which it begins."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from smartgov.engines.pki import certificates, keys
from smartgov.shared import clock

P256 = ("tls", "message", "reference", "seal", "consent", "token", "configuration")
ED25519 = ("log", "witness")
_RAW = ("body", "index")
_TLS_LIFE = timedelta(days=825)


def make(path: Path, gateway: str) -> None:
    """Make the keys that the home `path` of `gateway` lacks; those that are there stay."""
    for name in P256:
        if not (file := path / "keys" / f"{name}.key").exists():
            keys.save_private(file, keys.generate_p256())
    for name in ED25519:
        if not (file := path / "keys" / f"{name}.key").exists():
            keys.save_private(file, keys.generate_ed25519())
    for name in _RAW:
        if not (file := path / "keys" / f"{name}.key").exists():
            keys.write_secret(file, os.urandom(32))
    if not (path / "certs" / "tls.pem").exists():
        certificate = _self_signed(keys.load_p256(path / "keys" / "tls.key"), gateway)
        keys.write_secret(path / "certs" / "tls.pem", certificates.pem(certificate))


def _self_signed(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    # No authority is needed: peers accept exactly the certificates whose fingerprints the signed configuration lists.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _TLS_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
