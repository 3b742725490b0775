"""Which gateway of a member is asked: the first listed, and another one while that one cannot be reached.

A gateway to which nothing could be sent, or that said that it cannot work now, is passed over for some seconds. It is
looked at beside the traffic (`GET /status`), after pauses that grow, so that no call is spent on finding out. Healthy
traffic pays one look at an empty dict.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from smartgov.engines.httpd import Client
from smartgov.engines.httpd.failures import ConnectionFailedError, NotSentError, PeerMismatchError
from smartgov.engines.troad.alarms import PASSED_OVER
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.reaching import Step
from smartgov.engines.troad.snapshot import Gateway, Member
from smartgov.engines.troad.status_door import PATH, UNFIT
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

if TYPE_CHECKING:
    from smartgov.engines.troad.core import Core

log = structlog.get_logger()
CONNECT_SECONDS = 5.0
"""For so long a connection is waited for, TLS included: a process that stands still is connected to by its kernel."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
"""Seconds before a gateway that is passed over is looked at; each next pause is twice as long, less up to a half."""
WATCH_SECONDS = 5.0
"""So often a gateway of which an answer is awaited is asked how it is: all calls share a connection, and one whose
process stands still would take each of them in until the service's time is over.
"""
_STUCK_SECONDS = 1.0
_LOOK_SECONDS = 5.0
_MOST = 1024
"""More gateways than this are not passed over at a time."""
TODO = Text(
    "Calls go to the member's other gateways; `smartgov gateway ping` names the step that fails.",
    "請求改送該成員的其他閘道；`smartgov gateway ping` 可指出失敗步驟。",
)


class PeerClient(Client):
    """The client towards other gateways: one that does not finish connecting in time was sent nothing."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._stuck: dict[tuple[str, int], float] = {}
        """Host and port that were connected to in vain, and until when (monotonic) nobody else waits for them."""

    async def _connect(self, key):  # type: ignore[no-untyped-def]
        place = key[1:]
        # Whoever waited for the same connection has waited long enough: it is made for one after the other.
        if time.monotonic() < self._stuck.get(place, 0.0):
            raise NotSentError(f"no connection to {place[0]}:{place[1]}")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                made = await super()._connect(key)
        except TimeoutError as error:
            if len(self._stuck) >= _MOST:
                self._stuck.clear()
            self._stuck[place] = time.monotonic() + _STUCK_SECONDS
            raise NotSentError(f"no connection to {place[0]}:{place[1]} within {CONNECT_SECONDS:g} s") from error
        self._stuck.pop(place, None)
        return made

    def awaited(self) -> set[tuple[str, int]]:
        """Host and port of the gateways of which somebody waits for an answer, over a connection that is shared."""
        return {key[1:] for key, several in self._shared.items() if any(one.running for one in several)}


@dataclass(slots=True)
class _Passed:
    """Why a gateway is passed over, and the work that looks at it."""

    reason: str
    looking: asyncio.Task[None]


class Ways:
    """The ways from one gateway to the others."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._passed: dict[str, _Passed] = {}
        self._pauses: dict[str, tuple[float, float]] = {}
        """Of gateways that came back: the last pause, and when (monotonic); so that one which wavers is left longer."""

    def order(self, member: Member) -> Sequence[Gateway]:
        """The gateways of a member in the order in which to try them: those that are passed over come last."""
        if not self._passed:
            return member.gateways
        return sorted(member.gateways, key=lambda one: one.id in self._passed)

    def failed(self, to: Gateway, reason: str) -> None:
        """Pass over a gateway that could not be asked, if its member has another one."""
        member = self._core.configuration.current().members.get(to.member)
        if to.id in self._passed or member is None or len(member.gateways) < 2 or len(self._passed) >= _MOST:
            return
        pause, since = self._pauses.pop(to.id, (0.0, 0.0))
        wavers = time.monotonic() - since < LONGEST_PAUSE
        first = min(2 * pause, LONGEST_PAUSE) if wavers else FIRST_PAUSE
        self._core.alarms.set(f"{PASSED_OVER}{to.id}", reason)
        self._passed[to.id] = _Passed(reason, asyncio.create_task(self._look(to.id, first)))

    def refused(self, to: Gateway, problem: Problem) -> None:
        """Pass over a gateway whose signed refusal says that it takes nothing at all now."""
        if problem.slug in UNFIT:
            self.failed(to, problem.slug)

    def step(self) -> Step:
        """What the deep health check says of it: no fault of one's own, so that it does not count against it."""
        if not self._passed:
            return Step("ways", True, "no gateway is passed over")
        told = "; ".join(f"{name}: {one.reason}" for name, one in sorted(self._passed.items()))
        return Step("ways", None, f"passed over: {told}", TODO)

    async def run(self) -> None:
        """Watch those of which answers are awaited."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if awaited := self._core.peers.awaited():
                with contextlib.suppress(Problem):  # without a configuration nothing is asked of anybody
                    await asyncio.gather(*(self._watch(one) for one in self._watched(awaited)))

    def _watched(self, awaited: set[tuple[str, int]]) -> list[Gateway]:
        members = self._core.configuration.current().members.values()
        with_another = [one for member in members if len(member.gateways) > 1 for one in member.gateways]
        return [one for one in with_another if (one.host, one.port) in awaited and one.id not in self._passed]

    async def _watch(self, to: Gateway) -> None:
        if not await self._works(to.id):
            self.failed(to, "gateway-silent")

    def stop(self) -> None:
        """Look at none any more."""
        for one in self._passed.values():
            one.looking.cancel()

    async def _look(self, name: str, pause: float) -> None:
        """Look at a gateway until it works, or is listed no more."""
        while True:
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - not all at once; no secret
            if await self._works(name):
                break
            pause = min(2 * pause, LONGEST_PAUSE)
        del self._passed[name]
        while len(self._pauses) >= _MOST:
            self._pauses.pop(next(iter(self._pauses)))
        self._pauses[name] = pause, time.monotonic()
        self._core.alarms.clear(f"{PASSED_OVER}{name}")

    async def _works(self, name: str) -> bool:
        """Whether it need not be passed over: it says that it takes exchanges, or there is no such gateway now."""
        try:
            to = self._core.configuration.current().gateways.get(name)
            if to is None:
                return True
            answer = await self._core.peers.request(
                "GET", f"https://{to.authority}{PATH}", timeout=_LOOK_SECONDS, expect_peer=to.tls_fingerprint
            )
            said = json.loads(answer.body)
            return answer.status == 200 and not said.get("refuses") and said["maintenance"] is None
        except (ConnectionFailedError, TimeoutError, Problem, ValueError, KeyError, TypeError, AttributeError) as error:
            log.info("gateway_not_at_work", gateway=name, error=type(error).__name__)
            return False


def unsent(error: NotSentError, to: Gateway, tried: Sequence[Gateway]) -> Problem:
    """The Problem of a question of which not a byte left; `tried` are all gateways that were tried before and this."""
    slug = "gateway-untrusted" if isinstance(error, PeerMismatchError) else "gateway-unreachable"
    others = {"tried": [one.id for one in tried]} if len(tried) > 1 else {}
    return refuse(slug, gateway=to.id, **others)
