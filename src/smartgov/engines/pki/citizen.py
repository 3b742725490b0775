"""The certificate of a natural person, as the Ministry of the Interior's authority issues it, and what its key signs.

It names a person by name and by a number of the authority's own (the subject's serialNumber). The national id is not in
it: only its last four characters are, as a subject directory attribute (RFC 5280 4.2.1.8). Who the number belongs to
is asked of the authority's verification service. The same facts stand in the card's certificate and in the mobile one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from asn1crypto import cms, core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from smartgov.engines.pki import certificates

LAST_FOUR = "2.16.886.1.100.2.51"
"""The attribute that holds the last four characters of the national id."""
DIRECTORY_ATTRIBUTES = x509.ObjectIdentifier("2.5.29.9")
SMALLEST_RSA = 2048


class NotProvenError(ValueError):
    """What was shown proves nothing; the text says what is wrong, for the log. It names nobody."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate names: `serial` is the authority's number for the person, `last_four` of the national id."""

    name: str
    serial: str
    last_four: str


class _Attribute(core.Sequence):  # type: ignore[misc]
    _fields = [("type", core.ObjectIdentifier), ("values", core.SetOf, {"spec": core.Any})]


class _Attributes(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _Attribute


def holder_of(certificate: x509.Certificate) -> Holder:
    """The facts of a natural person's certificate; NotProvenError when it is of another kind."""
    try:
        serial = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
        name, four = certificates.common_name(certificate), _last_four(certificate)
    except Exception:  # what somebody made to look like a certificate may fail anywhere in the parser
        raise NotProvenError("the certificate's names cannot be read") from None
    if len(serial) != 1 or not name or len(four) != 4:
        raise NotProvenError("the certificate is not one of a natural person")
    return Holder(name, str(serial[0].value), four)


def last_four_extension(last_four: str) -> x509.UnrecognizedExtension:
    """The extension that carries the last four characters (the authority's side of `holder_of`)."""
    one = _Attribute({"type": LAST_FOUR, "values": [core.PrintableString(last_four)]})
    return x509.UnrecognizedExtension(DIRECTORY_ATTRIBUTES, _Attributes([one]).dump())


def require_issued(
    certificate: x509.Certificate, authorities: Iterable[x509.Certificate], *, at: datetime
) -> x509.Certificate:
    """The one of `authorities` that issued the certificate, both in force at `at`; NotProvenError without one.

    The certificate has to be one for signatures and not one of an authority. Revocation is asked elsewhere.
    """
    issuer = next((one for one in authorities if certificates.was_issued_by(certificate, one, at=at)), None)
    if issuer is None:
        raise NotProvenError("no trusted authority issued the certificate, or it is not in force")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except Exception:  # as above
        raise NotProvenError("the certificate does not say what it is for") from None
    if not usage.digital_signature or usage.key_cert_sign:
        raise NotProvenError("the certificate is not one for signatures")
    return issuer


def require_signed(certificate: x509.Certificate, signature: bytes, data: bytes) -> None:
    """NotProvenError unless the certificate's key signed `data` with SHA-256 (PKCS#1 v1.5 with RSA, or ECDSA in DER).

    RSA keys of fewer than 2048 bits prove nothing.
    """
    try:
        key = certificate.public_key()
    except Exception:  # as above
        raise NotProvenError("the certificate's key cannot be read") from None
    try:
        if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA:
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        else:
            raise NotProvenError("the certificate's key is of a kind that is not accepted")
    except InvalidSignature:
        raise NotProvenError("the signature is not the certificate's over this content") from None


def opened(message: bytes, content: bytes) -> x509.Certificate:
    """The signer's certificate of a CMS signature (DER, the form PKCS#7 of card components) over `content`.

    The content may lie in it or beside it. NotProvenError unless there is exactly one signer, its certificate is in the
    message, and the signature covers exactly `content`. Who issued the certificate is not looked at here.
    """
    try:
        signed = cms.ContentInfo.load(message, strict=True)["content"]
        signers = list(signed["signer_infos"])
        inside = signed["encap_content_info"]["content"].native
        held = [one.chosen for one in signed["certificates"] if isinstance(one.chosen, asn1.Certificate)]
    except Exception:  # as below
        raise NotProvenError("the message is not a CMS signature") from None
    if len(signers) != 1:
        raise NotProvenError("there must be exactly one signer")
    if inside not in (None, content):
        raise NotProvenError("something else was signed")
    try:
        return _verified(signers[0], held, content)
    except NotProvenError:
        raise
    except Exception:  # what somebody made to look like a message may fail anywhere in the parsers
        raise NotProvenError("the message is not whole") from None


def packed(content: bytes, certificate: x509.Certificate, sign: Callable[[bytes], bytes]) -> bytes:
    """The CMS signature (DER, content beside it) that `opened` reads; `sign` asks the card with what it has to sign."""
    own = asn1.Certificate.load(certificates.der(certificate))
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["data"]},
            {"type": "message_digest", "values": [sha256(content).digest()]},
        ]
    )
    rsa_key = isinstance(certificate.public_key(), rsa.RSAPublicKey)
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": {
                "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                    {"issuer": own.issuer, "serial_number": own.serial_number}
                )
            },
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "rsassa_pkcs1v15" if rsa_key else "sha256_ecdsa"},
            "signature": sign(attributes.dump()),
        }
    )
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "data"},
            "certificates": [own],
            "signer_infos": [signer],
        }
    )
    der: bytes = cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()
    return der


def _verified(signer: cms.SignerInfo, held: list[asn1.Certificate], content: bytes) -> x509.Certificate:
    if signer["digest_algorithm"]["algorithm"].native != "sha256":
        raise NotProvenError("only SHA-256 is accepted")
    named = [one for one in held if _is_named(signer["sid"], one)]
    if len(named) != 1:
        raise NotProvenError("the signer's certificate is not in the message")
    certificate = certificates.from_der(named[0].dump())
    attributes = signer["signed_attrs"]
    covered = content
    if len(attributes):
        found = {one["type"].native: one["values"] for one in attributes}
        if [value.native for value in found["message_digest"]] != [sha256(content).digest()]:
            raise NotProvenError("something else was signed")
        if [value.native for value in found["content_type"]] != ["data"]:
            raise NotProvenError("the content is of another type")
        covered = attributes.untag().dump()  # RFC 5652 5.4: signed as a SET, sent under a tag of its own
    require_signed(certificate, signer["signature"].native, covered)
    return certificate


def _is_named(named: cms.SignerIdentifier, certificate: asn1.Certificate) -> bool:
    if named.name == "issuer_and_serial_number":
        same: bool = named.chosen["serial_number"].native == certificate.serial_number
        return same and named.chosen["issuer"] == certificate.issuer
    return bool(named.chosen.native == certificate.key_identifier)


def _last_four(certificate: x509.Certificate) -> str:
    try:
        value = certificate.extensions.get_extension_for_oid(DIRECTORY_ATTRIBUTES).value
        assert isinstance(value, x509.UnrecognizedExtension)
        found = [one for one in _Attributes.load(value.value) if one["type"].dotted == LAST_FOUR]
        return str(found[0]["values"][0].parse().native) if len(found) == 1 else ""
    except (x509.ExtensionNotFound, ValueError, TypeError, IndexError):
        return ""
