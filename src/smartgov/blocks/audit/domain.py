"""Audit entries and use records as values, and what must never stand in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smartgov.shared.actor import Actor
from smartgov.shared.tw import national_id


@dataclass(frozen=True, slots=True)
class Pending:
    """A use record that still waits for its place in the ledger; `national_id` is erased once it has one."""

    id: str
    agency: str
    national_id: str
    actor: str
    fields: Sequence[str]
    purpose: str
    basis: str
    case: str
    request: str
    used_at: datetime

    def as_record(self) -> dict[str, Any]:
        """The form in which the agency's gateway takes it on the local hop."""
        return {
            "kind": "local-read",
            "subject": national_id.urn(self.national_id),
            "actor": self.actor,
            "fields": list(self.fields),
            "purpose": self.purpose,
            "basis": self.basis or None,
            "case": self.case or None,
            "request": self.request,
            "time": self.used_at.isoformat(),
        }


def refuse_personal(detail: Mapping[str, Any]) -> None:
    """An audit detail names things by our ids; a national id in it is a programming error."""
    if national_id.FINDER.search(json.dumps(detail, ensure_ascii=False, default=str)):
        raise ValueError("an audit detail holds no national id")


def used_by(actor: Actor) -> str:
    """How the user of data is named to the person concerned: the seat or system, never a colleague's person id."""
    return actor.seat or actor.system or actor.kind
