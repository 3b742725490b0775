"""What every verb of joining does besides: it acts at the centre only, and leaves an entry in the audit."""

from __future__ import annotations

from smartgov.blocks.audit import api as audit
from smartgov.blocks.exchange import refusals
from smartgov.blocks.exchange.publishing import PUBLISHER, is_centre
from smartgov.shared.actor import Actor


def of_gateway(name: str) -> Actor:
    """A gateway as the actor of what its letter brought about."""
    return Actor.for_system(PUBLISHER.agency or "", f"gateway:{name}"[:80])


def note(actor: Actor, action: str, object_id: str, gateway: str) -> None:
    """Leave an entry about a gateway in the audit."""
    audit.record(
        actor=actor, action=action, object_type="gateway", object_id=object_id[:80], detail={"gateway": gateway}
    )


def at_the_centre() -> None:
    """Problem `not-the-centre` in any other process."""
    if not is_centre():
        raise refusals.NOT_THE_CENTRE
