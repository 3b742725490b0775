"""Who may pass a door. The words are spoken here, so that every block can say them; `identity` gives the answer.

`ops`, `audit` and `directory` lie below `identity` and have pages too. They declare their permission with the same
decorators; the gate that knows people is registered by `identity` when the site starts. Without a gate nobody passes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponseBase

from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

View = Callable[..., HttpResponseBase]


class Gate(Protocol):
    """What `identity` offers to the doors of all blocks."""

    def admit(self, request: HttpRequest, permission: str) -> HttpResponseBase | None:
        """None when the person may pass; else where to send them. Raises Problem `permission-missing`."""
        ...

    def may(self, request: HttpRequest, permission: str) -> bool:
        """Whether the person of this request holds `permission`, as they act now."""
        ...

    def actor(self, request: HttpRequest) -> Actor:
        """Who acts in this request; the public actor when nobody is signed in."""
        ...


_gate: list[Gate] = []


def register_gate(gate: Gate) -> None:
    """Set the gate of this site (`identity` does it in its `apps.py`)."""
    _gate[:] = [gate]


def current_gate() -> Gate:
    """The gate of this site; none registered means that nobody passes."""
    if not _gate:
        raise Problem("gate-missing", 503, what=Text("Sign-in is not available.", "目前無法登入。"))
    return _gate[0]


def permit(permission: str) -> Callable[[View], View]:
    """Open a view to signed-in people whose role has `permission`; everybody else is sent to sign in or refused."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            elsewhere = current_gate().admit(request, permission)
            return view(request, *args, **kwargs) if elsewhere is None else elsewhere

        guarded.smartgov_permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(reason: str) -> Callable[[View], View]:
    """Open a view to everybody; `reason` says why that is right (a test reads it)."""
    if not reason.strip():
        raise ValueError("a public view needs a reason")

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return view(request, *args, **kwargs)

        guarded.smartgov_public = reason  # type: ignore[attr-defined]
        return guarded

    return decorate


def actor(request: HttpRequest) -> Actor:
    """Who acts in this request."""
    return current_gate().actor(request)
