"""Asks over many connections at a time and checks every answer, with as little CPU as it can."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from bench.machine import cpu_seconds

Question = Callable[[int], tuple[bytes, bytes]]
"""The bytes of question `number`, and the body that its answer must have."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one pair of hops; `waits` are seconds from question to answer, sorted."""

    count: int
    cpu: float
    seconds: float
    waits: list[float] = field(default_factory=list)

    @property
    def micros(self) -> float:
        """CPU microseconds an exchange, of all processes measured."""
        return self.cpu / self.count * 1e6

    @property
    def rate(self) -> float:
        """Exchanges a second."""
        return self.count / self.seconds

    def millis(self, share: float) -> float:
        """The wait in ms that this share of the answers did not exceed."""
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * share))] * 1e3


class WrongAnswerError(Exception):
    """The bench ends with this: a figure for wrong work is none."""


async def ask_all(
    url: str, question: Question, numbers: range, pids: list[int], *, connections: int, rate: float = 0
) -> Round:
    """Ask all `numbers` over so many connections, at most `rate` a second if one is given.

    SystemExit when an answer is wrong.
    """
    place, waits = urlsplit(url), list[float]()
    todo, loop = iter(numbers), asyncio.get_running_loop()
    count = min(connections, len(numbers))
    made = [
        await loop.create_connection(
            lambda: _Asker(question, todo, waits, count / rate if rate else 0.0), place.hostname, place.port
        )
        for _ in range(count)
    ]
    cpu, started = cpu_seconds(pids), time.monotonic()
    for _, asker in made:
        asker.begin()
    try:
        await asyncio.gather(*(asker.done for _, asker in made))
    except WrongAnswerError as wrong:
        raise SystemExit(str(wrong)) from None
    spent, seconds = cpu_seconds(pids) - cpu, time.monotonic() - started
    for transport, _ in made:
        transport.close()
    return Round(len(numbers), spent, seconds, sorted(waits))


class _Asker(asyncio.Protocol):
    """One connection: a question, its answer, the next question."""

    def __init__(self, question: Question, todo: Iterator[int], waits: list[float], interval: float) -> None:
        self._question, self._todo, self._waits, self._interval = question, todo, waits, interval
        self._got, self._expected, self._number = b"", b"", 0
        self._sent = 0.0
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def begin(self) -> None:
        """Ask the next question, if there is one."""
        number = next(self._todo, None)
        if number is None:
            self.done.set_result(None)
            return
        asked, self._expected = self._question(number)
        self._number, self._sent = number, time.monotonic()
        self._transport.write(asked)

    def data_received(self, data: bytes) -> None:
        self._got += data
        at = self._got.find(b"\r\n\r\n")
        if at < 0:
            return
        head = self._got[:at].lower()
        size = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        body = self._got[at + 4 :]
        if len(body) < int(size or 0):
            return
        self._got = b""
        self._check(head, body)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(WrongAnswerError(f"question {self._number} got no answer"))

    def _check(self, head: bytes, body: bytes) -> None:
        right = head.startswith(b"http/1.1 200") and (body == self._expected or _same(body, self._expected))
        if not right and not self.done.done():
            told = f"{head[:12].decode()} {body[:300]!r}"
            self.done.set_exception(WrongAnswerError(f"wrong answer to question {self._number}: {told}"))
            return
        now = time.monotonic()
        self._waits.append(now - self._sent)
        if self._interval and (pause := self._sent + self._interval - now) > 0:
            self._loop.call_later(pause, self.begin)
        else:
            self.begin()


def _same(one: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False
