"""What the FIDO Alliance's metadata service (MDS3) says of a key's model, and whether an attestation leads to it.

The signed file is imported by the command `fido_metadata` and lies in the country's folder; its signature is checked
again, against the pinned root, whenever it is loaded, so that a changed file counts for nothing. Without a file no key
reaches level 3.
"""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Literal

import structlog
from cryptography import x509
from fido2.attestation.base import InvalidAttestation
from fido2.mds3 import AuthenticatorStatus, MdsAttestationVerifier, MetadataBlobPayload, parse_blob
from fido2.utils import websafe_decode
from fido2.webauthn import Aaguid, AttestationObject

from smartgov.shared import clock, homes

Standing = Literal["good", "unknown", "weak", "broken"]
HOST = "mds.fidoalliance.org"
"""Whom the certificate that signs the file names (FIDO Metadata Service 3.0, section 3.2)."""
_BROKEN = {
    AuthenticatorStatus.REVOKED,
    AuthenticatorStatus.USER_KEY_REMOTE_COMPROMISE,
    AuthenticatorStatus.USER_VERIFICATION_BYPASS,  # whoever finds the key could use it, and it is the only means asked
}
_WEAK = {
    AuthenticatorStatus.ATTESTATION_KEY_COMPROMISE,
    AuthenticatorStatus.USER_KEY_PHYSICAL_COMPROMISE,
    AuthenticatorStatus.NOT_FIDO_CERTIFIED,
    AuthenticatorStatus.SELF_ASSERTION_SUBMITTED,
}
_HARDWARE = {"hardware", "secure_element", "tee"}
logger = structlog.get_logger()


class MetadataRefusedError(Exception):
    """A metadata file that is not believed; the message says why."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has brought."""

    number: int
    models: int
    next_update: date


def check(blob: bytes, root: bytes, *, host: str = HOST) -> MetadataBlobPayload:
    """The content of a metadata file whose signature leads to `root` (DER); MetadataRefusedError otherwise.

    fido2 checks the chain of signatures; that each certificate is in force, that those above the first may sign others,
    and whom the first one names is checked here.
    """
    try:
        payload = parse_blob(blob.strip(), root)
        header = json.loads(websafe_decode(blob.strip().split(b".", 1)[0]))
        chain = [x509.load_der_x509_certificate(b64decode(text)) for text in header["x5c"]]
    except Exception as error:  # whatever is wrong with a file from outside, it is refused
        raise MetadataRefusedError(f"the signature or form is wrong ({type(error).__name__})") from None
    now = clock.now()
    for certificate in [*chain, x509.load_der_x509_certificate(root)]:
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise MetadataRefusedError("a certificate is not in force")
    for certificate in chain[1:]:
        if not _may_sign(certificate):
            raise MetadataRefusedError("a certificate may not sign others")
    if host not in _names(chain[0]):
        raise MetadataRefusedError(f"the signer is not {host}")
    return payload


def take(blob: bytes, root: bytes, *, host: str = HOST, older: bool = False) -> Imported:
    """Check a file and put it into use; one with a lower number than the present is refused unless `older`."""
    payload = check(blob, root, host=host)
    present = _loaded(*_written())
    if present is not None and payload.no < present.no and not older:
        raise MetadataRefusedError(f"its number {payload.no} is below the present {present.no}")
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("root.der", root), ("host", host.encode()), ("blob.jwt", blob.strip())):
        fresh = folder / f"{name}.new"
        fresh.write_bytes(content)
        fresh.replace(folder / name)
    return Imported(payload.no, len(payload.entries), payload.next_update)


def is_attested(attestation: bytes, client_data: bytes) -> bool:
    """Whether an attestation object leads to the root of a model that keeps keys in hardware and stands well.

    `attestation` is the CBOR that the browser gave at registration, `client_data` the JSON that it signed over.
    """
    verifier = _verifier()
    if verifier is None:
        return False
    try:
        entry = verifier.find_entry(AttestationObject(attestation), sha256(client_data).digest())
    except (InvalidAttestation, ValueError, KeyError, IndexError) as error:
        logger.info("attestation_not_believed", reason=type(error).__name__)
        return False
    statement = entry.metadata_statement if entry else None
    if entry is None or statement is None or not _HARDWARE & set(statement.key_protection):
        return False
    return standing(str(entry.aaguid)) == "good"


def standing(aaguid: str) -> Standing:
    """How a model stands now: weak keys count as software, broken ones are not taken at all."""
    payload = _loaded(*_written())
    entry = next((e for e in payload.entries if e.aaguid and str(e.aaguid) == aaguid), None) if payload else None
    if entry is None:
        return "unknown"
    said = {report.status for report in entry.status_reports}
    if said & _BROKEN:
        return "broken"
    return "weak" if said & _WEAK or not said else "good"


def model_of(aaguid: str) -> str:
    """The model's name in the metadata; empty when it is not in them."""
    payload = _loaded(*_written())
    entry = next((e for e in payload.entries if e.aaguid and str(e.aaguid) == aaguid), None) if payload else None
    return entry.metadata_statement.description if entry and entry.metadata_statement else ""


def is_there() -> bool:
    """Whether there is a file in use, so that keys can reach level 3."""
    return _loaded(*_written()) is not None


def is_overdue() -> bool:
    """Whether the file in use should have been replaced by a newer one."""
    payload = _loaded(*_written())
    return payload is not None and payload.next_update < clock.today()


def aaguid_of(raw: bytes | str) -> str:
    """The id of a model as text; empty for the zeros of a key that does not say."""
    found = Aaguid.parse(raw) if isinstance(raw, str) else Aaguid(raw)
    return str(found) if found else ""


def _verifier() -> MdsAttestationVerifier | None:
    payload = _loaded(*_written())
    return MdsAttestationVerifier(payload) if payload else None


def _folder() -> Path:
    return homes.home() / "identity" / "fido"


def _written() -> tuple[str, int]:
    path = _folder() / "blob.jwt"
    return str(path), path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=2)
def _loaded(path: str, written: int) -> MetadataBlobPayload | None:
    if not written:
        return None
    folder = Path(path).parent
    try:
        return check(
            Path(path).read_bytes(), (folder / "root.der").read_bytes(), host=(folder / "host").read_text().strip()
        )
    except (MetadataRefusedError, OSError) as error:
        logger.warning("fido_metadata_unusable", reason=str(error))
        return None


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _names(certificate: x509.Certificate) -> set[str]:
    found = {str(part.value) for part in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)}
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return found
    return found | set(alternative.get_values_for_type(x509.DNSName))
