"""What an officer should know before a service is offered otherwise, or no more: what changes, and for whom."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from smartgov.blocks.exchange import contracts, domain
from smartgov.blocks.exchange.domain import Limits, Settings
from smartgov.blocks.exchange.models import Member, Right, Service
from smartgov.blocks.exchange.publishing import granted_now
from smartgov.engines import apilint
from smartgov.engines.troad.names import member_of
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


@dataclass(frozen=True, slots=True)
class Holder:
    """A member that may call a service now: with which of its systems, and under how many rights."""

    member: str
    name: Text
    systems: tuple[str, ...]
    rights: int


@dataclass(frozen=True, slots=True)
class Replacement:
    """What publishing under a name that exists would change there.

    `settings` are those that differ, before and after; `seen` is when the service was changed last: who confirms has
    seen that state. `withdrawn`: it is not offered now, and its holders could call it again.
    """

    service: str
    versions: tuple[str, str]
    operations: apilint.Changes
    settings: dict[str, tuple[Any, Any]]
    holders: list[Holder]
    withdrawn: bool
    seen: datetime

    @property
    def rights(self) -> int:
        """How many rights to it are in force, or would be."""
        return sum(one.rights for one in self.holders)

    def problem(self) -> Problem:
        """The refusal: what would change, and how to say that it is meant."""
        (before, after), rights, members = self.versions, self.rights, len(self.holders)
        changes = self.operations
        counts = tuple(len(part) for part in (changes.added, changes.removed, changes.changed))
        return Problem(
            "service-exists",
            409,
            what=Text("There is a service of this name already.", "已有同名的服務。"),
            why=Text(
                f"It would change from version {before or 'none'} to {after or 'none'}: operations added {counts[0]}, "
                f"removed {counts[1]}, changed {counts[2]}; settings changed {len(self.settings)}; "
                f"rights to it {rights}, members that hold them {members}.",
                f"版本將由 {before or '無'} 改為 {after or '無'}：新增操作 {counts[0]} 項、移除 {counts[1]} 項、"
                f"變更 {counts[2]} 項；變更設定 {len(self.settings)} 項；有效權限 {rights} 項，持有成員 {members} 個。",
            ),
            todo=Text(
                "If that is meant, send it again with `replace` (by command: --replace); else choose another name.",
                "確認要取代時，請加上 replace（指令為 --replace）再送出；否則請改用其他名稱。",
            ),
            changes={
                "version": {"before": before, "after": after},
                "operations": {name: list(listed) for name, listed in asdict(changes).items()},
                "settings": {name: {"before": old, "after": new} for name, (old, new) in self.settings.items()},
                "withdrawn": self.withdrawn,
                "rights": rights,
                "members": [one.member for one in self.holders],
            },
        )


def replacement(service: str, settings: Settings, document: bytes | None) -> Replacement | None:
    """What would change; None for a new name, for the very same, and for other settings of what is offered now.

    Who sends settings without a document means the service that is there. Problem `openapi-refused` for a document
    that is not taken.
    """
    row = Service.objects.filter(id=service).first()
    if row is None or (document is None and row.withdrawn_at is None):
        return None
    current = row.contracts.filter(digest=row.contract).first() if row.contract else None
    accepted = contracts.accept(document) if document is not None else None
    new = accepted or current
    found = Replacement(
        service=service,
        versions=(current.version if current else "", new.version if new else ""),
        operations=_operations(row, current.document.encode() if current else None, accepted),
        settings=_differences(row, settings),
        holders=holders(service),
        withdrawn=row.withdrawn_at is not None,
        seen=row.changed_at,
    )
    same = accepted is None or accepted.digest == row.contract
    return None if same and not found.settings and not found.withdrawn else found


def holders(service: str) -> list[Holder]:
    """Who holds rights to a service that have not ended, in the order of their ids."""
    found: dict[str, list[Right]] = defaultdict(list)
    for right in granted_now(clock.now()).filter(service=service).order_by("client_id"):
        found[member_of(right.client_id)].append(right)
    names = {row.id: Text.of(row.name) for row in Member.objects.filter(id__in=found)}
    return [
        Holder(member, names[member], tuple(dict.fromkeys(one.client_id for one in rights)), len(rights))
        for member, rights in sorted(found.items())
    ]


def _operations(row: Service, current: bytes | None, accepted: contracts.Accepted | None) -> apilint.Changes:
    if accepted is None:
        return apilint.Changes((), (), ())
    if current is None:
        known = set(row.endpoints)
        added = tuple(one for one in accepted.endpoints if one not in known)
        return apilint.Changes(added, tuple(sorted(known - set(accepted.endpoints))), ())
    return apilint.compare(apilint.Document.parse(current), apilint.Document.parse(accepted.document))


def _differences(row: Service, settings: Settings) -> dict[str, tuple[Any, Any]]:
    before = Settings(
        personal=row.personal,
        related=tuple(row.related),
        visibility=row.visibility,
        visibility_terms=row.visibility_terms,
        limits=Limits(row.body_bytes, row.seconds, row.per_minute, row.per_day),
        durability=row.durability,
        retain_days=row.retain_days,
    )
    old, new = domain.settings_in_a_row(before), domain.settings_in_a_row(settings)
    return {name: (old[name], new[name]) for name in old if old[name] != new[name]}
