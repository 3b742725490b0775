"""Signing a PDF in two halves, because the key is a person's phone or an agency's gateway: `prepare` says which bytes
the key has to sign, `finish` puts the signature in, has it time-stamped (B-T) and adds evidence of validity (B-LT).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import Any, TypeVar

from asn1crypto import cms
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import fields, signers
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps import TimestampRequestError
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from smartgov.engines.pki import citizen, pades
from smartgov.engines.pki.signing import behalf, stamping
from smartgov.shared import clock
from smartgov.shared.problems import TRY_AGAIN, Problem
from smartgov.shared.text import Text

Signer = Callable[[bytes], bytes]
"""Gets the bytes to be signed, returns ECDSA with SHA-256 in DER, or PKCS#1 v1.5 of an RSA key."""
_RESERVED = 24 * 1024  # hexadecimal digits: room for certificates and a stamp
_PERSON = {"non_repudiation"}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with an empty place for the signature. `to_sign` is what the key signs; it holds `digest`.

    `digest` (SHA-256, hex) covers the whole document but the empty place: what a person compares on two screens.
    """

    document: bytes
    to_sign: bytes
    digest: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows years later that the certificate was good: lists and answers (DER), and certificates of the chain."""

    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    certificates: tuple[x509.Certificate, ...] = field(default=())


def prepare(
    pdf: bytes,
    *,
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate] = (),
    reason: str,
    location: str = "TW",
    field_name: str = "Signature",
    on_behalf_of: behalf.Behalf | None = None,
    certify: bool = False,
) -> Prepared:
    """Lay out the signature of `certificate`'s key on `pdf`. With `certify` nothing may ever be added but evidence.

    Problems: `pdf-unreadable` (400), `seal-failed` (502) for a certificate that is not for signing documents.
    """
    pades.require_seal_usage(certificate)
    signer = _external(certificate, chain)
    metadata = signers.PdfSignatureMetadata(
        field_name=field_name,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        reason=reason or None,
        location=location,
        certify=certify,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES if certify else fields.MDPPerm.FILL_FORMS,
        signer_key_usage=_PERSON,
    )
    spec = fields.SigFieldSpec(field_name, box=None, readable_field_name=reason or field_name)
    worker = pades.Sealer(metadata, signer, new_field_spec=spec)
    try:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        output = BytesIO()
        laid_out = worker.async_digest_doc_for_signing(writer, bytes_reserved=_RESERVED, output=output)
        digest = run(laid_out)[0]
        attributes = run(_attributes(signer, digest.document_digest, on_behalf_of, use_pades=True))
    except SigningError as error:
        raise pades.cannot_seal(str(error)) from error
    except (PdfError, ValueError, KeyError, TypeError, OSError):
        raise pades.unreadable() from None
    return Prepared(
        output.getvalue(),
        attributes.dump(),
        digest.document_digest.hex(),
        digest.reserved_region_start,
        digest.reserved_region_end,
    )


def finish(
    prepared: Prepared,
    signature: bytes,
    *,
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate] = (),
    stamp: stamping.AskForStamp | None = None,
    evidence: Evidence | None = None,
) -> bytes:
    """The signed document: B-B; with `stamp` B-T; with `evidence` too B-LT.

    Problems: `seal-failed` (502) when the signature is not the certificate's, `stamp-missing` (503).
    """
    chain = list(chain)
    signed = package(prepared.to_sign, signature, certificate, chain, stamp)
    output = BytesIO(prepared.document)
    place = PreparedByteRangeDigest(bytes.fromhex(prepared.digest), prepared.begin, prepared.end)
    try:
        contents = place.fill_with_cms(output, signed)
        if evidence is not None:
            DocumentSecurityStore.add_dss(
                output,
                contents,
                certs=[pades.asn1_of(one) for one in (certificate, *chain, *evidence.certificates)],
                crls=[asn1_crl.CertificateList.load(der) for der in evidence.crls],
                ocsps=[asn1_ocsp.OCSPResponse.load(der) for der in evidence.ocsps],
            )
    except SigningError as error:
        raise pades.cannot_seal(str(error)) from error
    return output.getvalue()


def sign(
    pdf: bytes,
    *,
    signer: Signer,
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate] = (),
    stamp: stamping.AskForStamp | None = None,
    evidence: Evidence | None = None,
    **layout: Any,
) -> bytes:
    """`prepare`, ask `signer`, `finish`: for keys that answer at once."""
    chain = list(chain)
    prepared = prepare(pdf, certificate=certificate, chain=chain, **layout)
    signature = signer(prepared.to_sign)
    return finish(prepared, signature, certificate=certificate, chain=chain, stamp=stamp, evidence=evidence)


def package(
    to_sign: bytes,
    signature: bytes,
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate],
    stamp: stamping.AskForStamp | None,
    content: Any = None,
) -> cms.ContentInfo:
    """The CMS object around a signature over `to_sign` (the DER of signed attributes)."""
    try:
        citizen.require_signed(certificate, signature, to_sign)
    except citizen.NotProvenError:
        raise pades.cannot_seal("The signature does not belong to the certificate.") from None
    signer = _external(certificate, chain, signature)
    stamper = None if stamp is None else stamping.Stamper(stamp)
    attributes = cms.CMSAttributes.load(to_sign)
    try:
        return run(
            signer.async_sign_prescribed_attributes(
                "sha256", attributes, timestamper=stamper, encap_content_info=content
            )
        )
    except (TimestampRequestError, OSError, ValueError) as error:
        raise _no_stamp() from error


def attributes_over(
    data: bytes,
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate],
    on_behalf_of: behalf.Behalf | None,
) -> bytes:
    """The DER of the signed attributes over `data` that are not a PDF's."""
    signer = _external(certificate, chain)
    der: bytes = run(_attributes(signer, sha256(data).digest(), on_behalf_of, use_pades=False)).dump()
    return der


async def _attributes(
    signer: signers.ExternalSigner, digest: bytes, who: behalf.Behalf | None, *, use_pades: bool
) -> cms.CMSAttributes:
    settings = PdfCMSSignedAttributes(
        signing_time=None if use_pades else clock.now(), cades_signed_attrs=behalf.attribute(who)
    )
    return await signer.signed_attrs(digest, "sha256", attr_settings=settings, use_pades=True, is_pdf_sig=use_pades)


def _external(
    certificate: x509.Certificate, chain: Iterable[x509.Certificate], signature: bytes = b""
) -> signers.ExternalSigner:
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    for part in chain:
        store.register(pades.asn1_of(part))
    return signers.ExternalSigner(pades.asn1_of(certificate), store, signature or pades.PLACEHOLDER)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end, also where a loop runs already (the library offers asynchronous halves only)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _no_stamp() -> Problem:
    return Problem(
        "stamp-missing",
        503,
        what=Text("The signature could not be time-stamped.", "簽章無法加上時戳。"),
        why=Text("The time-stamping authority did not answer as it should.", "時戳服務沒有正確回應。"),
        todo=TRY_AGAIN,
    )
