"""A person's desk: her certificate, her documents, and what her phone is asked to sign.

Nothing is signed that was not shown: the document has to have been opened here, and the digest of what will be signed
stands on this screen, on the phone, and in what the phone signs, together with our origin and a nonce of ours.
"""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime, timedelta

from cryptography import x509
from django.conf import settings
from django.db import transaction
from django.http import Http404

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import api as identity
from smartgov.blocks.signing import domain, finishing, outside
from smartgov.blocks.signing.domain import ApprovalView, DocumentState, DocumentView, Kind
from smartgov.blocks.signing.models import Approval, Document
from smartgov.blocks.signing.ports import Answer
from smartgov.blocks.signing.represented import holder_of
from smartgov.engines.pki import certificates, keys, signing
from smartgov.engines.pki.authority import Record, State, life, ocsp
from smartgov.engines.pki.signing.behalf import Behalf
from smartgov.shared import clock
from smartgov.shared.actor import Actor

_SIGN_IN = "office:sign-in"
_AUTOMAT = "office:automat"


def own_certificate(*, actor: Actor) -> Record | None:
    """The certificate that counts most: one in force, else the newest that is not over; None without any."""
    found = outside.current().authority.records(holder=holder_of(own(actor)))
    living = [one for one in found if one.state not in {State.REJECTED, State.REVOKED, State.EXPIRED}]
    active = [one for one in living if one.state is State.ACTIVE]
    # After an extension two are in force with the same key: the one that lasts longer counts.
    return max(active, key=lambda one: one.not_after or one.asked_at) if active else next(iter(living), None)


def to_activate(*, actor: Actor) -> Record | None:
    """The newest certificate that waits to be activated; beside one in force it is a renewal."""
    found = outside.current().authority.records(holder=holder_of(own(actor)))
    return next((one for one in found if one.state is State.ISSUED), None)


def begin_certificate(*, actor: Actor) -> str:
    """Ask the phone for a key and a request for it; returns the approval's id. Problems as in `_ask`."""
    require_strong(actor)
    if actor.acting_for:
        raise domain.IN_OWN_NAME_ONLY
    return _ask(actor, Kind.REQUEST, {"kind": Kind.REQUEST}).id


def may_extend(record: Record) -> bool:
    """Whether its holder may have its life extended now."""
    left = (record.not_after or clock.now()) - clock.now()
    return record.state is State.ACTIVE and not record.is_extension and timedelta(0) < left <= life.EXTENSION_WINDOW


def extend(*, actor: Actor) -> None:
    """The one extension, for the same key; Problem `no-extension` outside of its time."""
    require_strong(actor)
    record = own_certificate(actor=actor)
    if record is None:
        raise domain.NO_CERTIFICATE
    made = outside.current().authority.step(record.id, "extend", by=actor.label)
    note(actor, "certificate_key.extended", made.id)


def suspend_own(*, actor: Actor) -> None:
    """Stop one's own certificate at once (a phone is lost); a counter ends the suspension or revokes it for good."""
    record = own_certificate(actor=actor)
    if record is None or record.state is not State.ACTIVE or actor.acting_for:
        raise domain.NO_CERTIFICATE
    outside.current().authority.step(record.id, "suspend", by=actor.label)
    note(actor, "certificate_key.changed", record.id)


def begin_activation(*, actor: Actor) -> str:
    """Ask the phone to prove that it has the certified key; returns the approval's id."""
    require_strong(actor)
    record = to_activate(actor=actor)
    if record is None:
        raise domain.NO_CERTIFICATE
    task = {"kind": Kind.ACTIVATE, "serial": str(record.serial), "challenge": record.challenge}
    return _ask(actor, Kind.ACTIVATE, task, record=record.id).id


@transaction.atomic
def upload(*, actor: Actor, name: str, content: bytes) -> str:
    """Lay a PDF on the desk; returns its id. Problems `file-missing`, `file-too-large`."""
    _require_size(content)
    row = Document.objects.create(
        subject=own(actor), name=name[:200] or "document.pdf", content=base64.b64encode(content).decode()
    )
    audit.record(actor=actor, action="document.uploaded", object_type="document", object_id=row.id)
    return row.id


def documents(*, actor: Actor) -> list[DocumentView]:
    """What lies on the desk, newest first."""
    return [_view(row) for row in Document.objects.filter(subject=own(actor)).order_by("-id")[:100]]


def document(*, actor: Actor, document_id: str) -> DocumentView:
    """One document of the person's own; Http404 otherwise."""
    return _view(mine(actor, document_id))


