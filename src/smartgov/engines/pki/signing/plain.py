"""CMS signatures over any bytes (detached), made in one step by a key that answers at once."""

from __future__ import annotations

from collections.abc import Iterable

from asn1crypto import cms
from cryptography import x509

from smartgov.engines.pki import pades
from smartgov.engines.pki.signing import behalf, documents, stamping


def sign_data(
    data: bytes,
    *,
    signer: documents.Signer,
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate] = (),
    stamp: stamping.AskForStamp | None = None,
    on_behalf_of: behalf.Behalf | None = None,
) -> bytes:
    """The DER of a detached CMS signature over `data` (CAdES baseline B, with `stamp` T).

    Problems as in `documents.finish`.
    """
    pades.require_seal_usage(certificate)
    chain = list(chain)
    to_sign = documents.attributes_over(data, certificate, chain, on_behalf_of)
    content = cms.ContentInfo({"content_type": "data"})
    signed = documents.package(to_sign, signer(to_sign), certificate, chain, stamp, content)
    der: bytes = signed.dump()
    return der
