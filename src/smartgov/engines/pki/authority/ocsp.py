"""Answers about single certificates (RFC 6960): signed ahead and kept, or signed anew with the asker's nonce."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from smartgov.engines.pki import certificates, keys, revocation
from smartgov.engines.pki.authority.life import Record, State
from smartgov.engines.pki.revocation import Finding
from smartgov.shared import clock

LIFE = timedelta(hours=1)
_SLACK = timedelta(minutes=5)
_RENEWED_BEFORE_END = timedelta(days=30)
_LONGEST_NONCE = 128  # RFC 9654
_HELD = {State.ISSUED, State.SUSPENDED}
# RFC 6960 names certificates by digests that guard nothing; SHA-1 is what every asker can do.
_NAMED_BY: dict[str, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}  # noqa: S303


class Responder:
    """Signs answers with its own certificate (usage `ocsp`), so that the authority's key is not used for each asker."""

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, authority: x509.Certificate
    ) -> None:
        self._key, self._certificate, self._authority = key, certificate, authority
        self._kept: dict[tuple[int, str], tuple[tuple[object, ...], datetime, bytes]] = {}
        self._lock = threading.Lock()

    def asked(self, request: bytes) -> ocsp.OCSPRequest | None:
        """The request, if it is one about one certificate of this authority; else None."""
        try:
            found = ocsp.load_der_ocsp_request(request)
            algorithm = _NAMED_BY[found.hash_algorithm.name]
        except (ValueError, NotImplementedError, KeyError, TypeError):
            return None
        name, key = _names_of(self._authority, algorithm)
        return found if (found.issuer_name_hash, found.issuer_key_hash) == (name, key) else None

    def answer(self, request: ocsp.OCSPRequest, record: Record | None, now: datetime) -> bytes:
        """The DER answer about `record` (None: this authority never issued that serial)."""
        nonce = _nonce(request)
        if nonce is not None:
            return self._signed(request, record, now, nonce)
        about = (record.state, record.held_at, record.revoked_at, record.reason) if record else (None,)
        place = (request.serial_number, request.hash_algorithm.name)
        with self._lock:
            kept = self._kept.get(place)
            if kept and kept[0] == about and now < kept[1]:
                return kept[2]
        made = self._signed(request, record, now, None)
        if record is not None:  # serials that were never issued are without number, and not worth memory
            with self._lock:
                self._kept[place] = (about, now + LIFE - 2 * _SLACK, made)
        return made

    def sign_ahead(self, record: Record, now: datetime) -> None:
        """Make and keep the answer about an issued certificate in the form that most askers use."""
        assert record.serial is not None
        name, key = _names_of(self._authority, _NAMED_BY["sha1"])
        request = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, record.serial, _NAMED_BY["sha1"]).build()
        self.answer(request, record, now)

    def _signed(self, request: ocsp.OCSPRequest, record: Record | None, now: datetime, nonce: bytes | None) -> bytes:
        status, since, reason = _status(record)
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=request.issuer_name_hash,
            issuer_key_hash=request.issuer_key_hash,
            serial_number=request.serial_number,
            algorithm=request.hash_algorithm,
            cert_status=status,
            this_update=now - _SLACK,
            next_update=now + LIFE,
            revocation_time=since,
            revocation_reason=reason,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self._certificate)
        builder = builder.certificates([self._certificate])
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def responder(home: Path, ca: certificates.CertificateAuthority) -> Responder:
    """The responder of the authority whose folder is `home`: its certificate is made there, and anew near its end."""
    key_path, path = home / "ocsp.key", home / "ocsp.crt"
    if path.exists():
        certificate = certificates.from_pem(path.read_bytes())
        if clock.now() < certificate.not_valid_after_utc - _RENEWED_BEFORE_END:
            return Responder(keys.load_p256(key_path), certificate, ca.certificate)
    key = keys.generate_p256()
    certificate = ca.issue(key.public_key(), common_name="OCSP responder", organisation="smartgov", usage="ocsp")
    keys.save_private(key_path, key)
    path.write_bytes(certificates.pem(certificate))
    return Responder(key, certificate, ca.certificate)


def is_no_request(request: bytes) -> bool:
    """Whether the bytes are not even a request about one certificate."""
    try:
        ocsp.load_der_ocsp_request(request)
    except (ValueError, NotImplementedError):
        return True
    return False


def malformed() -> bytes:
    """The answer to what is not a request."""
    return _unsuccessful(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)


def unauthorized() -> bytes:
    """The answer about a certificate of somebody else (RFC 5019 section 2.2.3)."""
    return _unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)


