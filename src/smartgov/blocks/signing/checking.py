"""What the signatures of a file are worth, by the authorities that this country trusts. Nothing is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509

from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.identity import api as identity
from smartgov.blocks.signing import lists, outside, represented
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


def _with_mandates(report: signing.Report) -> signing.Report:
    """The report with the word of whoever keeps mandates on each signature for another."""
    if not any(one.on_behalf_of for one in report.signatures):
        return report
    signatures = tuple(represented.judged(one) for one in report.signatures)
    problems = tuple(sorted({problem for one in signatures for problem in one.problems}))
    return replace(report, signatures=signatures, problems=problems, valid=not problems)


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
