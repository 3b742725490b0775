"""Every route of the site, for the tests that walk them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """One address pattern and the view behind it."""

    pattern: str
    view: Callable[..., Any]
    name: str
    namespace: str
    parameters: frozenset[str]


def walk() -> list[Route]:
    """All routes, depth first."""
    return list(_walk(get_resolver().url_patterns, "", "", frozenset()))


def _walk(entries: list[Any], prefix: str, namespace: str, parameters: frozenset[str]) -> Iterator[Route]:
    for entry in entries:
        here = prefix + str(entry.pattern)
        known = parameters | frozenset(entry.pattern.converters)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry.url_patterns, here, inner, known)
        elif isinstance(entry, URLPattern):
            yield Route(here, entry.callback, entry.name or "", namespace, known)


def is_machine(route: Route) -> bool:
    """Whether the route belongs to one of our APIs (their operations are walked one by one)."""
    return route.pattern.startswith(("api/", "troad/"))
