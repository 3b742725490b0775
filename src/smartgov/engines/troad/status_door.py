"""What a gateway tells other gateways about itself: who it is, its clock, its configuration, whether it is at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartgov.engines.httpd import Request, Response
from smartgov.engines.troad import home as homes
from smartgov.shared.problems import Problem

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

PATH = "/status"
UNFIT = frozenset(
    {
        "maintenance",
        "log-restored",
        "log-unavailable",
        "timestamps-missing",
        "configuration-expired",
        "configuration-missing",
    }
)
"""Refusals of a gateway that takes no exchange at all now, whoever asks."""


class StatusDoor:
    """The peers' door `GET /status`; only registered gateways get an answer."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def handle(self, request: Request) -> Response:
        """Nothing here is personal, and nothing says what is exchanged."""
        try:
            asker = self._core.known.of(request.peer_cert)
        except Problem as problem:
            return Response.problem(problem, "en")
        core, window = self._core, self._core.maintenance.window
        state = core.configuration.state()
        return Response.json(
            {
                "gateway": core.home.gateway,
                "asker": asker.id,
                "now": core.now().isoformat(),
                "configuration": {"version": state["version"], "digest": state["digest"]},
                "certificate_ends": homes.certificate(core.home.path).not_valid_after_utc.isoformat(),
                "maintenance": window.as_json() if window else None,
                "refuses": self._refuses(),
            },
            headers={"cache-control": "no-store"},
        )

    def _refuses(self) -> str | None:
        """Why it would refuse every exchange now, as far as it knows before one comes."""
        try:
            self._core.maintenance.refuse(self._core.now())
        except Problem as problem:
            return problem.slug
        unfit = refusal(self._core)
        return None if unfit is None else unfit.slug


def refusal(core: Core) -> Problem | None:
    """With what a gateway that is not under maintenance refuses every exchange now; None if it works."""
    try:
        core.configuration.current()
        core.heads.refuse_unfit()
    except Problem as problem:
        return problem
    return None
