"""Blows that the table of failures lists: each breaks the real process, proves that it struck, loses nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smartgov.engines.httpd import Request, Response, serve
from smartgov.engines.httpd.failures import ConnectionFailedError
from smartgov.engines.troad import consumer
from smartgov.engines.troad.tests.country import (
    BIRTHS,
    CASES,
    MOTHER,
    PURPOSE,
    Country,
    Rogue,
    problem_type,
    wait_for,
)
from smartgov.engines.troad.tests.kept import Kept
from smartgov.engines.troad.tests.test_gateway_process import Process, process
from smartgov.shared import clock

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
__all__ = ["process"]
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="NOT RUN: strace is not installed")
QUIET = "from smartgov.engines.troad import heads; heads.LOOK_SECONDS = 1e6"
"""No head is published meanwhile, so that the only writing is that of the exchange."""


def hush(country: Country) -> None:
    """The other gateways do nothing by themselves from now on, so that no request of theirs is struck instead."""
    for gateway in country.gateways.values():
        for task in gateway._tasks:
            country.loop.call_soon_threadsafe(task.cancel)


def kinds(country: Country, code: str, exchange: str) -> list[str]:
    """What a log holds of an exchange."""
    return [record["kind"] for record in country.records(code) if record.get("id") == exchange]


# -- kill -9 at every step --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """A point on the way of a call through the provider's gateway at which the process is killed.

    `phase`: before the question is there, or when the service is about to answer; `syscall` (its first one from then
    on) of all threads or of the main one; then what the log must hold (None: either) and whether the service was asked.
    """

    phase: str
    syscall: str
    whole: bool
    question: bool | None
    asked: bool
    answer: bool | None


STEPS = {
    "the question is being written": Step("question", "pwrite64", True, False, False, False),
    "the question is written and not yet on the disk": Step("question", "fdatasync", True, None, False, False),
    "the question is on the disk and nobody knows": Step("question", "write", True, True, False, False),
    "the service is about to be asked": Step("question", "write", False, True, False, False),
    "the service works": Step("answer", "", True, True, True, False),
    "the answer is being written": Step("answer", "pwrite64", True, True, True, False),
    "the answer is written and not yet on the disk": Step("answer", "fdatasync", True, True, True, None),
    "the answer is on the disk and nobody knows": Step("answer", "write", True, True, True, True),
    "the answer is about to be sent": Step("answer", "write", False, True, True, True),
    "the answer is half sent": Step("answer", "write:when=2", False, True, True, True),
}


class Blow:
    """strace, waiting in the process for the system call at which it kills it."""

    def __init__(self, process: Process, folder: Path, step: Step) -> None:
        self.process, self.out, self.step = process, folder / "strace.txt", step
        self.tracer: subprocess.Popen[str] | None = None

    def lie_in_wait(self) -> None:
        assert self.process.child is not None
        if not self.step.syscall:
            os.kill(self.process.child.pid, signal.SIGKILL)
            return
        name, _, when = self.step.syscall.partition(":")
        inject = f"inject={name}:signal=KILL:{when or 'when=1'}"
        command = ["strace", *(["-f"] if self.step.whole else []), "-o", str(self.out), "-e", f"trace={name}"]
        command += ["-e", inject, "-p", str(self.process.child.pid)]
        self.tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.tracer.stderr is not None
        assert "attached" in self.tracer.stderr.readline()

    def struck(self) -> bool:
        """Whether the process was killed, and by this."""
        assert self.process.child is not None
        killed = self.process.child.wait(20) == -signal.SIGKILL
        if self.tracer is None:
            return killed
        self.tracer.wait(20)
        assert self.tracer.stderr is not None
        self.tracer.stderr.close()
        return killed and "killed by SIGKILL" in self.out.read_text()


@needs_strace
@pytest.mark.parametrize("name", STEPS)
def test_kill_9_at_every_step(process: Process, tmp_path: Path, name: str) -> None:
    step, country = STEPS[name], process.country
    process.end()
    hush(country)
    process.start(QUIET)
    kept, blow, asked = Kept(country), Blow(process, tmp_path, step), list[str]()
    kept.some(2)

    def service(request: Request) -> Response:
        asked.append(request.method)
        if step.phase == "answer" and len(asked) == 1:
            blow.lie_in_wait()
        filling = "x"
        if "when" in step.syscall:  # more than fits between the two while the one who asks does not read
            filling *= 4_500_000
            country.loop.call_later(0.1, time.sleep, 2)
        return Response.json({"hospital": filling, "born_on": "2026-11-01"}, 201)

    country.behind.answer = service
    if step.phase == "question":
        blow.lie_in_wait()
    exchange = f"killed-{list(STEPS).index(name)}"
    assert kept.ask(exchange_id=exchange, idempotency_key="one-key") == "gateway-silent"
    assert blow.struck()
    assert len(asked) == int(step.asked)

    process.start()
    kept.hold()
    held = kinds(country, "hpa", exchange)
    assert held == ["request", "answer"][: len(held)]
    assert step.question in {None, "request" in held}
    assert step.answer in {None, "answer" in held}

    # The client repeats it, as it may: it is carried out once at most, and never twice.
    again = kept.ask(idempotency_key="one-key")
    if "answer" in held:
        assert (again, len(asked)) == ("answered", 1), "the kept answer"
    elif "request" in held:
        assert (again, len(asked)) == ("outcome-unknown", int(step.asked))
    else:
        assert (again, len(asked)) == ("answered", 1), "nothing had been done"
    assert kept.ask() == "answered"
    kept.hold()


OWN_STEPS = {
    "the question is being written": Step("question", "pwrite64", True, False, False, False),
    "the question is written and not yet on the disk": Step("question", "fdatasync", True, None, False, False),
    "the question is on the disk and nobody knows": Step("question", "write", True, True, False, False),
    "the question is about to be sent": Step("question", "write", False, True, False, False),
    "the other gateway works": Step("answer", "", True, True, True, False),
    "the answer is being written": Step("answer", "pwrite64", True, True, True, False),
    "the answer is written and not yet on the disk": Step("answer", "fdatasync", True, True, True, None),
    "the answer is on the disk and nobody knows": Step("answer", "write", True, True, True, True),
    "the answer is about to be handed over": Step("answer", "write", False, True, True, True),
}


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Process]:
    """ris's gateway, which asks, in a process."""
    country = Country(tmp_path)
    country.start("hpa", "portal")
    made = Process(country, "ris")
    made.start(QUIET)
    yield made
    if made.child is not None and made.child.poll() is None:
        made.end()
    country.stop()


