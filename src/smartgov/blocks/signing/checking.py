"""What the signatures of a file are worth, by the authorities that this country trusts. Nothing is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509

from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.signing import lists, outside
from smartgov.engines.pki import certificates, signing
from smartgov.engines.pki.revocation import Finding, Policy
from smartgov.shared import clock
from smartgov.shared.problems import Problem

_POLICY = Policy(longest_age=timedelta(hours=24))


def check(content: bytes) -> signing.Report:
    """The report on a PDF. Problem `authority-unreachable` while nobody can say what is still in force."""
    return signing.check_pdf(content, trust(), at=clock.now())


def check_data(content: bytes, signature: bytes) -> signing.Report:
    """The report on a detached CMS signature over data."""
    return signing.check_data(signature, content, trust(), at=clock.now())


def trust() -> signing.Trust:
    """Who is trusted: the citizens' authority with its list, the authority of the seals with its own, and others."""
    services = outside.current()
    citizens = certificates.from_pem(services.authority.certificate())
    seals = exchange.seal_trust(_agencies())

    def ask(
        certificate: x509.Certificate, authority: x509.Certificate, now: datetime, signed_at: datetime | None
    ) -> Finding | None:
        return lists.finding(certificate, authority, now, signed_at, _POLICY)

    return signing.Trust(
        roots=(citizens, *seals.roots, *lists.authorities()),
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
