"""CPU of one signed, logged, fsynced exchange over two gateways, beside the same two hops through nginx with mTLS.

Both pairs stand before the same register and answer the same questions in turn (ABAB), so that a noisy machine
disturbs both. Every answer is compared with what the register must say; afterwards both logs must verify and hold
exactly these exchanges. One person travels each way in every exchange, as in a real question about somebody.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import uvloop

from bench import floor, gateways, keywork
from bench.machine import cpu_seconds, filesystem
from bench.processes import Process, Started, free_port
from bench.register import AS_OF, row
from smartgov.engines.httpd import Client, Response
from smartgov.shared.tw import national_id

CONCURRENCY = 32
COUNT = 1000
"""Exchanges in one round of the gateways."""
ROUNDS = 3
FLOOR_TIMES = 8
"""So much longer is a round of nginx, or the kernel's clock ticks would be too coarse for it."""
_PATH = f"/r1/{gateways.SERVICE}/births/query"


class Hops(Protocol):
    """Two processes between the one who asks and the register."""

    @property
    def pids(self) -> list[int]:
        """The two processes."""

    @property
    def url(self) -> str:
        """Where one asks."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one pair."""

    count: int
    cpu: float
    seconds: float

    @property
    def micros(self) -> float:
        """CPU microseconds an exchange, of both processes."""
        return self.cpu / self.count * 1e6

    @property
    def rate(self) -> float:
        """Exchanges a second."""
        return self.count / self.seconds


@dataclass(slots=True)
class Figures:
    """What one run found; `floor` is empty without nginx."""

    troad: list[Round] = field(default_factory=list)
    floor: list[Round] = field(default_factory=list)
    answers: int = 0
    records: int = 0

    @property
    def ratio(self) -> float:
        """The median over the pairs of neighbouring rounds."""
        return median(ours.micros / theirs.micros for ours, theirs in zip(self.troad, self.floor, strict=True))


class WrongAnswerError(Exception):
    """The bench ends with this: a figure for wrong work is none."""


class Load:
    """Asks and checks every answer."""

    def __init__(self, secret: str) -> None:
        self._client = Client(limit=CONCURRENCY)
        self._headers = {
            "authorization": f"Bearer {secret}",
            "content-type": "application/json",
            "x-road-client": gateways.CLIENT,
            "x-road-issue": "case-1",
            "x-troad-purpose": gateways.PURPOSE,
            "x-troad-basis": gateways.LAW,
        }
        self._asked = 0
        self.exchanges: set[str] = set()
        """The ids that gateways gave to their exchanges."""

    async def round(self, hops: Hops, count: int, *, cut: bool) -> Round:
        """`count` questions with their answers checked; `cut` when only granted fields may come back."""
        numbers = iter(range(self._asked, self._asked + count))
        self._asked += count
        cpu, started = cpu_seconds(hops.pids), time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(CONCURRENCY, count)):
                    group.create_task(self._ask_all(hops.url + _PATH, numbers, cut=cut))
        except* WrongAnswerError as wrong:
            raise SystemExit(str(wrong.exceptions[0])) from None
        return Round(count, cpu_seconds(hops.pids) - cpu, time.monotonic() - started)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask_all(self, url: str, numbers: Any, *, cut: bool) -> None:
        for number in numbers:
            subject = national_id.urn(national_id.make(number % 1000, 2))
            body = json.dumps({"where": {"id": number}}).encode()
            headers = {**self._headers, "x-troad-subject": subject}
            answer = await self._client.request("POST", url, headers=headers, body=body)
            check(answer, number, subject, cut=cut)
            if cut:
                self.exchanges.add(answer.headers["x-road-id"])


def check(answer: Response, number: int, subject: str, *, cut: bool) -> None:
    """WrongAnswerError unless this is the register's answer to this question, cut to the granted fields or whole."""
    whole = row(number, subject)
    expected = {name: whole[name] for name in gateways.GRANTED} if cut else whole
    if answer.status != 200 or answer.parsed() != {"items": [expected], "as_of": AS_OF}:
        raise WrongAnswerError(f"wrong answer to question {number}: {answer.status} {answer.body[:300]!r}")


def measure(count: int = COUNT, rounds: int = ROUNDS) -> Figures:
    """One run in a temporary folder; SystemExit when an answer or a log is not as it must be."""
    with tempfile.TemporaryDirectory(prefix="smartgov-bench-") as folder:
        return _measure(Path(folder), count, rounds)


def _measure(folder: Path, count: int, rounds: int) -> Figures:
    port = free_port()
    with Started() as started:
        register = Process.python("bench.register", port, port=port, output=folder / "register.log")
        started.add(register).wait_ready()
        ours = gateways.Gateways(folder, port, started)
        theirs = floor.Floor(folder / "floor", port, started) if floor.present() else None
        figures, exchanges = uvloop.run(_drive(ours, theirs, count, rounds))
    figures.records = ours.verify_logs(exchanges)
    return figures


async def _drive(
    ours: gateways.Gateways, theirs: floor.Floor | None, count: int, rounds: int
) -> tuple[Figures, set[str]]:
    figures, load = Figures(), Load(ours.secret)
    try:
        for number in range(rounds + 1):  # the first one opens connections and is not counted
            figures.troad.append(await load.round(ours, count if number else CONCURRENCY, cut=True))
            if theirs is not None:
                longer = count * FLOOR_TIMES if number else CONCURRENCY
                figures.floor.append(await load.round(theirs, longer, cut=False))
    finally:
        await load.close()
    figures.answers = sum(one.count for one in figures.troad + figures.floor)
    del figures.troad[:1], figures.floor[:1]
    return figures, load.exchanges


def main() -> None:
    """Print both pairs, their ratio, and what was verified."""
    figures = measure()
    print(f"folder of the logs is on {filesystem(Path(tempfile.gettempdir()))}; {CONCURRENCY} exchanges at a time")
    print(_line("two gateways", figures.troad))
    print(f"{'  of which keys':<20}{keywork.micros():8.0f} CPU us: 2 signatures, 2 references, made and opened")
    if figures.floor:
        print(_line("nginx floor, mTLS", figures.floor))
        print(f"{'ratio':<20}{figures.ratio:8.1f} times the CPU of nginx, which signs nothing and keeps nothing")
    else:
        print("nginx floor: NOT RUN")
    print(f"{'verified':<20}{figures.answers:8d} answers; {figures.records} records, two an exchange in each log")


def _line(name: str, rounds: list[Round]) -> str:
    micros = sorted(one.micros for one in rounds)
    rate = median(one.rate for one in rounds)
    spread = f"(rounds {micros[0]:.0f} to {micros[-1]:.0f})"
    return f"{name:<20}{median(micros):8.0f} CPU us an exchange {spread}, {rate:.0f} a second"