@needs_strace
@pytest.mark.parametrize("name", OWN_STEPS)
def test_kill_9_of_the_asking_gateway_at_every_step(asking: Process, tmp_path: Path, name: str) -> None:
    step, country = OWN_STEPS[name], asking.country
    hush(country)
    kept, blow, asked = Kept(country), Blow(asking, tmp_path, step), list[str]()
    kept.some(2)

    def service(request: Request) -> Response:
        asked.append(request.method)
        if step.phase == "answer" and len(asked) == 1:
            blow.lie_in_wait()
        return Response.json({"hospital": "x", "born_on": "2026-11-01"}, 201)

    country.behind.answer = service
    if step.phase == "question":
        blow.lie_in_wait()
    exchange = f"killed-{list(OWN_STEPS).index(name)}"
    assert kept.ask(exchange_id=exchange, idempotency_key="one-key") in {"gateway-unreachable", "gateway-silent"}
    assert blow.struck()
    assert len(asked) == int(step.asked)

    asking.start()
    kept.hold()
    held = kinds(country, "ris", exchange)
    assert held == ["request", "answer"][: len(held)]
    assert step.question in {None, "request" in held}
    assert step.answer in {None, "answer" in held}
    if step.asked:
        wait_for(lambda: kinds(country, "hpa", exchange) == ["request", "answer"])
    assert kept.ask(idempotency_key="one-key") == "answered"
    assert len(asked) == 1, "carried out once, whenever it broke off"
    kept.hold()


@needs_strace
def test_a_replay_is_refused_whenever_the_question_was_recorded(process: Process, tmp_path: Path) -> None:
    process.end()
    hush(process.country)
    process.start(QUIET)
    rogue, country, kept = Rogue(process.country), process.country, Kept(process.country)
    kept.some(2)
    message = rogue.sign(rogue.message())
    blow = Blow(process, tmp_path, STEPS["the question is written and not yet on the disk"])
    blow.lie_in_wait()
    with pytest.raises(ConnectionFailedError):
        rogue.send(message)
    assert blow.struck()
    process.start()
    assert country.records("hpa")[-1]["id"] == message.head.fields["x-road-id"]
    country.behind.seen.clear()
    assert problem_type(rogue.send(message)) == "replay"
    assert country.behind.seen == []
    kept.hold()


