"""Who looked at my data: ask every gateway with her own token, prove what each lists, and merge it.

The portal trusts no list. Each gateway's log head must be signed by the key in the configuration and consistent with
the head that the portal pinned last time, and co-signed by two other members within ten minutes; each listed record
must be included under that head. All on this page load.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import structlog
from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.identity import api as identity
from smartgov.blocks.mydata import domain, reading
from smartgov.blocks.mydata.consents import subject_of
from smartgov.blocks.mydata.domain import Listed, MemberTrail, TrailView
from smartgov.blocks.mydata.models import GatewayCheckpoint
from smartgov.engines.ledger import checkpoint as checkpoints
from smartgov.engines.troad import epochs
from smartgov.engines.troad import trail as proofs
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.together import together

logger = structlog.get_logger()
LIMIT_S = 6.0
_SILENT = Text("It did not answer in time. Its entries are missing from this list.", "逾時未回應，清單中缺少它的紀錄。")
_FAILED = Text(
    "Its proof does not hold: the log may have been altered. We keep the last good head and report it.",
    "證明不成立，紀錄可能遭到竄改。我們保留最後一次驗證成功的紀錄並通報。",
)
_LOST = Text(
    "Its log was restored from a backup. At least {count} of its records, about whomever, are lost and not listed.",
    "其日誌曾自備份還原，至少遺失 {count} 筆紀錄（不限與您相關者），未列於清單中。",
)
_REFUSED = Text("It refused to answer: {why}", "拒絕回答：{why}")


def trail(*, actor: Actor) -> TrailView:
    """The uses of the actor's data, newest first, with what was proven, what failed and who was silent."""
    subject = subject_of(actor)
    person = identity.subject_national_id(actor=actor, subject=subject, purpose="trail")
    members = {member.id: member for member in exchange.members()}
    pinned = {row.member: row for row in GatewayCheckpoint.objects.filter(member__in=members).order_by("seen_at")}
    mandate = _mandate(actor)
    answers = together(
        {name: partial(_ask, actor, person, name, pinned.get(name), mandate) for name in members}, limit_s=LIMIT_S
    )
    listed: list[Listed] = []
    states: list[MemberTrail] = []
    for name, member in members.items():
        others = [other for other in members.values() if other.id != name]
        witnesses = {gateway: key for other in others for gateway, key in other.witness_keys.items()}
        state, entries = _judge(member, answers[name], pinned.get(name), witnesses)
        states.append(state)
        listed += entries
    _note(actor, states)
    return TrailView(
        domain.merge(listed, read=reading.entry, exchange_of=reading.exchange_of),
        tuple(states),
        clock.now(),
        tuple(exchange.shown_otherwise()),
    )


def _mandate(actor: Actor) -> dict[str, Any] | None:
    """What the gateways leave out when somebody looks for another: they keep it back, not this page."""
    if not actor.acting_for:
        return None
    return {"id": actor.mandate, "excludes": list(identity.standing(actor=actor).excludes)}


def _ask(
    actor: Actor, person: str, member: str, pinned: GatewayCheckpoint | None, mandate: dict[str, Any] | None
) -> dict[str, Any]:
    token = exchange.trail_token(subject=person, member=member, assurance=actor.assurance, mandate=mandate)
    return exchange.trail(member=member, token=token, have=pinned.size if pinned else 0)


def _judge(
    member: exchange.Member,
    answer: dict[str, Any] | Exception,
    pinned: GatewayCheckpoint | None,
    witnesses: dict[str, dict[str, Any]],
) -> tuple[MemberTrail, list[Listed]]:
    if isinstance(answer, Exception):
        why = _REFUSED.format(why=answer.what) if isinstance(answer, Problem) and answer.status < 500 else _SILENT
        logger.warning("trail_unanswered", member=member.id, error=getattr(answer, "slug", type(answer).__name__))
        return MemberTrail(member.id, member.name, "silent", 0, 0, why), []
    verdict = proofs.verify(
        answer,
        checkpoints.parse(pinned.note) if pinned else None,
        member.log_key,
        member.log_origin or None,
        witnesses=witnesses,
    )
    shown = [item for item in verdict.entries if reading.is_use(item.record) or not item.proven]
    listed = [Listed(member.id, item.proven and verdict.entries_proven, item.record) for item in shown]
    if not verdict.entries_proven or verdict.checkpoint is None:
        logger.error("trail_proof_failed", member=member.id, problem=str(verdict.problem))
        why = Text("{broken} {why}", "{broken}{why}").format(
            broken=_FAILED, why=verdict.problem.why if verdict.problem else ""
        )
        return MemberTrail(member.id, member.name, "failed", len(listed), 0, why), listed
    _pin(member.id, verdict.note, verdict.checkpoint)
    lost = sum(opened.lost for opened in epochs.of_head(verdict.checkpoint))
    why = _LOST.format(count=lost) if lost else domain.NOTHING
    return MemberTrail(member.id, member.name, "proven", len(listed), verdict.checkpoint.size, why, lost), listed


@transaction.atomic
def _pin(member: str, note: str, head: checkpoints.Checkpoint) -> None:
    """Remember the newest verified head; another page load may have been faster, so it only ever grows."""
    row, created = GatewayCheckpoint.objects.select_for_update().get_or_create(
        origin=head.origin, defaults={"member": member, "note": note, "size": head.size}
    )
    if not created and head.size > row.size:
        row.note, row.size, row.seen_at = note, head.size, clock.now()
        row.save(update_fields=["note", "size", "seen_at"])


@transaction.atomic
def _note(actor: Actor, states: list[MemberTrail]) -> None:
    for state in states:
        if state.state == "failed":
            audit.record(actor=actor, action="trail.proof_failed", object_type="member", object_id=state.member)
