"""Whose things are looked up. Everything here is filtered by subject; what is somebody else's does not exist."""

from __future__ import annotations

from django.http import Http404

from smartgov.blocks.services.models import Application, Part, Supplement
from smartgov.shared.actor import Actor


def mine(actor: Actor) -> str:
    """The subject whose applications the actor may see; only citizens have any."""
    if actor.kind != "citizen" or not actor.subject:
        raise Http404
    return actor.acting_for or actor.subject


def my_application(actor: Actor, application: str, *, lock: bool = False) -> Application:
    """The actor's own application (locked for a change when asked), or Http404."""
    rows = Application.objects.select_for_update() if lock else Application.objects
    row = rows.filter(subject=mine(actor), id=application).first()
    if row is None:
        raise Http404
    return row


def my_supplement(actor: Actor, supplement: str, *, lock: bool = False) -> Supplement:
    """A question on the actor's own application, or Http404."""
    rows = Supplement.objects.select_for_update() if lock else Supplement.objects
    row = rows.filter(part__application__subject=mine(actor), id=supplement).first()
    if row is None:
        raise Http404
    return row


def part_of(part: str) -> Part:
    """A part by id, for the outbox's listeners."""
    row = Part.objects.select_related("application").filter(id=part).first()
    if row is None:
        raise Http404
    return row
