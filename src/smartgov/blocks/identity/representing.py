"""Acting for another: who vouches for it, and what a session in which somebody acts may still do.

This block keeps in the session which mandate was taken up, and asks about it at every request; the mandates themselves
are another block's. Without that block, or without its word, nobody acts for anybody.
"""

from __future__ import annotations

from django.http import HttpRequest

from smartgov.blocks.identity import domain
from smartgov.blocks.identity.domain import Represented, Standing
from smartgov.blocks.identity.ports import Mandates
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem

_known: list[Mandates] = []
_CACHE = "_smartgov_standing"


def register_mandates(mandates: Mandates) -> None:
    """Set who answers for mandates (the `mandates` block does)."""
    _known[:] = [mandates]


def standing(*, actor: Actor) -> Standing:
    """What the actor's mandate allows now. Problem when it has ended or its register does not answer."""
    if not (actor.subject and actor.acting_for and actor.mandate) or not _known:
        raise domain.mandate_over()
    return _known[0].standing(subject=actor.subject, represented=actor.acting_for, mandate=actor.mandate)


def holds(*, subject: str, represented: str, mandate: str) -> bool:
    """Whether a mandate holds this moment, its evidence asked anew. What nobody can check does not hold."""
    if not _known:
        return False
    try:
        _known[0].check(subject=subject, represented=represented, mandate=mandate)
    except Problem:
        return False
    return True


def caption(*, actor: Actor) -> Represented | None:
    """Whom the actor acts for, in words for the frame of a page; also after the mandate has ended."""
    if not (actor.subject and actor.mandate) or not _known:
        return None
    return _known[0].caption(subject=actor.subject, mandate=actor.mandate)


def of_request(request: HttpRequest, actor: Actor) -> Standing:
    """`standing`, asked once for each request."""
    found: Standing | Problem | None = getattr(request, _CACHE, None)
    if found is None:
        try:
            found = standing(actor=actor)
        except Problem as problem:
            found = problem
        setattr(request, _CACHE, found)
    if isinstance(found, Problem):
        raise found
    return found


def may(request: HttpRequest, actor: Actor, permission: str) -> bool:
    """Whether somebody who acts for another may; an ended mandate allows nothing."""
    try:
        return permission in of_request(request, actor).permissions
    except Problem:
        return False
