"""The registration office: its officers see certificates, and take the steps that are theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from django.db import transaction
from django.http import Http404

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import api as identity
from smartgov.blocks.signing import domain, outside
from smartgov.blocks.signing.ports import Authority
from smartgov.engines.pki import keys
from smartgov.engines.pki.authority import Record, State, life
from smartgov.engines.pki.authority.trail import Entry
from smartgov.shared.actor import Actor
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

PEOPLE, SEALS = "people", "seals"
STEPS: dict[str, Text] = {
    "reject": Text("Reject the request", "不予核發"),
    "issue": Text("Issue the certificate", "簽發憑證"),
    "suspend": Text("Suspend", "暫時停用"),
    "resume": Text("End the suspension", "恢復使用"),
    "revoke": Text("Revoke for good", "廢止"),
}
"""What an officer may do with a certificate."""
_TAKEN: dict[str, Text] = {
    "request": Text("Asked for", "提出申請"),
    "prove": Text("Identity proved", "完成身分查驗"),
    "reject": Text("Rejected", "不予核發"),
    "issue": Text("Issued", "簽發"),
    "activate": Text("Activated", "啟用"),
    "suspend": Text("Suspended", "暫時停用"),
    "resume": Text("Suspension ended", "恢復使用"),
    "revoke": Text("Revoked", "廢止"),
    "extend": Text("Extended", "展期"),
    "expire": Text("Expired", "到期"),
}
_BY: dict[str, Text] = {
    "citizen": Text("Its holder", "持有人"),
    "officer": Text("An officer", "承辦人員"),
    "office:sign-in": Text("The office, by her sign-in", "註冊窗口（依登入結果）"),
    "office:automat": Text("The office, at once", "註冊窗口（自動簽發）"),
    "authority": Text("The authority", "憑證機構"),
    "centre": Text("The centre, when the agency joined", "中心（機關加入時）"),
}


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One entry of a certificate's trail in words."""

    at: str
    step: Text
    by: Text


def certificates(*, actor: Actor, state: str = "", of: str = PEOPLE) -> Sequence[Record]:
    """Certificates of people, or of agencies' seals, newest first; Http404 outside the office."""
    require_office(actor)
    return _authority(of).records(state=state if state in set(State) else "")


def certificate(*, actor: Actor, record: str) -> tuple[Record, list[str]]:
    """One certificate, and which of `STEPS` may be taken now; Http404 when there is none."""
    require_office(actor)
    _, found = _get(record)
    return found, [step for step in life.steps_from(found.state) if step in STEPS]


def act_on(*, actor: Actor, record: str, step: str, reason: str = "") -> Record:
    """Take one of `STEPS`; Problems of the authority (`certificate-step`, `reason-unknown`, `four-eyes`)."""
    require_office(actor)
    if step not in STEPS:
        raise Http404
    authority, _ = _get(record)
    detail = {"reason": reason} if step == "revoke" else {}
    moved = authority.step(record, step, by=actor.label, **detail)
    _note(actor, step, record, reason)
    return moved


def take_request(*, actor: Actor, csr: bytes, profile: str, common_name: str, organisation: str, reference: str) -> str:
    """Take a request at the counter, of somebody whose papers the officer has seen; returns the record's id.

    The officer vouches for the names; `reference` says where the proof is on file. Another officer has to issue.
    Problem `request-unusable` (422).
    """
    require_office(actor)
    if not common_name.strip() or not reference.strip() or profile not in life.PROFILES:
        raise domain.REQUEST_INCOMPLETE
    authority = _authority(PEOPLE if profile == "person" else SEALS)
    record = authority.request(
        csr.decode("utf-8", "replace"),
        profile=profile,
        holder=uuid7(),
        common_name=common_name.strip()[:64],
        organisation=organisation.strip()[:64] or "smartgov",
        by=actor.label,
    )
    proof = {"method": "counter", "level": 3, "reference": reference.strip()[:80]}
    authority.step(record.id, "prove", by=actor.label, **proof)
    _note(actor, "prove", record.id, "")
    return record.id


def activate(*, actor: Actor, record: str, signature: str) -> Record:
    """Activate a certificate with its holder's signature (base64; DER or r || s); Problem `not-the-key`."""
    require_office(actor)
    authority, _ = _get(record)
    moved = authority.step(record, "activate", by=actor.label, signature=_plain(signature))
    _note(actor, "activate", record, "")
    return moved


def _plain(signature: str) -> str:
    """The base64url of r || s, whatever form a signing tool gave."""
    compact = "".join(signature.split()).rstrip("=").translate(str.maketrans("+/", "-_"))
    try:
        raw = keys.from_b64url(compact)
        if len(raw) != 64:
            r, s = decode_dss_signature(raw)
            raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    except (ValueError, OverflowError):
        return ""  # which is nobody's signature, and is refused as such
    return keys.b64url(raw)


def trail(*, actor: Actor, record: str) -> list[TrailRow]:
    """What was done with one certificate, oldest first."""
    require_office(actor)
    entries: Sequence[Entry] = _get(record)[0].trail()
    contents = [one.content for one in entries]
    mine = [one for one in contents if one["detail"].get("record") == record]
    return [TrailRow(one["at"], _TAKEN.get(one["step"], Text.of(one["step"])), _who(one["by"])) for one in mine]


def _who(by: str) -> Text:
    """Whoever acted, in words: the trail holds ids of ours only."""
    kind, _, name = by.partition(":")
    if kind == "officer":
        try:
            return identity.seat(name).role_title
        except Http404:
            return _BY["officer"]
    return _BY.get(by, _BY.get(kind, Text.of(by)))


def _authority(of: str) -> Authority:
    services = outside.current()
    return services.seals if of == SEALS else services.authority


def _get(record: str) -> tuple[Authority, Record]:
    """A record and the authority that has it; Http404 when neither has."""
    for of in (PEOPLE, SEALS):
        authority = _authority(of)
        try:
            return authority, authority.get(record)
        except Problem as problem:
            if problem.status != 404:
                raise
    raise Http404


def require_office(actor: Actor) -> None:
    """Only officers of the registration office go on; for others there is nothing there."""
    if actor.kind != "officer" or actor.agency != domain.OFFICE:
        raise Http404


@transaction.atomic
def _note(actor: Actor, step: str, record: str, reason: str) -> None:
    detail = {"step": step, **({"reason": reason} if reason else {})}
    audit.record(
        actor=actor,
        action="certificate_key.changed",
        object_type="certificate_key",
        object_id=record,
        detail=detail,
    )