def request_for(certificate: x509.Certificate, authority: x509.Certificate, nonce: bytes | None = None) -> bytes:
    """The DER request about `certificate`."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, authority, _NAMED_BY["sha1"])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(serialization.Encoding.DER)


def check(
    response: bytes,
    certificate: x509.Certificate,
    authority: x509.Certificate,
    *,
    now: datetime,
    policy: revocation.Policy = revocation.STRICT,
    signed_at: datetime | None = None,
    nonce: bytes | None = None,
) -> Finding:
    """What an answer says about `certificate`; ValueError when it is no trustworthy answer about it.

    Its signer has to be `authority` itself, or hold a certificate of it for that use. With `nonce` it must be a fresh
    one. Age and `signed_at` are judged as with lists (`revocation.judge`).
    """
    found = ocsp.load_der_ocsp_response(response)
    if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise ValueError(f"the responder answered {found.response_status.name.lower()}")
    _require_about(found, certificate, authority)
    _require_signer(found, authority)
    if nonce is not None and _nonce(found) != nonce:
        raise ValueError("the answer is not to this question")
    if found.this_update_utc > now + _SLACK:
        raise ValueError("the answer comes from the future")
    head = revocation.Head("", None, found.this_update_utc, found.next_update_utc, "")
    row = None
    if found.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        assert found.revocation_time_utc is not None
        reason = found.revocation_reason.value if found.revocation_reason else "unspecified"
        row = revocation.Revocation(certificate.serial_number, found.revocation_time_utc, reason)
    elif found.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        return Finding("unknown", False, "ocsp", found.this_update_utc)
    judged = revocation.judge(head, row, now=now, policy=policy, signed_at=signed_at)
    return Finding(judged.status, judged.accepted, "ocsp", judged.made_at, judged.stale, judged.since, judged.reason)


def _status(record: Record | None) -> tuple[ocsp.OCSPCertStatus, datetime | None, x509.ReasonFlags | None]:
    if record is None or record.serial is None:
        return ocsp.OCSPCertStatus.UNKNOWN, None, None
    if record.state in _HELD:
        return ocsp.OCSPCertStatus.REVOKED, record.held_at, x509.ReasonFlags.certificate_hold
    if record.state is State.REVOKED:
        return ocsp.OCSPCertStatus.REVOKED, record.revoked_at, revocation.reason_flag(record.reason)
    return ocsp.OCSPCertStatus.GOOD, None, None  # an expired certificate was never revoked


def _names_of(authority: x509.Certificate, algorithm: hashes.HashAlgorithm) -> tuple[bytes, bytes]:
    request = ocsp.OCSPRequestBuilder().add_certificate(authority, authority, algorithm).build()
    return request.issuer_name_hash, request.issuer_key_hash


def _nonce(message: ocsp.OCSPRequest | ocsp.OCSPResponse) -> bytes | None:
    try:
        value = message.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None
    return value if 1 <= len(value) <= _LONGEST_NONCE else None


def _require_about(found: ocsp.OCSPResponse, certificate: x509.Certificate, authority: x509.Certificate) -> None:
    name, key = _names_of(authority, _NAMED_BY.get(found.hash_algorithm.name, found.hash_algorithm))
    wanted = (name, key, certificate.serial_number)
    if (found.issuer_name_hash, found.issuer_key_hash, found.serial_number) != wanted:
        raise ValueError("the answer is about another certificate")


def _require_signer(found: ocsp.OCSPResponse, authority: x509.Certificate) -> None:
    signer = next((one for one in found.certificates if _may_answer(one, authority, found)), authority)
    key, algorithm = signer.public_key(), found.signature_hash_algorithm
    if algorithm is None or not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise ValueError("the answer is signed in a way that is not accepted")
    try:
        if isinstance(key, rsa.RSAPublicKey):  # the government's authorities sign so
            key.verify(found.signature, found.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        else:
            key.verify(found.signature, found.tbs_response_bytes, ec.ECDSA(algorithm))
    except InvalidSignature:
        raise ValueError("the answer is not signed by the authority or its responder") from None


def _may_answer(certificate: x509.Certificate, authority: x509.Certificate, found: ocsp.OCSPResponse) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except Exception:  # InvalidSignature, ValueError, TypeError, ExtensionNotFound: every way of not being one
        return False
    made = found.produced_at_utc
    in_force = certificate.not_valid_before_utc <= made + _SLACK and made <= certificate.not_valid_after_utc
    return ExtendedKeyUsageOID.OCSP_SIGNING in usage and in_force


def _unsuccessful(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(serialization.Encoding.DER)