def open_document(*, actor: Actor, document_id: str) -> tuple[str, bytes]:
    """Name and bytes of the document as it came; from now on it counts as shown."""
    row = mine(actor, document_id)
    if row.shown_at is None:
        Document.objects.filter(id=row.id).update(shown_at=clock.now())
    return row.name, base64.b64decode(row.content)


def signed_document(*, actor: Actor, document_id: str) -> tuple[str, bytes]:
    """Name and bytes of the signed document; Http404 before."""
    row = mine(actor, document_id)
    if not row.signed:
        raise Http404
    return f"{row.name.removesuffix('.pdf')}-signed.pdf", base64.b64decode(row.signed)


def begin_signature(*, actor: Actor, document_id: str, reason: str = "") -> str:
    """Lay out the signature and send the phone what to sign; returns the approval's id.

    Problems: `document-not-shown`, `no-certificate`, `pdf-unreadable`, and those of `_ask`.
    """
    require_strong(actor)
    row = mine(actor, document_id)
    record = own_certificate(actor=actor)
    if record is None or record.state is not State.ACTIVE:
        raise domain.NO_CERTIFICATE
    certificate, authority = _certificates(record)
    prepared = finishing.lay_out(row, certificate=certificate, issuer=authority, reason=reason, behalf=behalf_of(actor))
    task = {"kind": Kind.SIGN, "name": row.name, "digest": prepared.digest, "to_sign": keys.b64url(prepared.to_sign)}
    kept = finishing.as_text(prepared)
    return _ask(actor, Kind.SIGN, task, record=record.id, document=row.id, prepared=kept).id


def approval(*, actor: Actor, approval_id: str) -> ApprovalView:
    """A request of the person's own; Http404 otherwise."""
    row = _approval(actor, approval_id)
    task = json.loads(row.task)
    return ApprovalView(
        id=row.id,
        kind=Kind(row.kind),
        number=row.number,
        document=row.document,
        document_name=task.get("name", ""),
        fingerprint=domain.fingerprint(task["digest"]) if "digest" in task else "",
        link=row.link,
        expires_at=row.expires_at,
    )


def is_waiting(*, actor: Actor, approval_id: str) -> bool:
    """Whether the phone has still to answer; changes nothing."""
    row = _approval(actor, approval_id)
    if row.used_at is not None or row.expires_at <= clock.now():
        return False
    return outside.current().phone.read(row.ticket).state == "waiting"


def settle(*, actor: Actor, approval_id: str) -> bool:
    """Take the phone's answer and do what was approved; False while it waits.

    Problem `not-approved` when it refused, came too late, was used, or signed anything else than what was shown.
    """
    row = _approval(actor, approval_id)
    if row.used_at is not None or row.expires_at <= clock.now():
        raise domain.ALREADY_SIGNED if _is_signed(row) else domain.NOT_APPROVED
    answer = outside.current().phone.read(row.ticket)
    if answer.state == "waiting":
        return False
    if answer.state == "refused" or not _is_good(row, answer):
        raise domain.NOT_APPROVED
    if not Approval.objects.filter(id=row.id, used_at__isnull=True).update(used_at=clock.now()):
        raise domain.NOT_APPROVED
    {Kind.REQUEST: _requested, Kind.ACTIVATE: _activated, Kind.SIGN: _signed}[Kind(row.kind)](actor, row, answer)
    return True


# -- what was approved ------------------------------------------------------------------------------------------------


def _requested(actor: Actor, row: Approval, answer: Answer) -> None:
    """Hand in the request. A sign-in at level two with the phone's own approval is the proof, and issues at once."""
    authority = outside.current().authority
    name = identity.subject_name(actor=actor, subject=row.subject, purpose="signing certificate")
    old = own_certificate(actor=actor)
    record = authority.request(
        answer.outcome.get("csr", ""),
        profile="person",
        holder=holder_of(row.subject),
        common_name=name,
        organisation="smartgov",
        by=actor.label,
        renews=old.id if old else "",
    )
    authority.step(record.id, "prove", by=_SIGN_IN, method="sign-in-and-phone", level=actor.assurance, reference=row.id)
    authority.step(record.id, "issue", by=_AUTOMAT)
    note(actor, "certificate_key.issued", record.id)


def _activated(actor: Actor, row: Approval, answer: Answer) -> None:
    signature = answer.outcome.get("signature", "")
    outside.current().authority.step(row.record, "activate", by=actor.label, signature=signature)
    note(actor, "certificate_key.activated", row.record)


