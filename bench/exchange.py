"""CPU of one signed, logged, fsynced exchange over two gateways, beside the same two hops through nginx with mTLS.

Where there is one, a signing gateway in Node (`signature_peer`) does the same, less rights, encryption and Merkle log.
All stand before the same register and answer the same questions in turn (ABAB), so that a noisy machine disturbs all.
Every answer is compared with what the register must say; afterwards all logs must verify and hold exactly these
exchanges. Options: `--short`; `--connections=1,32,128,256`; `--kib=1,64`; `--profiles=signed,personal,full,soon,meta`;
`--million` (the memory of both gateways over 1,000,000 exchanges, `--million=N` over N); `--half` (waits at half of the
rate that was reached); `--sample=FOLDER` (where the gateways' CPU goes, see `profiled.py`).
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Protocol

import uvloop

from bench import floor, gateways, keywork, signature_peer
from bench.load import Question, Round, ask_all
from bench.machine import filesystem, pss_megabytes
from bench.processes import Process, Started, free_port
from bench.register import AS_OF, row
from smartgov.shared.tw import national_id

CONNECTIONS = (32, 128)
PROFILES = ("signed", "personal", "full")
COUNT = 3000
"""Exchanges in one round of the gateways."""
ROUNDS = 3
FLOOR_TIMES = 4
"""So much longer is a round of nginx, or the kernel's clock ticks would be too coarse for it."""
PARTS = 10
"""How often memory is read on the way to a million."""


class Hops(Protocol):
    """Two processes between the one who asks and the register."""

    @property
    def pids(self) -> list[int]:
        """The two processes."""

    @property
    def url(self) -> str:
        """Where one asks."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked in one kind of round; `batch` whether one signature may stand for many messages."""

    profile: str
    batch: bool
    connections: int
    kib: int = 0
    rate: float = 0

    @property
    def name(self) -> str:
        """As it is printed."""
        size = f", {self.kib} KiB" if self.kib else ""
        half = ", half load" if self.rate else ""
        return f"{self.profile} {'batch' if self.batch else 'alone'}, {self.connections} at a time{size}{half}"


@dataclass(slots=True)
class Figures:
    """What one run found, by case; `floor` and `peer` by connections, empty without nginx or Node."""

    troad: dict[Case, list[Round]] = field(default_factory=dict)
    floor: dict[int, list[Round]] = field(default_factory=dict)
    peer: dict[int, list[Round]] = field(default_factory=dict)
    answers: int = 0
    records: int = 0

    def ratio(self, case: Case) -> float:
        """The median over the pairs of neighbouring rounds."""
        pairs = zip(self.troad[case], self.floor[case.connections], strict=True)
        return median(ours.micros / theirs.micros for ours, theirs in pairs)


@dataclass(slots=True)
class Bench:
    """The processes of a run, and the number of the next question."""

    ours: dict[bool, gateways.Gateways]
    theirs: Hops | None
    peer: Hops | None = None
    asked: int = 0
    records: int = 0
    exchanges: dict[bool, set[str]] = field(default_factory=lambda: {True: set(), False: set()})

    async def round(self, case: Case, count: int) -> Round:
        """`count` exchanges of this case."""
        hops, numbers = self.ours[case.batch], self._numbers(count)
        self.exchanges[case.batch].update(_id(number) for number in numbers)
        question = _question(case.profile, hops.secret, case.kib, cut=True)
        return await _ask(hops, question, numbers, case.connections, case.rate)

    async def other_round(self, hops: Hops, connections: int, count: int) -> Round:
        """The same through the floor or the peer, where nothing is cut."""
        question = _question("signed", "", 0, cut=False)
        return await _ask(hops, question, self._numbers(count), connections, 0)

    def _numbers(self, count: int) -> range:
        first, self.asked = self.asked, self.asked + count
        return range(first, self.asked)


async def _ask(hops: Hops, question: Question, numbers: range, connections: int, rate: float) -> Round:
    return await ask_all(hops.url, question, numbers, hops.pids, connections=connections, rate=rate)


def _id(number: int) -> str:
    return f"bench-{number:012d}"


def _question(profile: str, secret: str, kib: int, *, cut: bool) -> Question:
    pad = kib * 1024
    filling = ',"note":"' + "n" * pad + '"' if pad else ""
    personal = bool(gateways.PROFILES[profile]["personal"])
    fixed = (
        f"POST /r1/{gateways.service(profile)}/births/query HTTP/1.1\r\nhost: bench\r\n"
        f"authorization: Bearer {secret}\r\ncontent-type: application/json\r\nx-road-client: {gateways.CLIENT}\r\n"
        f"x-road-issue: case-1\r\nx-troad-purpose: {gateways.PURPOSE}\r\nx-troad-basis: {gateways.LAW}\r\n"
    )

    def question(number: int) -> tuple[bytes, bytes]:
        subject = national_id.urn(national_id.make(number % 1000, 2)) if personal else ""
        body = f'{{"where":{{"id":{number}{f",{chr(34)}pad{chr(34)}:{pad}" if pad else ""}{filling}}}}}'
        about = f"x-troad-subject: {subject}\r\n" if subject else ""
        head = f"{fixed}x-road-id: {_id(number)}\r\n{about}content-length: {len(body)}\r\n\r\n"
        whole = row(number, subject, pad)
        items = {name: value for name, value in whole.items() if name in gateways.GRANTED} if cut else whole
        answer = json.dumps({"items": [items], "as_of": AS_OF}, ensure_ascii=False, separators=(",", ":"))
        return (head + body).encode(), answer.encode()

    return question


