"""A path router: literal segments, `{name}` for one segment, `{name:path}` for the rest."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from smartgov.engines.httpd.messages import Request, Response
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

Endpoint = Callable[..., Awaitable[Response]]
_PLACE = re.compile(r"\{(\w+)(:path)?\}")


class Router:
    """Maps method and path to endpoints; the router itself is a handler."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Endpoint]] = []

    def route(self, method: str, template: str) -> Callable[[Endpoint], Endpoint]:
        """Decorate `async def endpoint(request, **params) -> Response`; `method` may be `*`."""

        def add(endpoint: Endpoint) -> Endpoint:
            self.add(method, template, endpoint)
            return endpoint

        return add

    def add(self, method: str, template: str, endpoint: Endpoint) -> None:
        """Register `endpoint`; earlier routes win."""
        self._routes.append((method, _pattern(template), endpoint))

    async def __call__(self, request: Request) -> Response:
        """Answer `request`, or raise Problem `not-found` (404) or `method-not-allowed` (405)."""
        allowed = set()
        for method, pattern, endpoint in self._routes:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            if method in {request.method, "*"} or (method == "GET" and request.method == "HEAD"):
                params: dict[str, Any] = {name: unquote(value) for name, value in match.groupdict().items()}
                return await endpoint(request, **params)
            allowed.add(method)
        raise _not_allowed(sorted(allowed)) if allowed else _not_found()


def _pattern(template: str) -> re.Pattern[str]:
    out, last = [], 0
    for place in _PLACE.finditer(template):
        out.append(re.escape(template[last : place.start()]))
        out.append(f"(?P<{place[1]}>{'.*' if place[2] else '[^/]+'})")
        last = place.end()
    return re.compile("".join(out) + re.escape(template[last:]))


def _not_found() -> Problem:
    return Problem(
        "not-found",
        404,
        what=Text("There is nothing at this address.", "此網址沒有內容。"),
        todo=Text("Check the address.", "請檢查網址。"),
    )


def _not_allowed(methods: list[str]) -> Problem:
    return Problem(
        "method-not-allowed",
        405,
        what=Text("This address does not take this method.", "此網址不接受此方法。"),
        todo=Text("Use one of the allowed methods.", "請使用允許的方法。"),
        allowed=methods,
    )
