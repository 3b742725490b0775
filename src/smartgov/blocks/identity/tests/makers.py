"""A maker of security keys and a metadata service of our own, for tests: the real file is not there offline."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from smartgov.blocks.identity.people import metadata
from smartgov.blocks.identity.tests.authenticator import Authenticator, b64
from smartgov.shared import clock

_AAGUID = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
_ATTESTED = 0x40


def certificate(
    names: dict[Any, str],
    key: Any,
    *,
    by: tuple[x509.Certificate, Any] | None = None,
    ca: bool = False,
    days: int = 30,
    aaguid: UUID | None = None,
) -> x509.Certificate:
    """A certificate for `key`, signed by `by` or by itself."""
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names.items()])
    issuer, signer = (by[0].subject, by[1]) if by else (subject, key)
    now = clock.now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=40))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if aaguid:
        value = x509.UnrecognizedExtension(_AAGUID, b"\x04\x10" + aaguid.bytes)
        builder = builder.add_extension(value, critical=False)
    return builder.sign(signer, SHA256())


class Maker:
    """Makes keys of one model, and vouches for each."""

    def __init__(self) -> None:
        self.aaguid = uuid4()
        self.root_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = certificate({NameOID.COMMON_NAME: "Test Maker Root"}, self.root_key, ca=True)
        names = {
            NameOID.COUNTRY_NAME: "TW",
            NameOID.ORGANIZATION_NAME: "Test Maker",
            NameOID.ORGANIZATIONAL_UNIT_NAME: "Authenticator Attestation",
            NameOID.COMMON_NAME: "Test Key 1",
        }
        self.leaf = certificate(names, self.key, by=(self.root, self.root_key), aaguid=self.aaguid)

    def entry(self, *statuses: str, protection: str = "hardware", roots: list[bytes] | None = None) -> dict[str, Any]:
        """How a metadata file lists this model."""
        roots = roots or [self.root.public_bytes(Encoding.DER)]
        statement = {
            "description": "Test Key 1",
            "authenticatorVersion": 1,
            "schema": 3,
            "upv": [{"major": 1, "minor": 0}],
            "attestationTypes": ["basic_full"],
            "userVerificationDetails": [[{"userVerificationMethod": "passcode_internal"}]],
            "keyProtection": [protection],
            "matcherProtection": ["on_chip"],
            "attachmentHint": ["external"],
            "tcDisplay": [],
            "attestationRootCertificates": [b64encode(root).decode() for root in roots],
            "aaguid": str(self.aaguid),
        }
        return {
            "aaguid": str(self.aaguid),
            "metadataStatement": statement,
            "statusReports": [{"status": status, "effectiveDate": "2026-01-01"} for status in statuses],
            "timeOfLastStatusChange": "2026-01-01",
        }


class Service:
    """Signs metadata files, as the FIDO Alliance does."""

    def __init__(self, *, host: str = metadata.HOST, days: int = 30) -> None:
        self.root_key, self.key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        self.root = certificate({NameOID.COMMON_NAME: "Test Root"}, self.root_key, ca=True)
        self.leaf = certificate({NameOID.COMMON_NAME: host}, self.key, by=(self.root, self.root_key), days=days)

    @property
    def root_der(self) -> bytes:
        """The root that is pinned."""
        return self.root.public_bytes(Encoding.DER)

    def blob(self, *entries: dict[str, Any], number: int = 1) -> bytes:
        """A signed file."""
        header = {"alg": "RS256", "typ": "JWT", "x5c": [b64encode(self.leaf.public_bytes(Encoding.DER)).decode()]}
        body = {
            "legalHeader": "test",
            "no": number,
            "nextUpdate": (clock.today() + timedelta(days=30)).isoformat(),
            "entries": list(entries),
        }
        message = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(body).encode())}".encode()
        return message + b"." + b64(self.key.sign(message, padding.PKCS1v15(), SHA256())).encode()


class SecurityKey(Authenticator):
    """A key of a maker's model; with `backed_up` it says that it can be copied."""

    def __init__(self, origin: str, maker: Maker, *, backed_up: bool = False) -> None:
        super().__init__(origin)
        self.maker = maker
        self.flags |= 0x18 if backed_up else 0

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer of `navigator.credentials.create`, with a packed attestation (WebAuthn section 8.2)."""
        point = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        attested = self.maker.aaguid.bytes + len(self.id).to_bytes(2, "big") + self.id + public
        data = self._data(self.flags | _ATTESTED) + attested
        client = self._client("webauthn.create", options["challenge"])
        signature = self.maker.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        chain = [self.maker.leaf.public_bytes(Encoding.DER)]
        statement = {"fmt": "packed", "attStmt": {"alg": -7, "sig": signature, "x5c": chain}, "authData": data}
        return self._credential({"clientDataJSON": b64(client), "attestationObject": b64(cbor2.dumps(statement))})
