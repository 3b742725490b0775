"""Who looked at my data: ask every gateway of every member with her own token, prove what each lists, and merge it.

The portal trusts no list. Each gateway's log head must be signed by the key in the configuration and consistent with
the head that the portal pinned last time, and co-signed by two other members within ten minutes; each listed record
must be included under that head. All on this page load.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from smartgov.engines.troad.names import epoch_of
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.together import together

logger = structlog.get_logger()
LIMIT_S = 6.0
_SILENT = Text(
    "It does not answer at the moment. Its entries are missing from this list; open the page again in a few minutes.",
    "目前沒有回應，清單中缺少它的紀錄。請過幾分鐘再開啟此頁。",
)
_FAILED = Text(
    "Its proof does not hold: the log may have been altered. We keep the last good head and report it.",
    "證明不成立，紀錄可能遭到竄改。我們保留最後一次驗證成功的紀錄並通報。",
)
_LOST = Text(
    "Its log was restored from a backup. At least {count} of its records, about whomever, are lost and not listed.",
    "其日誌曾自備份還原，至少遺失 {count} 筆紀錄（不限與您相關者），未列於清單中。",
)
_CLOSED = Problem(
    "trail-unavailable",
    503,
    what=Text("We cannot ask who looked at your data just now.", "目前無法查詢誰看過您的資料。"),
    why=Text(
        "The portal's connection to the agencies does not work at the moment. Their records are kept as before.",
        "入口網與各機關之間的連線暫時中斷，各機關的紀錄不受影響。",
    ),
    todo=Text("Open this page again in a few minutes.", "請過幾分鐘再開啟此頁。"),
)
_OUTAGE = 500
_REFUSED = Text("It refused to answer: {why}", "拒絕回答：{why}")
_GONE = Text(
    "This gateway was taken out of service. Its log had {count} records about all people; ask the agency about yours.",
    "此閘道已停用。其日誌共有 {count} 筆紀錄（不限與您相關者），如需其中與您相關者請洽該機關。",
)
_NAMED = Text("{name} ({code})", "{name}（{code}）")


@dataclass(frozen=True, slots=True)
class Kept:
    """The log that one gateway of a member keeps, and the key that signs it."""

    member: exchange.Member
    gateway: str
    key: dict[str, Any]

    @property
    def name(self) -> Text:
        """Whose it is; and which, where the member has several."""
        if len(self.member.logs) == 1:
            return self.member.name
        return _NAMED.format(name=self.member.name, code=self.gateway.rpartition("/")[2])


def trail(*, actor: Actor) -> TrailView:
    """The uses of the actor's data, newest first, with what was proven, what failed and who was silent.

    Problem `trail-unavailable` while the portal's own gateway does not work, through which all others are asked.
    """
    subject = subject_of(actor)
    person = identity.subject_national_id(actor=actor, subject=subject, purpose="trail")
    members, otherwise = _declared()
    logs = {gateway: Kept(member, gateway, key) for member in members for gateway, key in member.logs.items()}
    pinned = {epoch_of(row.origin)[0]: row for row in GatewayCheckpoint.objects.order_by("seen_at")}
    mandate = _mandate(actor)
    answers = together(
        {name: partial(_ask, actor, person, log, pinned.get(name), mandate) for name, log in logs.items()},
        limit_s=LIMIT_S,
    )
    listed: list[Listed] = []
    states: list[MemberTrail] = []
    for name, log in logs.items():
        others = [other for other in members if other.id != log.member.id]
        witnesses = {gateway: key for other in others for gateway, key in other.witness_keys.items()}
        state, entries = _judge(log, answers[name], pinned.get(name), witnesses)
        states.append(state)
        listed += entries
    states += _gone(members, pinned)
    _note(actor, states)
    return TrailView(
        domain.merge(listed, read=reading.entry, exchange_of=reading.exchange_of),
        tuple(states),
        clock.now(),
        tuple(otherwise),
    )


def _declared() -> tuple[list[exchange.Member], list[tuple[str, str, dict[str, Any]]]]:
    """Who is to be asked, and which services show their uses later or less."""
    try:
        return exchange.members(), exchange.shown_otherwise()
    except Problem as problem:
        if problem.status < _OUTAGE:
            raise
        logger.warning("trail_unavailable", error=problem.slug)
        raise _CLOSED from None


def _mandate(actor: Actor) -> dict[str, Any] | None:
    """What the gateways leave out when somebody looks for another: they keep it back, not this page."""
    if not actor.acting_for:
        return None
    return {"id": actor.mandate, "excludes": list(identity.standing(actor=actor).excludes)}


def _ask(
    actor: Actor, person: str, log: Kept, pinned: GatewayCheckpoint | None, mandate: dict[str, Any] | None
) -> dict[str, Any]:
    to = {"member": log.member.id, "gateway": log.gateway}
    token = exchange.trail_token(subject=person, assurance=actor.assurance, mandate=mandate, **to)
    return exchange.trail(token=token, have=pinned.size if pinned else 0, **to)


def _gone(members: list[exchange.Member], pinned: dict[str, GatewayCheckpoint]) -> list[MemberTrail]:
    """The gateways of present members that were taken out of service: what they recorded cannot be asked for here."""
    known = {member.id: member for member in members}
    found = []
    for name, row in pinned.items():
        member = known.get(row.member)
        if member is not None and name not in member.logs:
            shown = _NAMED.format(name=member.name, code=name.rpartition("/")[2])
            found.append(MemberTrail(member.id, shown, "silent", 0, row.size, _GONE.format(count=row.size)))
    return found


def _judge(
    log: Kept,
    answer: dict[str, Any] | Exception,
    pinned: GatewayCheckpoint | None,
    witnesses: dict[str, dict[str, Any]],
) -> tuple[MemberTrail, list[Listed]]:
    member = log.member
    if isinstance(answer, Exception):
        why = _REFUSED.format(why=answer.what) if isinstance(answer, Problem) and answer.status < _OUTAGE else _SILENT
        logger.warning("trail_unanswered", gateway=log.gateway, error=getattr(answer, "slug", type(answer).__name__))
        return MemberTrail(member.id, log.name, "silent", 0, 0, why), []
    verdict = proofs.verify(
        answer,
        checkpoints.parse(pinned.note) if pinned else None,
        log.key,
        log.gateway,
        witnesses=witnesses,
    )
    shown = [item for item in verdict.entries if reading.is_use(item.record) or not item.proven]
    listed = [Listed(member.id, item.proven and verdict.entries_proven, item.record) for item in shown]
    if not verdict.entries_proven or verdict.checkpoint is None:
        logger.error("trail_proof_failed", gateway=log.gateway, problem=str(verdict.problem))
        why = Text("{broken} {why}", "{broken}{why}").format(
            broken=_FAILED, why=verdict.problem.why if verdict.problem else ""
        )
        return MemberTrail(member.id, log.name, "failed", len(listed), 0, why), listed
    _pin(member.id, verdict.note, verdict.checkpoint)
    lost = sum(opened.lost for opened in epochs.of_head(verdict.checkpoint))
    why = _LOST.format(count=lost) if lost else domain.NOTHING
    return MemberTrail(member.id, log.name, "proven", len(listed), verdict.checkpoint.size, why, lost), listed


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
