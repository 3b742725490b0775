"""Seals on PDF documents (PAdES baseline B), by a key that stays in its own process, and what a sealed PDF is worth."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from smartgov.engines.pki import certificates, keys
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

# The library logs refused certificates with their subjects, and an uploaded file may name a person there.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
PLACEHOLDER = bytes(72)  # the longest DER form of a P-256 signature
_SIGNER_USAGE = {"non_repudiation"}
PROBLEMS = {
    "not-a-pdf": Text("The file is not a readable PDF.", "檔案不是可讀取的 PDF。"),
    "no-seal": Text("The document carries no seal.", "文件沒有電子印章。"),
    "altered-inside": Text("The sealed content was altered.", "蓋章後的內容遭更動。"),
    "altered-later": Text("Something was added after the seal.", "蓋章後另有附加內容。"),
    "signer-not-trusted": Text("The seal is not by a trusted authority.", "電子印章並非由受信任機關核發。"),
    "certificate-revoked": Text("The seal's certificate was revoked.", "電子印章的憑證已廢止。"),
}


@dataclass(frozen=True, slots=True)
class PdfVerdict:
    """What was found. `problems` holds keys of `PROBLEMS`; the document is `valid` exactly when it is empty.

    `signed_at` is what the signer says (no timestamp authority vouches for it); names come from the certificate.
    """

    valid: bool
    signer_name: str
    signer_organisation: str
    signed_at: datetime | None
    covers_whole_file: bool
    altered_later: bool
    problems: tuple[str, ...]
    certificate: x509.Certificate | None = None


def seal_pdf(
    pdf: bytes,
    *,
    signer: Callable[[bytes], bytes],
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate] = (),
    reason: str,
    location: str,
    field_name: str = "Seal",
) -> bytes:
    """`pdf` with an invisible seal that forbids every later change.

    `signer` gets the bytes to be signed and returns ECDSA with SHA-256 in DER; it is called once and may ask another
    process. `certificate` is one of usage `seal`. The seal is an incremental update without appearance, so that a
    PDF/A stays one.
    Problems: `pdf-unreadable` (400), `seal-failed` (502) when the signature is not by the certificate's key.
    """
    require_seal_usage(certificate)
    specification = fields.SigFieldSpec(field_name, box=None, readable_field_name=reason or field_name)
    metadata = signers.PdfSignatureMetadata(
        field_name=field_name,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        reason=reason,
        location=location,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        signer_key_usage=_SIGNER_USAGE,
    )
    worker = Sealer(metadata, _RemoteSigner(signer, certificate, chain), new_field_spec=specification)
    try:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        return bytes(worker.sign_pdf(writer).getvalue())
    except SigningError as error:
        raise cannot_seal(str(error)) from error
    except (PdfError, ValueError, KeyError, TypeError, OSError):
        raise unreadable() from None


def verify_pdf(
    pdf: bytes,
    *,
    trust_roots: Iterable[x509.Certificate],
    at: datetime,
    crls: Iterable[bytes] = (),
) -> PdfVerdict:
    """Judge every seal of `pdf` against `trust_roots` at the aware instant `at`; any flaw of any seal counts.

    Give the moment of issue as `at` when a trusted record of it exists: certificates end before documents do.
    `crls` are DER lists; one that no trust root signed is ignored. Nothing is fetched, and no input makes it raise.
    """
    roots = list(trust_roots)
    try:
        seals = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    except Exception:  # a hostile file may fail anywhere in the parser; all of it means the same to the reader
        return _refused("not-a-pdf")
    if not seals:
        return _refused("no-seal")
    try:
        return _judged(seals, roots, at, list(crls))
    except Exception:  # as above: what cannot be evaluated is not what was sealed
        return _refused("altered-inside")


class _RemoteSigner(signers.Signer):
    """A signer whose key is elsewhere."""

    def __init__(
        self, ask: Callable[[bytes], bytes], certificate: x509.Certificate, chain: Iterable[x509.Certificate]
    ) -> None:
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        for part in chain:
            store.register(asn1_of(part))
        super().__init__(signing_cert=asn1_of(certificate), cert_registry=store)
        self._ask, self._key = ask, certificate.public_key()

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if dry_run:
            return PLACEHOLDER
        signature = self._ask(data)
        if not (isinstance(self._key, ec.EllipticCurvePublicKey) and keys.verify_der(self._key, signature, data)):
            raise SigningError("the signature does not belong to the certificate")
        return signature


class Sealer(signers.PdfSigner):
    """Writes the platform's time, which tests can move, instead of the machine's."""

    def init_signing_session(self, *args: Any, **more: Any) -> Any:
        session = super().init_signing_session(*args, **more)
        session.system_time = clock.now()
        return session


def _judged(seals: list[Any], roots: list[x509.Certificate], at: datetime, crls: list[bytes]) -> PdfVerdict:
    problems: set[str] = set()
    whole = False
    for seal in seals:
        context = ValidationContext(trust_roots=[asn1_of(root) for root in roots], moment=at, allow_fetching=False)
        usage = KeyUsageConstraints(key_usage=_SIGNER_USAGE)
        status = validate_pdf_signature(seal, context, key_usage_settings=usage)
        whole = status.coverage is SignatureCoverageLevel.ENTIRE_FILE
        if not (status.intact and status.valid):
            problems.add("altered-inside")
        if not status.trusted:
            problems.add("signer-not-trusted")
        if not status.docmdp_ok:
            problems.add("altered-later")
        if _revoked(seal, roots, crls):
            problems.add("certificate-revoked")
    if not whole:
        problems.add("altered-later")
    signer = certificates.from_der(seals[-1].signer_cert.dump())
    return PdfVerdict(
        valid=not problems,
        signer_name=certificates.common_name(signer),
        signer_organisation=certificates.organisation(signer),
        signed_at=seals[-1].self_reported_timestamp,
        covers_whole_file=whole,
        altered_later="altered-later" in problems,
        problems=tuple(sorted(problems)),
        certificate=signer,
    )


def _revoked(seal: Any, roots: list[x509.Certificate], crls: list[bytes]) -> bool:
    signer = certificates.from_der(seal.signer_cert.dump())
    issuers = [root for root in roots if root.subject == signer.issuer]
    for root in issuers:
        for crl in crls:
            try:
                if certificates.is_on_crl(crl, signer, root):
                    return True
            except ValueError:
                continue
    return False


def _refused(problem: str) -> PdfVerdict:
    return PdfVerdict(
        valid=False,
        signer_name="",
        signer_organisation="",
        signed_at=None,
        covers_whole_file=False,
        altered_later=False,
        problems=(problem,),
    )


def asn1_of(certificate: x509.Certificate) -> asn1.Certificate:
    """The certificate in the form that the signing library takes."""
    return asn1.Certificate.load(certificates.der(certificate))


def require_seal_usage(certificate: x509.Certificate) -> None:
    """Problem `seal-failed` unless the certificate is for signatures that bind."""
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    if not usage.content_commitment:
        raise cannot_seal("The certificate is not one for seals.")


def unreadable() -> Problem:
    """The file is no PDF that can be signed."""
    return Problem(
        "pdf-unreadable",
        400,
        what=Text("The PDF cannot be sealed.", "無法在此 PDF 加蓋電子印章。"),
        why=Text("It is damaged, encrypted or sealed already.", "檔案毀損、已加密或已蓋章。"),
        todo=Text("Make the document anew.", "請重新產生文件。"),
    )


def cannot_seal(why: str) -> Problem:
    """The signature came out wrong, or may not be made."""
    return Problem(
        "seal-failed",
        502,
        what=Text("The document could not be sealed.", "無法完成電子印章。"),
        why=Text(why.rstrip(".") + ".", "簽章與憑證不符或文件不接受簽章。"),
        todo=Text("Check the agency's seal key and certificate.", "請檢查機關的印章金鑰與憑證。"),
    )
