"""What the local door tells whoever reaches loopback about the gateway itself: nothing here is personal."""

from __future__ import annotations

from typing import Any

from smartgov.engines.httpd import Request, Response
from smartgov.engines.troad import local_document, wellbeing
from smartgov.engines.troad.core import Core
from smartgov.engines.troad.directory_door import Caller
from smartgov.engines.troad.status_door import refusal
from smartgov.shared.problems import Problem


class StateDoor:
    """The gateway's health, figures, log's head and this door's own document."""

    def __init__(self, core: Core, caller: Caller) -> None:
        self._core, self._caller = core, caller

    async def health(self, request: Request) -> Response:
        """Whether the gateway takes exchanges, and if not, why and what to do, in both languages.

        `?deep` does real work for an information system that shows its secret: `wellbeing.check`.
        """
        if "deep" in request.args():
            self._caller(request)
            steps = await wellbeing.check(self._core)
            well = all(step.ok is not False for step in steps)
            return Response.json({"well": well, "checks": [step.as_json() for step in steps]}, 200 if well else 503)
        window = self._core.maintenance.window
        state = self._core.configuration.state()
        with self._core.store.reading() as (_, log):
            size = log.size()
        refused = refusal(self._core)
        body = {
            "healthy": refused is None,
            "gateway": self._core.home.gateway,
            "configuration": state,
            "configuration_expires": state["expires_at"] or "",
            "log_size": size,
            "alarms": self._core.alarms.standing,
            "maintenance": window.as_json() if window else None,
            "running": self._core.running,
            "once": self._core.moving.state(),
            "problem": _told(refused),
        }
        return Response.json(body, 200 if refused is None else 503)

    async def document(self, request: Request) -> Response:
        """The OpenAPI document of this door."""
        return Response(200, {"content-type": "application/json"}, local_document.served())

    async def metrics(self, request: Request) -> Response:
        """Figures in the text format of Prometheus."""
        text = self._core.traffic.as_prometheus()
        return Response(200, {"content-type": "text/plain; version=0.0.4"}, text.encode())

    async def traffic(self, request: Request) -> Response:
        """What was counted since the start, for people: by side, service and peer, with times."""
        shown = self._core.traffic.as_dict(self._core.now())
        return Response.json({"gateway": self._core.home.gateway, **shown})

    async def checkpoint(self, request: Request) -> Response:
        """The present signed head of the log."""
        note = await self._core.heads.publish()
        return Response(200, {"content-type": "text/plain; charset=utf-8"}, note.encode())


def _told(problem: Problem | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    parts = {"what": problem.what, "why": problem.why, "todo": problem.todo}
    return {"type": problem.type, **{name: part.as_dict() for name, part in parts.items()}}
