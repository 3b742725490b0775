"""Every route of the site, for the tests that walk them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from smartgov.site import machine

FOREIGN = ("language/",)  # Django's own language switch


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


@dataclass(frozen=True)
class Operation:
    """One operation of one of our APIs; `path` starts after the mount (`/api` or `/troad/{agency}`)."""

    mount: str
    method: str
    path: str
    view: Any
    parameters: frozenset[str]

    @property
    def label(self) -> str:
        """Method and path, as the documentation writes them."""
        return f"{self.method} {self.path}"

    def address(self) -> str:
        """A path at which the operation answers, with made-up values for its parameters."""
        filled = re.sub(r"{[^}]*}", "0", self.path)
        return f"{self.mount}{filled}"


def operations() -> list[Operation]:
    """Every operation of every API."""
    return [
        Operation(mount, method, f"{prefix}{path}", operation, frozenset(re.findall(r"{(?:\w+:)?(\w+)}", path)))
        for mount, api in (("/api", machine.api), ("/troad/ris", machine.troad))
        for prefix, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    ]
