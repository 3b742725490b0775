"""CPU of one signed, logged, fsynced exchange over two gateways, beside the same two hops through nginx with mTLS.

Where there is one, a signing gateway in Node (`signature_peer`) does the same, less rights, encryption and Merkle log.
All stand before the same register and answer the same questions in turn (ABAB), so that a noisy machine disturbs all.
Every answer is compared with what the register must say, and a wrong one ends the bench; refusals are counted and spoil
its figures; afterwards all logs must verify and hold exactly these exchanges.

Options: `--everything` (the table of the documentation); `--short`; `--connections=1,32,128,256`; `--kib=1,64`;
`--profiles=signed,personal,full,once,soon,meta`; `--gateways=1,2,3,8` (any number that share this machine: the greater
half of them asks, each all of the others; one alone asks its own member, which is less work: nothing is signed or sent
between gateways, and one log holds both sides) or `--pairs=1,2,4` (of gateways); `--half` (waits at half of the rate
that was reached); `--seconds=1.5` (of a round) and `--rounds=3`; `--million` (memory of both gateways over 1,000,000
exchanges, `--million=N` over N); `--stages` (CPU of an exchange by stage, by the sampler of `profiled.py` and the table
of `stages.py`: of all cases of the run together, so choose one) or `--sample=FOLDER` (what the sampler found, whole).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Protocol

import uvloop

from bench import cases as made
from bench import exchange_table, floor, gateways, keywork, signature_peer, stages
from bench.cases import Case
from bench.consents import person
from bench.load import Question, Round, ask_all
from bench.machine import filesystem, pss_megabytes
from bench.processes import Process, Started, free_port
from bench.register import AS_OF, row
from smartgov.shared.tw import national_id

ROUNDS, SECONDS = 3, 1.5
"""Of a case, and about so long is each."""
BUDGET_SECONDS = 540
"""No round begins that would not end within it: a slow machine gets fewer rounds, which is said."""
_LEAST, _MOST = 60, 20_000
PARTS = 10
"""How often memory is read on the way to a million."""
Beside = tuple[int, int]
"""Connections and filling of a round of nginx or Node."""


class Hops(Protocol):
    """Processes between the one who asks and the register."""

    @property
    def pids(self) -> list[int]:
        """The processes."""

    @property
    def urls(self) -> list[str]:
        """Where one asks."""


@dataclass(slots=True)
class Figures:
    """What one run found, by case; `floor` and `peer` are empty without nginx or Node. `megabytes`: of each process."""

    troad: dict[Case, list[Round]] = field(default_factory=dict)
    floor: dict[Beside, list[Round]] = field(default_factory=dict)
    peer: dict[Beside, list[Round]] = field(default_factory=dict)
    megabytes: dict[Case | tuple[str, Beside], list[float]] = field(default_factory=dict)
    answers: int = 0
    records: int = 0
    refused: int = 0
    stages: list[str] = field(default_factory=list)
    """The table of CPU by stage, where that was asked for."""

    def ratio(self, case: Case, beside: dict[Beside, list[Round]]) -> float | None:
        """Our CPU by theirs, the median over the pairs of neighbouring rounds; None without such a round."""
        theirs = beside.get((case.connections, case.kib))
        if theirs is None or case.rate:
            return None
        return median(one.micros / max(other.micros, 1e-9) for one, other in zip(self.troad[case], theirs, strict=True))


@dataclass(slots=True)
class Bench:
    """The processes of a run, and the number of the next question."""

    ours: dict[tuple[bool, int], gateways.Gateways]
    theirs: Hops | None
    peer: Hops | None = None
    asked: int = 0
    records: int = 0
    refused: set[int] = field(default_factory=set)
    exchanges: dict[tuple[bool, int], set[int]] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)

    async def round(self, case: Case, count: int) -> Round:
        """`count` exchanges of this case."""
        hops, numbers = self.ours[case.batch, case.gateways], self._numbers(count)
        if case.profile in gateways.CONSENTED:
            hops.consents.prepare(case.profile, numbers)
        found = await _ask(hops, _question(case.profile, hops, case.kib), numbers, case.connections, case.rate)
        hops.consents.forget_used()
        self.exchanges.setdefault((case.batch, case.gateways), set()).update(set(numbers) - set(found.refused))
        self.refused.update(found.refused)
        return found

    async def other_round(self, hops: Hops, connections: int, kib: int, count: int) -> Round:
        """The same through the floor or the peer, where nothing is cut."""
        found = await _ask(hops, _question("signed", None, kib), self._numbers(count), connections, 0)
        self.refused.update(found.refused)
        return found

    def _numbers(self, count: int) -> range:
        first, self.asked = self.asked, self.asked + count
        return range(first, self.asked)


async def _ask(hops: Hops, question: Question, numbers: range, connections: int, rate: float) -> Round:
    return await ask_all(hops.urls, question, numbers, hops.pids, connections=connections, rate=rate)


def _id(number: int) -> str:
    return f"bench-{number:012d}"


def _question(profile: str, hops: gateways.Gateways | None, kib: int) -> Question:
    """Questions to our gateways, or to others (None), which look at nothing and cut nothing."""
    pad = kib * 1024
    filling = f',"pad":{pad},"note":"{"n" * pad}"' if pad else ""
    personal = bool(gateways.PROFILES[profile]["personal"])
    consented = hops is not None and profile in gateways.CONSENTED
    granted = gateways.granted(profile)
    fixed = (
        f"host: bench\r\ncontent-type: application/json\r\nx-road-issue: case-1\r\n"
        f"x-troad-purpose: {gateways.PURPOSE}\r\n" + ("" if consented else f"x-troad-basis: {gateways.LAW}\r\n")
    )

    def question(number: int) -> tuple[bytes, bytes]:
        subject = national_id.urn(person(number)) if personal else ""
        body = f'{{"where":{{"id":{number}{filling}}}}}'
        begin = f"POST /r1/{_service(profile, hops, number)}/births/query HTTP/1.1\r\n{fixed}"
        way = hops.ways[number % len(hops.ways)] if hops is not None else gateways.Way("", "none", "TW/GOV/ris/cases")
        begin += f"authorization: Bearer {way.secret}\r\nx-road-client: {way.client}\r\n"
        if consented and hops is not None:
            begin += f"x-troad-consent: {hops.consents.of(profile, number)}\r\n"
        about = f"x-troad-subject: {subject}\r\n" if subject else ""
        head = f"{begin}x-road-id: {_id(number)}\r\n{about}content-length: {len(body)}\r\n\r\n"
        whole = row(number, subject, pad)
        items = whole if hops is None else {name: value for name, value in whole.items() if name in granted}
        answer = json.dumps({"items": [items], "as_of": AS_OF}, ensure_ascii=False, separators=(",", ":"))
        return (head + body).encode(), answer.encode()

    return question


def _service(profile: str, hops: gateways.Gateways | None, number: int) -> str:
    return "TW/GOV/hpa/births/signed.v1" if hops is None else hops.service(profile, number)


def measure(
    cases: list[Case], count: int | None = None, rounds: int = ROUNDS, *, half: bool = False, seconds: float = SECONDS
) -> Figures:
    """One run in a temporary folder: rounds of `count` exchanges, or of about so many `seconds`.

    SystemExit when an answer or a log is not as it must be.
    """
    figures, until = Figures(), time.monotonic() + BUDGET_SECONDS

    async def drive(bench: Bench) -> None:
        await _drive(bench, figures, cases, count, rounds, seconds, until - half * len(cases) * seconds * 2)
        if half:
            await _half(bench, figures, cases, count, seconds, until)

    bench = _run(drive, {(case.batch, case.gateways) for case in cases})
    figures.answers, figures.records, figures.refused = bench.asked, bench.records, len(bench.refused)
    figures.stages = bench.stages
    return figures


def _run(drive: Callable[[Bench], Coroutine[None, None, None]], kinds: set[tuple[bool, int]]) -> Bench:
    with tempfile.TemporaryDirectory(prefix="smartgov-bench-") as name, Started() as started:
        folder, port = Path(name), free_port()
        register = Process.python("bench.register", port, port=port, output=folder / "register.log")
        started.add(register).wait_ready()
        sampled = _option("sample", "") or (str(folder / "sampled") if _asked("stages") else "")
        ours = {
            (batch, count): gateways.Gateways(
                folder / f"batch-{batch}-{count}",
                port,
                started,
                batch=batch,
                count=count,
                sampled=sampled and f"{sampled}/batch-{batch}-{count}",
            )
            for batch, count in sorted(kinds)
        }
        theirs = floor.Floor(folder / "floor", port, started) if floor.present() else None
        peer = signature_peer.SignaturePeer(folder / "peer", port, started) if signature_peer.present() else None
        bench = Bench(ours, theirs, peer)
        uvloop.run(drive(bench))
        started.stop()
        if _asked("stages"):
            for (batch, count), asked in bench.exchanges.items():
                bench.stages += stages.lines(Path(sampled) / f"batch-{batch}-{count}", len(asked), one_by_one=not batch)
        refused = frozenset(bench.refused)
        bench.records = sum(
            one.verify_logs(bench.exchanges.get(kind, set()), _id, refused) for kind, one in ours.items()
        )
        return bench


async def _drive(
    bench: Bench, figures: Figures, cases: list[Case], count: int | None, rounds: int, seconds: float, until: float
) -> None:
    took = 0.0
    for number in range(rounds + 1):  # the first one opens connections and is not counted
        began = time.monotonic()
        if number > 1 and began + took > until:
            print(f"out of time after {number - 1} of {rounds} rounds", flush=True)
            break
        for connections, kib in sorted({(case.connections, case.kib) for case in cases}):
            for hops, found in ((bench.theirs, figures.floor), (bench.peer, figures.peer)):
                if hops is not None:
                    of = found.setdefault((connections, kib), [])
                    of.append(await bench.other_round(hops, connections, kib, _count(of, connections, count, seconds)))
        for case in cases:
            of = figures.troad.setdefault(case, [])
            of.append(await bench.round(case, _count(of, case.connections, count, seconds)))
            hops = bench.ours[case.batch, case.gateways]
            figures.megabytes[case] = [pss_megabytes(pid) for pid in hops.pids]
        took = time.monotonic() - began
        print(f"round {number} of {rounds}: {took:.0f} s", file=sys.stderr, flush=True)
    for rounds_of in (*figures.troad.values(), *figures.floor.values(), *figures.peer.values()):
        del rounds_of[0]


def _count(before: list[Round], connections: int, count: int | None, seconds: float) -> int:
    """How many exchanges the next round has; the first one only opens the connections."""
    if not before:
        return connections if count is not None else max(2 * connections, _LEAST)
    return count or max(2 * connections, _LEAST, min(_MOST, int(before[-1].rate * seconds)))


async def _half(
    bench: Bench, figures: Figures, cases: list[Case], count: int | None, seconds: float, until: float
) -> None:
    """One longer round at half of the rate that was reached, of as many cases as there is time for."""
    for case in cases:
        if time.monotonic() > until:
            print(f"out of time for the waits at half load from here on: {case.name}", flush=True)
            break
        calm = case.at(median(one.rate for one in figures.troad[case]) / 2)
        asked = count or max(2 * case.connections, int(calm.rate * seconds * 2))
        figures.troad[calm] = [await bench.round(calm, asked)]


def _memory(total: int, profile: str) -> None:
    """Print the memory of both gateways on the way to `total` exchanges."""

    async def drive(bench: Bench) -> None:
        case = Case(profile, batch=True, connections=128)
        for part in range(PARTS):
            one = await bench.round(case, total // PARTS)
            megabytes = " and ".join(f"{pss_megabytes(pid):.0f}" for pid in bench.ours[True, 2].pids)
            told = f"{one.micros:.0f} CPU us, {one.rate:.0f} a second, {len(one.refused)} refused"
            print(f"{(part + 1) * (total // PARTS):>10} exchanges: {megabytes} MB, {told}", flush=True)

    bench = _run(drive, {(True, 2)})
    print(f"verified  {bench.asked} answers; {bench.records} records; {len(bench.refused)} refused")


def _option(name: str, default: str) -> str:
    found = [word.partition("=")[2] for word in sys.argv if word.partition("=")[0] == f"--{name}"]
    return found[-1] if found else default


def _asked(name: str) -> bool:
    return any(word.partition("=")[0] == f"--{name}" for word in sys.argv)


def main() -> None:
    """Print the table of all cases, how they stand to the aims, and what was verified."""
    print(f"folder of the logs is on {filesystem(Path(tempfile.gettempdir()))}")
    if _asked("million"):
        _memory(int(_option("million", "") or 1_000_000), _option("profiles", "personal"))
        return
    started, short = time.monotonic(), _asked("short")
    cases = made.everything() if _asked("everything") else _chosen()
    rounds, seconds = int(_option("rounds", "1" if short else f"{ROUNDS}")), float(_option("seconds", f"{SECONDS}"))
    half = _asked("half") or _asked("everything")
    figures = measure(cases, None, rounds, half=half, seconds=min(seconds, 0.5) if short else seconds)
    for line in exchange_table.lines(figures):
        print(line)
    for line in figures.stages:
        print(line)
    print(f"\nkeys alone {keywork.micros():.0f} CPU us: 2 signatures, 2 references, made and opened")
    print(f"verified {figures.answers} answers and {figures.records} records, two an exchange in each log")
    print(f"refused {figures.refused}; took {time.monotonic() - started:.0f} s")
    if figures.refused:
        raise SystemExit("some questions were refused: these figures do not count")


def _chosen() -> list[Case]:
    connections, sizes, pairs, given = (
        [int(part) for part in _option(name, default).split(",") if part]
        for name, default in (("connections", "32,128"), ("kib", "0"), ("pairs", ""), ("gateways", ""))
    )
    count = sorted({*given, *(2 * one for one in pairs)}) or [2]
    return made.some(_option("profiles", ",".join(made.PROFILES)).split(","), connections, sizes, count)
