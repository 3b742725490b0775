"""How a case moves: one step of the table, one line of history, one event, in one transaction."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from smartgov.blocks.audit import api as audit
from smartgov.blocks.cases import refusals
from smartgov.blocks.cases.domain import State, Step, next_state
from smartgov.blocks.cases.models import Case
from smartgov.blocks.cases.models import Step as Line
from smartgov.blocks.ops import api as ops
from smartgov.shared import clock
from smartgov.shared.actor import Actor


def move(
    case: Case, step: Step, *, actor: Actor, note: str = "", detail: dict[str, Any] | None = None, **changes: Any
) -> Line | None:
    """Take `step`, store `changes` with it, and tell of it; None when the case stays where it is (still waiting).

    The row is changed only where state and version are those that were read, so that of two people one wins and the
    other gets Problem `case-moved`.
    """
    before = State(case.state)
    after = next_state(before, step)
    changed = Case.objects.filter(id=case.id, state=before, version=case.version).update(
        state=after, version=F("version") + 1, **changes
    )
    if changed != 1:
        raise refusals.CASE_MOVED
    case.refresh_from_db()
    if after == before:
        return None
    audit.record(
        actor=actor, action=f"case.{step}", object_type="case", object_id=case.id, detail={"state": str(after)}
    )
    return tell(case, str(after), actor=actor, note=note, detail=detail)


def note(case: Case, state: str, *, actor: Actor) -> Line:
    """Add a line to the history without telling anybody: who asked for it has the answer already."""
    return Line.objects.create(case=case, at=clock.now(), state=state, actor=actor.label)


def tell(case: Case, state: str, *, actor: Actor, note: str = "", detail: dict[str, Any] | None = None) -> Line:
    """Add a line to the history that the applicant reads too, and emit `case_moved`."""
    line = Line.objects.create(
        case=case, at=clock.now(), state=state, actor=actor.label, note=note, detail=detail or {}
    )
    ops.emit(
        "case_moved", aggregate=case.id, payload={"case": case.id, "step": line.id, "agency": case.agency}, actor=actor
    )
    return line
