"""From a laid-out document and a signature to the file that its owner takes home, whoever's key signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from cryptography import x509

from smartgov.blocks.identity import api as identity
from smartgov.blocks.signing import domain, outside, represented
from smartgov.blocks.signing.domain import DocumentState
from smartgov.blocks.signing.models import Document
from smartgov.engines.pki import certificates, keys, signing
from smartgov.engines.pki.signing import Evidence, Prepared, SignatureReport
from smartgov.engines.pki.signing.behalf import Behalf
from smartgov.shared import clock


def lay_out(
    row: Document, *, certificate: x509.Certificate, issuer: x509.Certificate, reason: str, behalf: Behalf | None
) -> Prepared:
    """An empty place for this certificate's signature on a document that was opened and is not signed.

    Problems: `document-not-shown`, `already-signed`, `pdf-unreadable`.
    """
    if row.state == DocumentState.SIGNED:
        raise domain.ALREADY_SIGNED
    if row.shown_at is None:
        raise domain.NOT_SHOWN
    content = base64.b64decode(row.content)
    return signing.prepare(content, certificate=certificate, chain=[issuer], reason=reason[:100], on_behalf_of=behalf)


def as_text(prepared: Prepared) -> str:
    """To be kept until the signature is there."""
    return json.dumps(
        {
            "document": base64.b64encode(prepared.document).decode(),
            "to_sign": keys.b64url(prepared.to_sign),
            "digest": prepared.digest,
            "begin": prepared.begin,
            "end": prepared.end,
        }
    )


def from_text(text: str) -> Prepared:
    """What `as_text` kept."""
    kept: Mapping[str, str] = json.loads(text)
    document, to_sign = base64.b64decode(kept["document"]), keys.from_b64url(kept["to_sign"])
    return Prepared(document, to_sign, kept["digest"], int(kept["begin"]), int(kept["end"]))


def finish(
    document: str,
    prepared: Prepared,
    signature: bytes,
    *,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    evidence: Evidence,
    means: str,
) -> None:
    """Put the signature in, have it stamped, look whether it holds, and lay it on the desk.

    Problems: `seal-failed`, `stamp-missing`, `mandate-over`; `already-signed` when another tab was sooner.
    """
    tower = outside.current().clocktower
    signed = signing.finish(
        prepared, signature, certificate=certificate, chain=[issuer], stamp=tower.stamp, evidence=evidence
    )
    report = _checked(signed, issuer, tower.root(), evidence)
    changed = Document.objects.filter(id=document, state=DocumentState.DRAFT).update(
        signed=base64.b64encode(signed).decode(),
        state=DocumentState.SIGNED,
        signed_at=clock.now(),
        means=means,
        level=report.level,
        issuer=certificates.common_name(issuer)[:200],
        stamped_at=report.stamped_at,
    )
    if not changed:
        raise domain.ALREADY_SIGNED


def _checked(signed: bytes, issuer: x509.Certificate, time_root: bytes, evidence: Evidence) -> SignatureReport:
    """What its reader will find, by what lies in it; nothing that does not hold is handed out."""
    trust = signing.Trust(
        (issuer,), tuple(x509.load_pem_x509_certificates(time_root)), crls=evidence.crls, ocsps=evidence.ocsps
    )
    one = represented.judged(signing.check_pdf(signed, trust, at=clock.now()).signatures[-1])
    if one.mandate_word == "not-held":  # it ended while the phone, the card or the app was asked
        raise domain.not_signed(identity.mandate_over())
    if not one.valid:
        raise domain.does_not_hold(one.problems)
    return one
