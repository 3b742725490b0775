"""How a mandate begins and is over: one place for the state, the audit entry and the notices to both sides."""

from __future__ import annotations

from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.mandates import catalogue
from smartgov.blocks.mandates.domain import ENDS, FOLLOWS, End, State
from smartgov.blocks.mandates.models import Business, Mandate
from smartgov.blocks.notify import api as notify
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.text import Text

SYSTEM = Actor.for_system("portal", "mandates")


def note(actor: Actor, action: str, row: Mandate, **detail: str) -> None:
    """The audit entry of a change; within the caller's transaction."""
    audit.record(
        actor=actor, action=action, object_type="mandate", object_id=row.id, detail={"kind": row.kind, **detail}
    )


def begun(actor: Actor, row: Mandate) -> None:
    """Tell the auditor and both sides that a mandate is in force."""
    note(actor, "mandate.began", row)
    _tell(actor, row, "mandate_began", {})


@transaction.atomic
def over(actor: Actor, mandate: str, why: End) -> bool:
    """End a mandate; False when it was over before."""
    row = Mandate.objects.select_for_update().get(id=mandate)
    if State.ENDED not in FOLLOWS[State(row.state)]:
        return False
    was_active = row.state == State.ACTIVE
    row.state, row.over, row.over_at = State.ENDED, why, clock.now()
    row.save(update_fields=["state", "over", "over_at"])
    note(actor, "mandate.ended", row, why=why)
    if was_active:
        _tell(actor, row, "mandate_ended", {"why": ENDS[why]})
    return True


def _tell(actor: Actor, row: Mandate, template: str, more: dict[str, Text]) -> None:
    names = {
        "represented": row.represented_name,
        "representative": row.representative_name,
        "kind": catalogue.known().kinds[row.kind].title,
    }
    businesses = set(Business.objects.filter(subject=row.represented).values_list("subject", flat=True))
    for subject in {row.represented, row.representative} - businesses:
        notify.send(
            actor=actor,
            subject=subject,
            template=template,
            context={**names, **more},
            link=f"/mandates/{row.id}",
            key=f"{template}:{row.id}:{subject}",
        )
