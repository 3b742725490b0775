"""Signing with a certificate of the state, by card or by TW FidO: what a person is offered, asked, and gets.

The platform never has the key: the card's helper or the app shows the document's name and fingerprint, and signs. The
answer is looked at once it is there, and taken once: only from the certificate that is linked to the person, only while
its authority says that it is good.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from django.conf import settings
from django.http import Http404
from django.urls import reverse

from smartgov.blocks.identity import api as identity
from smartgov.blocks.signing import desk, domain, finishing
from smartgov.blocks.signing.domain import Choice, PaperView
from smartgov.blocks.signing.models import Document, StatePaper
from smartgov.engines.pki.authority import State
from smartgov.shared import clock, ids
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem

_LONGEST_ANSWER = 20_000


def choices(*, actor: Actor) -> list[Choice]:
    """Every means of signing, with what is missing where a person cannot use it. Nobody outside is asked."""
    subject = desk.own(actor)
    found = [_platform(actor)]
    for one in identity.signing_offers(subject):
        lack = domain.LACKS[one.lack] if one.lack else None
        found.append(Choice(one.means, domain.MEANS[one.means], lack, one.issuer, one.until))
    return found


def begin(*, actor: Actor, document_id: str, choice: str, reason: str = "") -> str:
    """Lay out the signature and ask the card or the app for it; returns the paper's id.

    Problems: those of `finishing.lay_out`, `assurance-too-low`, `no-certificate` without such a means,
    `certificate-revoked`, `certificate-standing-unknown`, `means-unreachable`.
    """
    desk.require_strong(actor)
    row = desk.mine(actor, document_id)
    means, way = domain.WAYS.get(choice, ("", ""))
    able = {one.means: one for one in identity.signing_certificates(row.subject)}.get(means)
    if able is None:
        raise domain.NO_CERTIFICATE
    laid_out = finishing.lay_out(
        row, certificate=able.certificate, issuer=able.issuer, reason=reason, behalf=desk.behalf_of(actor)
    )
    made = ids.uuid7()
    page = "signing:paper-answer" if means == "card" else "signing:paper"
    try:
        begun = identity.begin_paper(
            subject=row.subject,
            means=means,
            paper=identity.Paper(row.name, laid_out.digest, laid_out.to_sign),
            way=way,
            back=settings.ORIGIN + reverse(page, args=[made]),
        )
    except Problem as problem:
        raise domain.not_signed(problem) from problem
    StatePaper.objects.create(
        id=made,
        subject=row.subject,
        document=row.id,
        means=means,
        begun=_as_text(begun),
        prepared=finishing.as_text(laid_out),
        expires_at=begun.until,
    )
    return made


def paper(*, actor: Actor, paper_id: str) -> PaperView:
    """A paper of the person's own; Http404 otherwise."""
    row = _paper(actor, paper_id)
    begun = _from_text(row.begun)
    return PaperView(
        id=row.id,
        means=row.means,
        number=begun.number,
        document=row.document,
        document_name=begun.paper.name,
        fingerprint=domain.fingerprint(begun.paper.digest),
        opened=begun.opened,
        expires_at=row.expires_at,
    )


def deliver(*, paper_id: str, answer: str) -> bool:
    """Keep what a browser brought from the card's helper; only its owner's page acts on it. False when it is over."""
    if not 0 < len(answer) <= _LONGEST_ANSWER:
        return False
    row = StatePaper.objects.filter(id=paper_id, means="card", used_at=None, expires_at__gt=clock.now()).first()
    if row is None or row.delivered:
        return False
    row.delivered = answer
    row.save(update_fields=["delivered"])
    return True


def cancel(*, actor: Actor, paper_id: str) -> str:
    """End it without an answer; one that comes later is not taken. Returns the document's id."""
    row = _paper(actor, paper_id)
    StatePaper.objects.filter(id=row.id, used_at=None).update(used_at=clock.now())
    return row.document


def is_waiting(*, actor: Actor, paper_id: str) -> bool:
    """Whether the person has still to act. Asks the means, not more often than it wants."""
    row = _paper(actor, paper_id)
    if row.used_at is not None or row.expires_at <= clock.now():
        return False
    return not _look(row)


def settle(*, actor: Actor, paper_id: str) -> bool:
    """Take what came back and finish the document; False while the person has not acted.

    Problems: `already-signed`; whatever says that nothing was signed (`means-cancelled`, `means-expired`,
    `card-locked`, `card-absent`, `not-approved`, `certificate-revoked`, `certificate-standing-unknown`,
    `stamp-missing`).
    """
    row = _paper(actor, paper_id)
    if row.used_at is not None:
        signed = Document.objects.filter(id=row.document, state=domain.DocumentState.SIGNED).exists()
        raise domain.ALREADY_SIGNED if signed else domain.CANCELLED
    begun = _from_text(row.begun)
    able = {one.means: one for one in identity.signing_certificates(row.subject)}.get(row.means)
    try:
        kept = _look(row)
        if not kept:
            return False
        signature, evidence = identity.take_paper(begun, kept)
    except Problem as problem:
        if problem.status < 500:  # nobody could say: then it may be said in a moment
            StatePaper.objects.filter(id=row.id).update(used_at=clock.now())
        raise domain.not_signed(problem) from problem
    if able is None or not StatePaper.objects.filter(id=row.id, used_at=None).update(used_at=clock.now()):
        raise domain.CANCELLED
    finishing.finish(
        row.document,
        finishing.from_text(row.prepared),
        signature,
        certificate=able.certificate,
        issuer=able.issuer,
        evidence=evidence,
        means=row.means,
    )
    desk.note(actor, "document.signed", row.document)
    return True


# -- within -----------------------------------------------------------------------------------------------------------


def _platform(actor: Actor) -> Choice:
    record, title = desk.own_certificate(actor=actor), domain.MEANS[domain.PHONE]
    if record is None or record.state is not State.ACTIVE:
        return Choice(domain.PHONE, title, domain.LACKS["no-certificate"])
    if not identity.mobile_keys(subject=desk.own(actor)):
        return Choice(domain.PHONE, title, domain.LACKS["no-phone"])
    return Choice(domain.PHONE, title, until=record.not_after)


def _look(row: StatePaper) -> str:
    """What came back, as text; empty while nothing did. A means is not asked again after it has answered."""
    if row.answer:
        return row.answer
    begun, now = _from_text(row.begun), clock.now()
    if row.looked_at is not None and (now - row.looked_at).total_seconds() < begun.pause:
        return ""
    row.answer, row.looked_at = identity.look_at_paper(begun, row.delivered.encode()), now
    row.save(update_fields=["answer", "looked_at"])
    return row.answer


def _as_text(begun: identity.PaperBegun) -> str:
    found = asdict(begun)
    found["paper"]["to_sign"] = begun.paper.to_sign.hex()
    return json.dumps({**found, "until": begun.until.isoformat()})


def _from_text(text: str) -> identity.PaperBegun:
    found = json.loads(text)
    written = found["paper"]
    found["paper"] = identity.Paper(written["name"], written["digest"], bytes.fromhex(written["to_sign"]))
    found["opened"] = identity.Opened(**found["opened"])
    found["until"] = datetime.fromisoformat(found["until"])
    return identity.PaperBegun(**found)


def _paper(actor: Actor, paper_id: str) -> StatePaper:
    row = StatePaper.objects.filter(id=paper_id, subject=desk.own(actor)).first()
    if row is None:
        raise Http404
    return row