def _signed(actor: Actor, row: Approval, answer: Answer) -> None:
    authority = outside.current().authority
    certificate, issuer = _certificates(authority.get(row.record))
    try:
        signature = keys.from_b64url(answer.outcome.get("signature", ""))
    except ValueError:
        raise domain.NOT_APPROVED from None
    evidence = signing.Evidence(crls=(authority.crl(),), ocsps=(authority.ocsp(ocsp.request_for(certificate, issuer)),))
    finishing.finish(
        row.document,
        finishing.from_text(row.prepared),
        signature,
        certificate=certificate,
        issuer=issuer,
        evidence=evidence,
        means=domain.PHONE,
    )
    note(actor, "document.signed", row.document)


# -- within -----------------------------------------------------------------------------------------------------------


def _ask(
    actor: Actor, kind: Kind, task: dict[str, str], *, record: str = "", document: str = "", prepared: str = ""
) -> Approval:
    """Send a task to the person's newest phone. Problems `no-phone`, `phone-service-unreachable`."""
    subject = own(actor)
    key_id = next(iter(identity.mobile_keys(subject=subject)), None)
    if key_id is None:
        raise domain.NO_PHONE
    nonce, number = secrets.token_urlsafe(32), f"{secrets.randbelow(90) + 10}"
    text = domain.TEXTS[kind].as_dict()
    plain = {name: str(value) for name, value in task.items()}
    ticket, link = outside.current().phone.ask(
        origin=settings.ORIGIN, nonce=nonce, number=number, text=text, key_id=key_id, task=plain
    )
    now = clock.now()
    return Approval.objects.create(
        subject=subject,
        kind=kind,
        nonce=nonce,
        number=number,
        text=text,
        task=json.dumps(plain),
        key_id=key_id,
        ticket=ticket,
        link=link if settings.DEMO else "",
        document=document,
        record=record,
        prepared=prepared,
        begun_at=now,
        expires_at=now + domain.APPROVAL_LIFE,
    )


def _is_signed(row: Approval) -> bool:
    return Document.objects.filter(id=row.document, state=DocumentState.SIGNED).exists()


def _is_good(row: Approval, answer: Answer) -> bool:
    jwk = identity.mobile_keys(subject=row.subject).get(row.key_id)
    if jwk is None or answer.key_id != row.key_id:
        return False
    if not domain.is_fresh(answer.issued, begun=row.begun_at, now=clock.now()):
        return False
    content = domain.approval_content(
        origin=settings.ORIGIN,
        nonce=row.nonce,
        number=row.number,
        text=row.text,
        issued=answer.issued,
        task=json.loads(row.task),
    )
    return domain.is_approved(content, answer.signature, jwk)


def _certificates(record: Record) -> tuple[x509.Certificate, x509.Certificate]:
    own = certificates.from_pem(record.certificate.encode())
    return own, certificates.from_pem(outside.current().authority.certificate())


def behalf_of(actor: Actor) -> Behalf | None:
    """Whom the signature names beside its signer, while she acts for somebody."""
    if not actor.acting_for:
        return None
    return Behalf(identity.standing(actor=actor).represented.name, actor.mandate or "")


def own(actor: Actor) -> str:
    """The person at the desk; Http404 for anybody else."""
    if actor.subject is None:
        raise Http404
    return actor.subject


def mine(actor: Actor, document_id: str) -> Document:
    """A document of the person's own; Http404 otherwise."""
    row = Document.objects.filter(id=document_id, subject=own(actor)).first()
    if row is None:
        raise Http404
    return row


def _approval(actor: Actor, approval_id: str) -> Approval:
    row = Approval.objects.filter(id=approval_id, subject=own(actor)).first()
    if row is None:
        raise Http404
    return row


def require_strong(actor: Actor) -> None:
    """Problem `assurance-too-low`."""
    if actor.assurance < domain.NEEDED_ASSURANCE:
        raise domain.TOO_WEAK


def _require_size(content: bytes) -> None:
    if not content:
        raise domain.FILE_MISSING
    if len(content) > domain.LARGEST_FILE:
        raise domain.FILE_TOO_LARGE


@transaction.atomic
def note(actor: Actor, action: str, object_id: str) -> None:
    """Into the trail."""
    kind = "document" if action.startswith("document") else "certificate_key"
    audit.record(actor=actor, action=action, object_type=kind, object_id=object_id)


def _view(row: Document) -> DocumentView:
    signed_at: datetime | None = row.signed_at
    return DocumentView(
        row.id,
        row.name,
        DocumentState(row.state),
        row.uploaded_at,
        row.shown_at is not None,
        signed_at,
        row.means,
        row.level,
        row.issuer,
        row.stamped_at,
    )
