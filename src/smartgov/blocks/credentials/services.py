"""Verbs of `credentials`."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping
from hashlib import sha256
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404

from smartgov.blocks.audit import api as audit
from smartgov.blocks.credentials import facts, refusals, rendering
from smartgov.blocks.credentials.domain import (
    PROBLEMS,
    REASONS,
    TITLES,
    Credential,
    Reason,
    Status,
    Verdict,
    VerdictView,
    masked,
    new_code,
    seal_mark,
)
from smartgov.blocks.credentials.models import Certificate, Place
from smartgov.blocks.directory import api as directory
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.ops import api as ops
from smartgov.engines.pki import signing
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.sealed import blind_index
from smartgov.shared.text import Text

_MOST_REVISIONS = 50


def issue(
    *,
    actor: Actor,
    agency: str,
    template: str,
    title: Text,
    subject_national_id: str,
    holder_name: str,
    data: Mapping[str, Any],
    case: str,
) -> Credential:
    """Issue one certificate for a case; again gives the one there is.

    The PDF/A-3b is made here and sealed by the agency's own gateway (PAdES B-LT); whoever of gateway and authorities is
    down raises its Problem, and the next call goes on where this one stopped.
    """
    row = _reserve(actor, agency, template, title, subject_national_id, holder_name, data, case)
    if row.status == Status.PREPARING:
        document = _sealed(row, data)
        _keep(actor, row, document)
    return Credential(row.id, row.code, row.number, Status(row.status))


def document(*, agency: str, credential_id: str, national_id: str) -> bytes:
    """The sealed PDF for its holder; Http404 for anybody else."""
    row = Certificate.objects.filter(id=credential_id, agency=agency, holder_index=holder_index(national_id)).first()
    if row is None:
        raise Http404
    if row.status == Status.PREPARING or not row.document:
        raise refusals.NOT_ISSUED
    return content_of(row)


def content_of(row: Certificate) -> bytes:
    """The sealed PDF of a row."""
    return base64.b64decode(row.document)


def verify(code: str) -> VerdictView:
    """What the public may know about the certificate of a code; Http404 when there is none."""
    row = Certificate.objects.filter(code=code.upper()).exclude(status=Status.PREPARING).first()
    if row is None:
        raise Http404
    return view_of(row)


def verify_upload(pdf: bytes) -> Verdict:
    """Check a PDF that somebody was handed: its seal, whether it is the very file that was issued, and its status.

    A file that was issued and then added to is told from one that was never issued, and the issued one is given back.
    """
    roots = tuple({root: None for agency in _issuers() for root in exchange.seal_chain(agency)[1][-1:]})
    row, issued = _issued(pdf)
    # The record says when it was sealed; a seal's certificate may end before the document does.
    at = row.issued_at if row and row.issued_at else clock.now()
    found = signing.check_pdf(pdf, exchange.seal_trust(roots), at=at)
    keys = [*found.problems]
    if row is not None and issued != pdf and "altered-later" not in keys:
        keys.append("altered-later")
    said = facts.read(pdf, roots, at) if found.valid and not keys else None
    if row is None:
        keys.append("not-issued-here")
    elif row.status == Status.REVOKED:
        keys.append("revoked")
    if row and said is not None and seal_mark(said, row.salt) != row.mark:
        keys.append("data-differ")
    seal = found.signatures[-1] if found.valid else None
    return Verdict(
        genuine=not keys,
        signer=seal.name if seal else "",
        signed_at=(seal.stamped_at or seal.claimed_at) if seal else None,
        record=view_of(row) if row else None,
        problems=tuple({**signing.PROBLEMS, **PROBLEMS}[key] for key in keys),
        facts=tuple(facts.in_words(row.template, said)) if row and said and not keys else (),
        keys=tuple(keys),
        altered_later="altered-later" in keys,
        issued=issued,
    )


def _issued(pdf: bytes) -> tuple[Certificate | None, bytes | None]:
    """The record of the file, or of the file as it was before somebody added to it, and that file."""
    marks = [found.end() for found in islice(re.finditer(rb"%%EOF", pdf), _MOST_REVISIONS)]
    # The line may end after the mark or not; the digest goes on from one end to the next.
    ends = sorted({end for mark in marks for end in (mark, mark + 1, mark + 2) if end <= len(pdf)} | {len(pdf)})
    digest, before, parts = sha256(), 0, {}
    for end in ends:
        digest.update(pdf[before:end])
        parts[digest.hexdigest()] = before = end
    row = Certificate.objects.filter(file_digest__in=parts).first()
    return (row, pdf[: parts[row.file_digest]]) if row else (None, None)


@transaction.atomic
def revoke(*, actor: Actor, credential_id: str, reason: str) -> None:
    """Revoke a certificate of the officer's agency, for one of the listed reasons; its public page says so at once."""
    row = Certificate.objects.select_for_update().filter(id=credential_id, agency=actor.agency or "").first()
    if row is None or actor.kind != "officer":
        raise Http404
    if reason not in set(Reason):
        raise refusals.REASON_UNKNOWN
    if row.status != Status.VALID:
        raise refusals.ALREADY_REVOKED if row.status == Status.REVOKED else refusals.NOT_ISSUED
    row.status, row.revoked_at, row.revoked_by, row.revoked_reason = (
        Status.REVOKED,
        clock.now(),
        actor.seat or "",
        reason,
    )
    row.save(update_fields=("status", "revoked_at", "revoked_by", "revoked_reason"))
    Place.objects.filter(certificate=row.id).update(status=1)
    audit.record(
        actor=actor,
        action="certificate.revoked",
        object_type="certificate",
        object_id=row.id,
        detail={"reason": reason},
    )
    payload = {"credential": row.id, "case": row.case, "agency": row.agency}
    ops.emit("credential_revoked", aggregate=row.case, payload=payload, actor=actor)


