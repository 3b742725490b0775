"""Signatures on behalf of another: the word of whoever keeps mandates on the mandate that stands behind one."""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509

from smartgov.blocks.identity import api as identity
from smartgov.blocks.signing.ports import Mandates
from smartgov.engines.pki.signing import SignatureReport
from smartgov.shared.problems import Problem

_SECTOR = "certification-authority"
_mandates: list[Mandates] = []


def register_mandates(mandates: Mandates) -> None:
    """Set who is asked whether a mandate held (the block that keeps mandates does, when the site starts)."""
    _mandates[:] = [mandates]


def holder_of(subject: str) -> str:
    """The person's name at the authority: a pseudonym that nobody else has."""
    return identity.pairwise(subject, _SECTOR)[:32]


def judged(one: SignatureReport) -> SignatureReport:
    """The report with that word, where somebody signed for another; a mandate that did not hold makes it worthless."""
    if not one.on_behalf_of:
        return one
    word = _word_on(one)
    if word != "not-held":
        return replace(one, mandate_word=word)
    return replace(one, mandate_word=word, valid=False, problems=tuple(sorted({*one.problems, "mandate-not-held"})))


def _word_on(one: SignatureReport) -> str:
    at = one.stamped_at or one.claimed_at
    if not _mandates or not one.mandate or one.certificate is None or at is None:
        return "unknown"
    holder = _holder(one.certificate)
    try:
        return _mandates[0].word(mandate=one.mandate, represented=one.on_behalf_of, holder=holder, at=at)
    except Problem:
        return "unknown"


def _holder(certificate: x509.Certificate) -> str:
    """The signer's pseudonym, also of a certificate of the state that was linked here; its own number else."""
    if (subject := identity.state_subject(certificate)) is not None:
        return holder_of(subject)
    named = certificate.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)
    return str(named[0].value) if named else ""