# -- others are down, slow, or wrong about the time --------------------------------------------------------------------


def consent(country: Country) -> str:
    end = (clock.now() + timedelta(days=1)).isoformat()
    portal = country.sdk("TW/GOV/portal/portal")
    wanted: dict[str, Any] = {"provider": BIRTHS, "requester": CASES, "fields": ["born_on"], "purpose": PURPOSE}
    return portal.consent(subject=MOTHER, expires_at=end, **wanted)


def test_the_revocation_source_is_down(process: Process) -> None:
    country, given, kept = process.country, consent(process.country), Kept(process.country)
    kept.some(2)
    country.halt("portal")
    country.behind.seen.clear()
    assert kept.ask(consent=given, basis=None) == "consent-status-unknown"
    refusal = country.records("hpa")[-1]
    assert (refusal["kind"], refusal["reason"]) == ("refusal", "consent-status-unknown"), "it struck"
    assert country.behind.seen == [], "the service was not asked"
    assert kept.some(2) == ["answered"] * 2, "what needs no consent goes on"
    country.start("portal")
    wait_for(lambda: kept.ask(consent=given, basis=None) == "answered")
    kept.hold()


@pytest.mark.parametrize("seconds", [-90, 90])
def test_the_clock_is_wrong(process: Process, seconds: int) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    process.end()
    shift = "from datetime import timedelta; from smartgov.shared import clock; clock._shift.set(timedelta(seconds={}))"
    process.start(shift.format(seconds))
    country.behind.seen.clear()
    assert kept.ask() == "message-stale"
    refusal = country.records("hpa")[-1]
    assert refusal["reason"] == "message-stale"
    told = clock.datetime.fromisoformat(refusal["time"]) - clock.now()
    assert abs(told.total_seconds() - seconds) < 30, "its clock was wrong by so much"
    assert country.behind.seen == []
    process.end()
    process.start(shift.format(seconds // 3))
    assert kept.some(2) == ["answered"] * 2, "half a minute is borne"
    process.end()
    process.start()
    assert kept.ask() == "answered"
    kept.hold()


@pytest.fixture
def hasty(process: Process, monkeypatch: pytest.MonkeyPatch) -> Process:
    """A service that may take a second, and a client's gateway that waits some more."""
    first, *others = process.country.data()["services"]
    process.country.publish(services=[{**first, "limits": {"seconds": 1}}, *others])
    monkeypatch.setattr(consumer, "HOPS_SECONDS", 4)
    return process


def test_the_other_gateway_is_slow(hasty: Process) -> None:
    process, country, kept = hasty, hasty.country, Kept(hasty.country)
    kept.some(2)
    assert process.child is not None
    process.child.send_signal(signal.SIGSTOP)
    wait_for(lambda: state(process) == "T")
    country.behind.seen.clear()
    assert kept.ask(exchange_id="while-it-stood") == "gateway-silent"
    assert kinds(country, "ris", "while-it-stood") == ["request", "refusal"]
    process.child.send_signal(signal.SIGCONT)
    assert kept.some(2) == ["answered"] * 2
    kept.hold()


def test_the_service_is_slow(hasty: Process) -> None:
    country, kept = hasty.country, Kept(hasty.country)
    kept.some(2)
    sound = country.behind.handle

    async def slow(request: Request) -> Response:
        await asyncio.sleep(8)
        return await sound(request)

    stand_in(country, slow)
    assert kept.ask(exchange_id="too-slow-1") == "service-silent"
    assert kinds(country, "hpa", "too-slow-1") == ["request", "refusal"]
    stand_in(country, sound)
    assert kept.some(2) == ["answered"] * 2
    kept.hold()


def stand_in(country: Country, handle: Callable[[Request], Awaitable[Response]]) -> None:
    """Let another system answer behind the gateways."""
    assert country._server is not None
    country.run(country._server.stop())
    country._server = country.run(serve(handle, port=country.behind.port))


def state(process: Process) -> str:
    """The state of the process as the kernel says it: T is stopped."""
    assert process.child is not None
    return Path(f"/proc/{process.child.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
