"""Doors for programs whose protocol fixes how a refusal looks, also where the site says no before the door is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.http import HttpResponse, HttpResponseBase

from smartgov.engines.httpd import Request, Response
from smartgov.shared.problems import Problem

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


@dataclass(frozen=True, slots=True)
class MachineDoor:
    """A door before Django. Both say None when a page is to answer after all; then nothing has been done yet."""

    answer: Callable[[Request], Response | None]
    refuse: Callable[[Problem], Response | None]


def refusing(say: Callable[[Problem], HttpResponse]) -> Callable[[V], V]:
    """Let a view's readers hear every Problem by `say`, as the site's middleware meets it; they are no browsers."""

    def decorate(view: V) -> V:
        view.smartgov_refuses = say  # type: ignore[attr-defined]
        view.csrf_exempt = True  # type: ignore[attr-defined]
        return view

    return decorate
