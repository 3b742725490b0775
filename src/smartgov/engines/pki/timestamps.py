"""RFC 3161 time stamps: ask an authority, and check what it answered against the authority that is trusted."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

import rfc3161_client as rfc3161
from cryptography import x509

CONTENT_TYPE = "application/timestamp-query"
ANSWER_TYPE = "application/timestamp-reply"


def request(data: bytes) -> bytes:
    """The DER request for a stamp over the SHA-256 of `data`, with a nonce, asking for the signer's certificate."""
    return rfc3161.TimestampRequestBuilder().data(data).hash_algorithm(rfc3161.HashAlgorithm.SHA256).build().as_bytes()


def verify(answer: bytes, data: bytes, roots: list[x509.Certificate]) -> datetime:
    """When `data` was stamped, by the DER `answer` of an authority under one of `roots`.

    ValueError when it is no stamp over these bytes or nobody trusted signed it. The certificates have to be valid at
    the time of the stamp, not now.
    """
    try:
        parsed = rfc3161.decode_timestamp_response(answer)
        builder = rfc3161.VerifierBuilder()
        for root in roots:
            builder = builder.add_root_certificate(root)
        builder.build().verify(parsed, sha256(data).digest())
    except (rfc3161.VerificationError, ValueError) as error:
        raise ValueError(f"not a trusted time stamp: {error}") from error
    return parsed.tst_info.gen_time


def ends_at(answer: bytes) -> datetime:
    """When the first certificate within a stamp ends: before that it has to be stamped anew."""
    parsed = rfc3161.decode_timestamp_response(answer)
    certificates = [x509.load_der_x509_certificate(raw) for raw in parsed.signed_data.certificates]
    return min(certificate.not_valid_after_utc for certificate in certificates)