def measure(cases: list[Case], count: int = COUNT, rounds: int = ROUNDS, *, half: bool = False) -> Figures:
    """One run in a temporary folder; SystemExit when an answer or a log is not as it must be."""
    figures = Figures()

    async def drive(bench: Bench) -> None:
        await _drive(bench, figures, cases, count, rounds)
        if half:
            await _half(bench, figures, cases, count)

    bench = _run(drive, {case.batch for case in cases})
    figures.answers, figures.records = bench.asked, bench.records
    return figures


def _run(drive: Callable[[Bench], Coroutine[None, None, None]], kinds: set[bool]) -> Bench:
    with tempfile.TemporaryDirectory(prefix="smartgov-bench-") as name, Started() as started:
        folder, port = Path(name), free_port()
        register = Process.python("bench.register", port, port=port, output=folder / "register.log")
        started.add(register).wait_ready()
        sampled = _option("sample", "")
        ours = {
            batch: gateways.Gateways(
                folder / f"batch-{batch}", port, started, batch=batch, sampled=sampled and f"{sampled}/batch-{batch}"
            )
            for batch in kinds
        }
        theirs = floor.Floor(folder / "floor", port, started) if floor.present() else None
        peer = signature_peer.SignaturePeer(folder / "peer", port, started) if signature_peer.present() else None
        bench = Bench(ours, theirs, peer)
        uvloop.run(drive(bench))
        started.stop()
        bench.records = sum(one.verify_logs(bench.exchanges[batch]) for batch, one in ours.items())
        return bench


async def _drive(bench: Bench, figures: Figures, cases: list[Case], count: int, rounds: int) -> None:
    for number in range(rounds + 1):  # the first one opens connections and is not counted
        for connections in sorted({case.connections for case in cases}):
            if bench.theirs is not None:
                longer = count * FLOOR_TIMES if number else connections
                figures.floor.setdefault(connections, []).append(
                    await bench.other_round(bench.theirs, connections, longer)
                )
            if bench.peer is not None:
                found = await bench.other_round(bench.peer, connections, count if number else connections)
                figures.peer.setdefault(connections, []).append(found)
        for case in cases:
            figures.troad.setdefault(case, []).append(await bench.round(case, count if number else case.connections))
    for rounds_of in (*figures.troad.values(), *figures.floor.values(), *figures.peer.values()):
        del rounds_of[0]


async def _half(bench: Bench, figures: Figures, cases: list[Case], count: int) -> None:
    for case in cases:
        reached = median(one.rate for one in figures.troad[case])
        calm = Case(case.profile, case.batch, case.connections, case.kib, reached / 2)
        figures.troad[calm] = [await bench.round(calm, count)]


def _memory(total: int) -> None:
    """Print the memory of both gateways on the way to `total` exchanges."""

    async def drive(bench: Bench) -> None:
        case = Case("personal", True, 128)
        for part in range(PARTS):
            one = await bench.round(case, total // PARTS)
            megabytes = " and ".join(f"{pss_megabytes(pid):.0f}" for pid in bench.ours[True].pids)
            print(f"{(part + 1) * (total // PARTS):>10} exchanges: {megabytes} MB, {one.micros:.0f} CPU us", flush=True)

    bench = _run(drive, {True})
    print(f"{'verified':<10}{bench.asked} answers; {bench.records} records")


def _option(name: str, default: str) -> str:
    found = [word.partition("=")[2] for word in sys.argv if word.partition("=")[0] == f"--{name}"]
    return found[-1] if found else default


def _asked(name: str) -> bool:
    return any(word.partition("=")[0] == f"--{name}" for word in sys.argv)


def main() -> None:
    """Print all cases, their ratio to the floor, and what was verified."""
    print(f"folder of the logs is on {filesystem(Path(tempfile.gettempdir()))}")
    if _asked("million"):
        _memory(int(_option("million", "") or 1_000_000))
        return
    short = _asked("short")
    connections = [int(part) for part in _option("connections", "32,128").split(",")]
    sizes = [int(part) for part in _option("kib", "0").split(",")]
    profiles = _option("profiles", ",".join(PROFILES)).split(",")
    cases = [
        Case(profile, batch, one, kib)
        for one in connections
        for kib in sizes
        for profile in profiles
        for batch in (True, False)
    ]
    figures = measure(cases, 600 if short else COUNT, 1 if short else ROUNDS, half=_asked("half"))
    for at, rounds in figures.floor.items():
        print(_line(f"nginx floor, mTLS, {at} at a time", rounds, None))
    for at, rounds in figures.peer.items():
        print(_line(f"node signing gateway, {at} at a time", rounds, None))
    if not figures.floor:
        print("nginx floor: NOT RUN")
    if not figures.peer:
        print("node signing gateway: NOT RUN (SMARTGOV_PEERS has no signatures, or there is no node)")
    for case, rounds in figures.troad.items():
        comparable = figures.floor and not case.rate and not case.kib
        print(_line(case.name, rounds, figures.ratio(case) if comparable else None))
    print(f"{'keys alone':<40}{keywork.micros():8.0f} CPU us: 2 signatures, 2 references, made and opened")
    print(f"{'verified':<40}{figures.answers:8d} answers; {figures.records} records, two an exchange in each log")


def _line(name: str, rounds: list[Round], ratio: float | None) -> str:
    micros = sorted(one.micros for one in rounds)
    rate = median(one.rate for one in rounds)
    waits = (
        f"p50 {median(one.millis(0.5) for one in rounds):.1f} p99 {median(one.millis(0.99) for one in rounds):.1f} ms"
    )
    spread = f"({micros[0]:.0f} to {micros[-1]:.0f})"
    told = f", {ratio:.1f} x floor" if ratio is not None else ""
    return f"{name:<40}{median(micros):8.0f} CPU us {spread}, {rate:.0f} a second, {waits}{told}"