def certificates(*, agency: str) -> list[VerdictView]:
    """The agency's certificates, newest first, as its officers see them."""
    rows = Certificate.objects.filter(agency=agency).exclude(status=Status.PREPARING).order_by("-issued_at")[:500]
    return [view_of(row) for row in rows]


def certificate(*, actor: Actor, code: str) -> tuple[str, VerdictView]:
    """One certificate of the officer's agency with its id; Http404 otherwise."""
    row = Certificate.objects.filter(code=code, agency=actor.agency or "").exclude(status=Status.PREPARING).first()
    if row is None:
        raise Http404
    return row.id, view_of(row)


def view_of(row: Certificate) -> VerdictView:
    """What a certificate's page shows."""
    status = Status(row.status)
    return VerdictView(
        code=row.code,
        title=Text.of(row.title),
        number=row.number,
        agency=directory.agency(row.agency).name,
        holder=masked(row.holder_name),
        status=status,
        status_title=TITLES[status],
        issued_at=row.issued_at or row.made_at,
        revoked_at=row.revoked_at,
        revoked_reason=REASONS[Reason(row.revoked_reason)] if row.revoked_reason else None,
        seal=row.mark,
    )


@transaction.atomic
def _reserve(
    actor: Actor,
    agency: str,
    template: str,
    title: Text,
    holder: str,
    holder_name: str,
    data: Mapping[str, Any],
    case: str,
) -> Certificate:
    salt = secrets.token_hex(16)
    row, made = Certificate.objects.get_or_create(
        agency=agency,
        template=template,
        case=case,
        defaults={
            "code": new_code(),
            "number": str(data["number"]),
            "title": title.as_dict(),
            "holder": holder,
            "holder_index": holder_index(holder),
            "holder_name": holder_name,
            "salt": salt,
            "mark": seal_mark(data, salt),
        },
    )
    if made:
        audit.record(actor=actor, action="certificate.begun", object_type="certificate", object_id=row.id)
    elif row.status == Status.PREPARING:
        row.mark = seal_mark(data, row.salt)
        row.save(update_fields=("mark",))
    return row


def _sealed(row: Certificate, data: Mapping[str, Any]) -> bytes:
    agency = directory.agency(row.agency)
    plain = rendering.render(
        row.template,
        data=data,
        number=row.number,
        issuer=agency.name,
        issued_on=clock.today(),
        mark=row.mark,
        address=f"{settings.ORIGIN}/credentials/verify/{row.code}#{row.mark}",
        facts=facts.attached(row.agency, row.template, row.code, data),
    )
    return exchange.seal_document(agency=row.agency, content=plain, reason=Text.of(row.title).en)


@transaction.atomic
def _keep(actor: Actor, row: Certificate, document: bytes) -> None:
    row.status, row.issued_at = Status.VALID, clock.now()
    kept = Certificate.objects.filter(id=row.id, status=Status.PREPARING).update(
        status=row.status,
        issued_at=row.issued_at,
        document=base64.b64encode(document).decode(),
        file_digest=sha256(document).hexdigest(),
    )
    if not kept:  # another worker was quicker; its document is the one
        row.refresh_from_db()
        return
    audit.record(actor=actor, action="certificate.issued", object_type="certificate", object_id=row.id)
    payload = {"credential": row.id, "case": row.case, "agency": row.agency}
    ops.emit("credential_issued", aggregate=row.case, payload=payload, actor=actor)


def _issuers() -> list[str]:
    return sorted(set(Certificate.objects.order_by().values_list("agency", flat=True)))


def holder_index(national_id: str) -> str:
    """What stands for the holder's national id in the table."""
    return blind_index(national_id, "credentials.holder")
