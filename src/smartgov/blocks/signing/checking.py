"""What the signatures of a file are worth, by the authorities that this country trusts. Nothing is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509

from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.identity import api as identity
from smartgov.blocks.signing import desk, lists, outside
from smartgov.blocks.signing.ports import Mandates
from smartgov.engines.pki import certificates, signing
from smartgov.engines.pki.revocation import Finding, Policy
from smartgov.shared import clock
from smartgov.shared.problems import Problem

_POLICY = Policy(longest_age=timedelta(hours=24))


def check(content: bytes) -> signing.Report:
    """The report on a PDF. Problem `authority-unreachable` while nobody can say what is still in force."""
    return _with_mandates(signing.check_pdf(content, trust(), at=clock.now()))


def check_data(content: bytes, signature: bytes) -> signing.Report:
    """The report on a detached CMS signature over data."""
    return _with_mandates(signing.check_data(signature, content, trust(), at=clock.now()))


def register_mandates(mandates: Mandates) -> None:
    """Set who is asked whether a mandate held (the block that keeps mandates does, when the site starts)."""
    _mandates[:] = [mandates]


_mandates: list[Mandates] = []


def _with_mandates(report: signing.Report) -> signing.Report:
    """The report with the word of whoever keeps mandates; a mandate that did not hold makes a signature worthless."""
    if not any(one.on_behalf_of for one in report.signatures):
        return report
    signatures = tuple(_judged(one) for one in report.signatures)
    problems = tuple(sorted({problem for one in signatures for problem in one.problems}))
    return replace(report, signatures=signatures, problems=problems, valid=not problems)


def _judged(one: signing.SignatureReport) -> signing.SignatureReport:
    if not one.on_behalf_of:
        return one
    word = _word_on(one)
    if word != "not-held":
        return replace(one, mandate_word=word)
    return replace(one, mandate_word=word, valid=False, problems=tuple(sorted({*one.problems, "mandate-not-held"})))


def _word_on(one: signing.SignatureReport) -> str:
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
        return desk.holder_of(subject)
    named = certificate.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)
    return str(named[0].value) if named else ""


def trust() -> signing.Trust:
    """Who is trusted: the citizens' authority, that of the seals, the state's, and others; each with its news."""
    services = outside.current()
    citizens = certificates.from_pem(services.authority.certificate())
    seals = exchange.seal_trust(_agencies())

    def ask(
        certificate: x509.Certificate, authority: x509.Certificate, now: datetime, signed_at: datetime | None
    ) -> Finding | None:
        told = lists.finding(certificate, authority, now, signed_at, _POLICY)
        return told or identity.state_finding(certificate, authority, signed_at)

    return signing.Trust(
        roots=tuple(dict.fromkeys((citizens, *seals.roots, *lists.authorities(), *identity.state_authorities()))),
        time_roots=tuple({certificates.from_pem(services.clocktower.root()): None, **dict.fromkeys(seals.time_roots)}),
        crls=(services.authority.crl(), *seals.crls),
        policy=_POLICY,
        ask=ask,
        without_news=seals.without_news,
    )


def _agencies() -> tuple[x509.Certificate, ...]:
    """The authority behind the agencies' seals, from the first gateway that answers; all have the same."""
    for member in exchange.members():
        try:
            _, chain = exchange.seal_chain(member.code)
        except Problem:
            continue
        return tuple(chain[-1:])
    return ()
