"""Asks over many connections at a time and checks every answer, with as little CPU as it can."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from bench.machine import Spent, spent

Question = Callable[[int], tuple[bytes, bytes]]
"""The bytes of question `number`, and the body that its answer must have."""
_PREPARED = 30_000
"""So many questions are made before the round begins, so that making them takes nothing from those who are measured."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one pair of hops, or of several; `waits` are seconds from question to answer, sorted.

    `parts`: what each measured process spent. `refused`: the questions that got another status than 200, with it.
    `asking`: CPU seconds of the one who asks, which are in no other figure.
    """

    count: int
    parts: list[Spent]
    seconds: float
    waits: list[float] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    asking: float = 0

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes measured."""
        return sum(part.whole for part in self.parts)

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


@dataclass(slots=True)
class _Found:
    waits: list[float] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


async def ask_all(
    urls: Sequence[str], question: Question, numbers: range, pids: list[int], *, connections: int, rate: float = 0
) -> Round:
    """Ask all `numbers` over so many connections, at most `rate` a second if one is given.

    Of several `urls` question `number` goes to the one with this number. SystemExit when an answer is wrong, or when
    more than one in a hundred is refused.
    """
    found = _Found()
    if len(numbers) <= _PREPARED:
        question = {number: question(number) for number in numbers}.__getitem__
    count = max(min(connections, len(numbers)), len(urls))
    todos = [iter(numbers[(at - numbers.start) % len(urls) :: len(urls)]) for at in range(len(urls))]
    made = [
        await _connected(
            _Asker(question, todos[at % len(urls)], found, count / rate if rate else 0.0), urls[at % len(urls)]
        )
        for at in range(count)
    ]
    before, own, started = [spent(pid) for pid in pids], time.process_time(), time.monotonic()
    for number, asker in enumerate(made):
        asker.start(number / rate if rate else 0.0)
    try:
        await asyncio.gather(*(asker.done for asker in made))
    except WrongAnswerError as wrong:
        raise SystemExit(str(wrong)) from None
    seconds, after = time.monotonic() - started, [spent(pid) for pid in pids]
    own = time.process_time() - own
    for asker in made:
        asker.end()
    parts = [one - other for one, other in zip(after, before, strict=True)]
    if len(found.refused) > len(numbers) // 100:
        raise SystemExit(f"refused: {dict(Counter(found.refused.values()).most_common(3))} of {len(numbers)}")
    return Round(len(numbers), parts, seconds, sorted(found.waits), found.refused, own)


async def _connected(asker: _Asker, url: str) -> _Asker:
    place = urlsplit(url)
    await asyncio.get_running_loop().create_connection(lambda: asker, place.hostname or "", place.port or 80)
    return asker


class _Asker(asyncio.Protocol):
    """One connection: a question, its answer, the next question."""

    def __init__(self, question: Question, todo: Iterator[int], found: _Found, interval: float) -> None:
        self._question, self._todo, self._found, self._interval = question, todo, found, interval
        self._got, self._expected, self._number = bytearray(), b"", 0
        self._sent = self._due = 0.0
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def start(self, seconds: float) -> None:
        """Begin after so many seconds: with a rate the connections ask one after another, evenly."""
        self._due = time.monotonic() + seconds
        if seconds:
            self._loop.call_later(seconds, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        number = next(self._todo, None)
        if number is None:
            self.done.set_result(None)
            return
        asked, self._expected = self._question(number)
        # With a rate a wait counts from when the question was due: who is late because others waited has waited too.
        self._number, self._sent = number, self._due if self._interval else time.monotonic()
        self._transport.write(asked)

    def end(self) -> None:
        """Close the connection: each round has its own."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        if not self._got and data.startswith(b"HTTP/1.1 200") and data.endswith(b"\r\n\r\n" + self._expected):
            self._next()
            return
        self._got += data
        at = self._got.find(b"\r\n\r\n")
        if at < 0:
            return
        head = bytes(self._got[:at]).lower()
        size = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if len(self._got) - at - 4 < int(size or 0):
            return
        body = bytes(self._got[at + 4 :])
        self._got.clear()
        self._check(head, body)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(WrongAnswerError(f"question {self._number} got no answer"))

    def _check(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"http/1.1 200"):
            self._found.refused[self._number] = f"{head[9:12].decode()} {_type(body)}"
        elif body != self._expected and not _same(body, self._expected):
            if not self.done.done():
                told = f"wrong answer to question {self._number}: {body[:300]!r}"
                self.done.set_exception(WrongAnswerError(told))
            return
        self._next()

    def _next(self) -> None:
        now = time.monotonic()
        self._found.waits.append(now - self._sent)
        self._due += self._interval
        if self._interval and self._due > now:
            self._loop.call_later(self._due - now, self._begin)
        else:
            self._begin()


def _same(one: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def _type(body: bytes) -> str:
    """The kind of problem that a refusal names."""
    try:
        return str(json.loads(body).get("type", ""))
    except (ValueError, AttributeError):
        return ""
