"""The rule's word on a case, what it lacks for a decision, and the news that a case is decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from smartgov.blocks.cases import content, refusals
from smartgov.blocks.cases.models import Case
from smartgov.blocks.ops import api as ops
from smartgov.engines import expr
from smartgov.engines.forms.services import Part, Write
from smartgov.shared import clock
from smartgov.shared.actor import Actor
from smartgov.shared.tw import national_id

GRANTED, REFUSED, UNDECIDED = "granted", "refused", "undecided"


def decide(part: Part, facts: Mapping[str, Any], answers: Mapping[str, Any], on: date) -> dict[str, Any]:
    """What the part's published rule says of an application made `on` that day: version, values, explanation.

    A fact that a register gave is never overridden by an answer of the same name.
    """
    return content.rule_book().decide(part.rule, {**answers, **facts}, on).as_dict()


def values_of(case: Case) -> dict[str, Any]:
    """The values that the rule gave (amount, months); empty when it was undecided."""
    return dict((case.decision or {}).get("values") or {})


def facts_of(case: Case) -> dict[str, Any]:
    """The values of the case's facts by id."""
    return {fact["id"]: fact["value"] for fact in case.facts or []}


def row_of(case: Case, write: Write, *, child: str) -> dict[str, Any] | None:
    """The row that `write` makes for this case; None when a value that it needs is not known."""
    data = {
        "applicant": national_id.urn(case.applicant),
        "facts": facts_of(case),
        "answers": case.answers or {},
        "values": values_of(case),
        "case": case.id,
        "on": clock.today().isoformat(),
    }
    if child:
        data["child"] = national_id.urn(child)
    row = {column: expr.evaluate(node, data) for column, node in write.body.items()}
    if any(isinstance(value, expr.Unknown) for value in row.values()):
        return None
    return {column: expr.as_json(value) for column, value in row.items()}


def amount_due(case: Case, part: Part) -> int | None:
    """NT$ to pay now by this decision; None when the part pays nothing."""
    if part.pays is None:
        return None
    amount = values_of(case).get(part.pays.value)
    return amount if isinstance(amount, int) else None


def require_values(case: Case, part: Part) -> None:
    """Problem `decision-values-missing` when registers or payment need a value that is not known."""
    stand_in = national_id.make(0, 1)
    rows_known = all(row_of(case, write, child=case.child or stand_in) is not None for write in part.writes)
    if not rows_known or (part.pays is not None and amount_due(case, part) is None):
        raise refusals.VALUES_MISSING


def announce_decision(case: Case, actor: Actor) -> None:
    """Emit `case_decided`: ids and the outcome only, after registers are written or the case is refused."""
    outcome = GRANTED if case.state != "refused" else REFUSED
    ops.emit(
        "case_decided",
        aggregate=case.id,
        payload={"case": case.id, "agency": case.agency, "outcome": outcome},
        actor=actor,
    )
