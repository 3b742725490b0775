"""A planned move of what may happen only once: nothing is used twice, whatever breaks off, and kept keys are answered.

The commands and both of hpa's gateways are processes; a blow is kill -9 at a named step and proves that it struck.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import smartgov
from smartgov.engines.httpd import Request, Response, sync
from smartgov.engines.troad import backup, handover
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.configuration import Configuration
from smartgov.engines.troad.joining import looking_after
from smartgov.engines.troad.tests.country import Country, wait_for
from smartgov.engines.troad.tests.stamped import settings
from smartgov.engines.troad.tests.test_failures_process import stand_in
from smartgov.engines.troad.tests.test_gateway_process import Process
from smartgov.engines.troad.tests.test_single_place_process import consent, move, provider, refused, two
from smartgov.engines.troad.tests.test_two_gateways_process import FIRST, SECOND, Two
from smartgov.shared import canonical, clock
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
__all__ = ["two"]
PASSPHRASE = "a passphrase for the test"
_DEADLY = """
import os, signal
from pathlib import Path
from smartgov.engines.troad import handover, moving, provider, store
def deadly(sound, after):
    def kills(*given, **named):
        if not Path({folder!r}, "armed").exists():
            return sound(*given, **named)
        done = sound(*given, **named) if after else None
        Path({folder!r}, "struck").write_text({where!r})
        os.kill(os.getpid(), signal.SIGKILL)
        return done
    return kills
{where} = deadly({where}, {after})
"""
"""What the program runs first: it dies where `where` is called, or when that is done, once there is a file `armed`."""
_STILL = """
from smartgov.engines.troad import moving
async def still(self):
    pass
moving.Moving.look = still
"""
"""A gateway that does not go on with a handover, so that the state can be looked at that the blow left."""


def start(one: Process, prelude: str = "") -> None:
    """Start it, and wait until it takes exchanges: after a blow its witnesses are asked first."""
    one.start(prelude)
    wait_for(lambda: "log-restored" not in health(one.country, one.code)["alarms"])


def health(country: Country, code: str) -> dict[str, Any]:
    told: dict[str, Any] = sync.request("GET", country.url(code) + "/local/v1/health").parsed()
    return told


def verb(two: Two, code: str, *given: str, prelude: str = "") -> subprocess.CompletedProcess[str]:
    """`smartgov gateway ...` for one of the homes, as a process."""
    program = f"{prelude}\nimport sys\nfrom smartgov.engines.troad.gateway import main\nsys.exit(main())"
    command = [sys.executable, "-c", program, *given, "--home", str(two.country.folder / code)]
    source = str(Path(smartgov.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": source}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def give(two: Two, file: Path) -> None:
    done = verb(two, "hpa", "handover", "--to", "gw2", "--file", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECOND in done.stdout


def take(two: Two, file: Path) -> None:
    done = verb(two, "hpa2", "takeover", "--file", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Took over" in done.stdout


def word(two: Two, code: str, to: str, **given: Any) -> dict[str, Any]:
    """What `offer --sign --once` has the member say when it is run for this home."""
    at = homes.load(two.country.folder / code)
    options = Namespace(**{"once": to, "former_stopped": False, **given})
    said = looking_after._once(at, Configuration(at), {"gw1", "gw2"}, options)
    assert said is not None
    return said


def sign(two: Two, code: str = "hpa2", to: str = "gw2") -> None:
    """Have the member say so, and wait for the moment that it names where that is a second ahead."""
    since = word(two, code, to)["since"]
    move(two, to, since)
    wait_for(lambda: not 0 <= since - clock.timestamp() < 5)


def record(two: Two, code: str, kind: str, **members: Any) -> tuple[int, dict[str, Any]]:
    """The only such record of a log, and its index."""
    found = [
        (index, one)
        for index, one in enumerate(two.country.records(code))
        if one["kind"] == kind and members.items() <= one.items()
    ]
    assert len(found) == 1, found
    return found[0]


def asked(two: Two, **changes: Any) -> int:
    """How often the service was asked for one call, which was answered."""
    two.country.behind.seen.clear()
    assert provider(two, **changes) == SECOND
    return len(two.country.behind.seen)


def erasing(two: Two) -> None:
    """Let hpa's system erase at the first gateway."""
    two.first.end()
    entry = homes.content.parse((two.country.folder / "hpa/gateway.yaml").read_text())["subsystems"]
    entry["births"]["may"] = ["erase", "evidence"]
    settings(two.country, "hpa", subsystems=entry)
    start(two.first)


def test_after_a_planned_move_kept_keys_are_answered_and_no_key_is_used_twice(two: Two, tmp_path: Path) -> None:
    country, file, sound = two.country, tmp_path / "handed", two.country.behind.answer
    assert provider(two, idempotency_key="done-key") == FIRST
    country.behind.answer = lambda _: Response.json({"busy": True}, 504)
    assert two.kept.ask(idempotency_key="silent-key") == "service-error"
    country.behind.answer = sound
    single = consent(two, jti="one-use")
    assert provider(two, basis=None, consent=single) == FIRST
    unused = consent(two)
    before = country.folder / "before.json"
    before.write_bytes(country.centre.repository.bundle())

    give(two, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"hospital" not in file.read_bytes()
    assert health(country, "hpa")["once"] == {"gateway": SECOND, "state": "handed-over"}
    assert "once-handed-over" in health(country, "hpa")["alarms"]
    problem = refused(two, "once-handed-over", "hpa", idempotency_key="done-key")
    assert (problem.status, problem.extra["gateway"]) == (421, SECOND)
    refused(two, "once-handed-over", "hpa", idempotency_key=uuid7())
    refused(two, "once-handed-over", "hpa", basis=None, consent=unused)
    refused(two, "once-elsewhere", "hpa2", idempotency_key=uuid7(), gateway=SECOND)
    assert provider(two) == FIRST, "what needs no key goes on"
    with pytest.raises(Problem, match="once-handed-over"):
        word(two, "hpa", "gw2")

    take(two, file)
    refused(two, "once-elsewhere", "hpa2", idempotency_key=uuid7(), gateway=SECOND)
    sign(two)
    assert asked(two, idempotency_key="done-key") == 0, "the kept answer"
    refused(two, "idempotency-mismatch", "hpa2", idempotency_key="done-key", json={"where": {"other": 1}})
    assert "moved" not in refused(two, "outcome-unknown", "hpa2", idempotency_key="silent-key").extra
    assert asked(two, idempotency_key="never-seen") == 1, "all is known, so what is not known was not used"
    assert asked(two, idempotency_key="never-seen") == 0
    refused(two, "consent-used", "hpa2", basis=None, consent=consent(two, jti="one-use"))
    refused(two, "once-elsewhere", "hpa", idempotency_key="done-key", gateway=FIRST)
    refused(two, "once-handed-over", "hpa", basis=None, consent=unused)
    wait_for(lambda: "once-handed-over" not in health(country, "hpa")["alarms"])
    assert health(country, "hpa2")["once"] == {"gateway": SECOND, "state": "here"}

    index, ended = record(two, "hpa", "handover", step="complete")
    assert ended["to"] == SECOND
    of = record(two, "hpa2", "takeover")[1]["of"]
    assert of == {"origin": FIRST, "index": index, "leaf": sha256(b"\0" + canonical.dumps(ended)).hexdigest()}
    two.kept.hold()

    # An offer of before, as another gateway may still have it: the former goes on refusing, also after a restart.
    two.first.kill()
    trust = country.folder / "hpa" / "trust"
    homes.set_bundle(country.folder / "hpa", before.read_bytes())
    for path in sorted(trust.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    start(two.first)
    refused(two, "once-handed-over", "hpa", idempotency_key="done-key", gateway=FIRST)


def test_a_file_is_taken_by_its_successor_only_whole_and_once(two: Two, tmp_path: Path) -> None:
    country, file = two.country, tmp_path / "handed"
    assert provider(two, idempotency_key="done-key") == FIRST
    give(two, file)
    again = tmp_path / "again"
    give(two, again)
    record(two, "hpa", "handover", step="complete")
    other = verb(two, "hpa", "handover", "--to", "gw1", "--file", str(again))
    assert "handover-refused" in other.stderr or other.returncode != 0

    second = homes.load(country.folder / "hpa2")
    lines = file.read_bytes().splitlines(keepends=True)

    def why(content: bytes, days: int = 0, home: homes.Home = second) -> str:
        (tmp_path / "changed").write_bytes(content)
        present = Configuration(second).current()
        with pytest.raises(Problem) as refusal:
            handover.read(tmp_path / "changed", home, present, clock.now() + timedelta(days=days))
        assert refusal.value.slug == "handover-refused"
        assert refusal.value.why is not None
        return refusal.value.why.en

    assert "signature" in why(lines[0][:-2] + b"A\n" + lines[1])
    assert "signature" in why(lines[1]), "without its claims"
    assert "damaged" in why(lines[0])
    assert "damaged" in why(b"")
    assert "a day old" in why(b"".join(lines), days=2)
    assert "another gateway of this member" in why(b"".join(lines), home=homes.load(country.folder / "hpa"))
    assert "another gateway of this member" in why(b"".join(lines), home=homes.load(country.folder / "ris"))

    take(two, file)
    take(two, again)
    record(two, "hpa2", "takeover")
    sign(two)
    assert "is not in charge" in why(b"".join(lines))
    assert asked(two, idempotency_key="done-key") == 0
    assert asked(two, idempotency_key="second-key") == 1

    # Back again, under what the second one took as well; the old file is of another charge now.
    back = tmp_path / "back"
    done = verb(two, "hpa2", "handover", "--to", "gw1", "--file", str(back))
    assert done.returncode == 0, done.stdout + done.stderr
    done = verb(two, "hpa", "takeover", "--file", str(back))
    assert done.returncode == 0, done.stdout + done.stderr
    sign(two, "hpa", "gw1")
    two.country.behind.seen.clear()
    for key in ("done-key", "second-key"):
        assert provider(two, idempotency_key=key) == FIRST
    assert two.country.behind.seen == []
    assert provider(two, idempotency_key="third-key") == FIRST
    assert "anew" in why(b"".join(lines))
    two.kept.hold()


def test_calls_that_are_worked_on_are_finished_first(two: Two, tmp_path: Path) -> None:
    country, file = two.country, tmp_path / "handed"
    handle, begun, go = country.behind.handle, threading.Event(), threading.Event()

    async def slow(request: Request) -> Response:
        begun.set()
        await asyncio.to_thread(go.wait)
        return await handle(request)

    stand_in(country, slow)
    ended: list[str] = []
    working = threading.Thread(target=lambda: ended.append(two.kept.ask(idempotency_key="slow-key")))
    working.start()
    assert begun.wait(30)
    giving = threading.Thread(target=lambda: give(two, file))
    giving.start()
    wait_for(lambda: health(country, "hpa")["once"]["state"] == "ending")
    assert two.kept.ask(idempotency_key="slow-key") == "once-handed-over"
    assert not file.exists()
    go.set()
    working.join(60)
    giving.join(120)
    assert ended == ["answered"]
    take(two, file)
    sign(two)
    assert asked(two, idempotency_key="slow-key") == 0
    two.kept.hold()


def test_what_broke_off_at_the_former_is_unknown_at_the_successor(two: Two, tmp_path: Path) -> None:
    file, where = tmp_path / "handed", "provider.Passage.release"
    two.first.end()
    start(two.first, _DEADLY.format(folder=str(tmp_path), where=where, after=False))
    (tmp_path / "armed").touch()
    assert two.kept.ask(idempotency_key="broken-key", exchange_id="broke-off") == "gateway-silent"
    assert two.first.child is not None
    assert two.first.child.wait(20) == -signal.SIGKILL
    assert (tmp_path / "struck").read_text() == where
    assert len(two.country.behind.seen) == 1, "it was passed on"
    (tmp_path / "armed").unlink()
    start(two.first)
    refused(two, "outcome-unknown", "hpa", idempotency_key="broken-key")
    give(two, file)
    take(two, file)
    sign(two)
    assert "moved" not in refused(two, "outcome-unknown", "hpa2", idempotency_key="broken-key").extra
    assert asked(two, idempotency_key="another-key") == 1
    two.kept.hold()


@dataclass(frozen=True, slots=True)
class Blow:
    """Where a program dies (`after` that was done), and whether the former had ended by then."""

    where: str
    ended: bool
    after: bool = False


FORMER = {
    "asked for, nothing is done": Blow("moving.Moving._end", False),
    "listed to outlast a restore": Blow("moving.outlasting.note", False, after=True),
    "recorded that it ends": Blow("moving.Moving._complete", True),
    "recorded that nothing is added": Blow("Path.unlink", True),
}
SUCCESSOR = {
    "the file lies there": Blow("moving.handover.read", True),
    "stored, not committed": Blow("moving.handover.keep", True, after=True),
    "stored and recorded": Blow("Path.unlink", True),
}


@pytest.mark.parametrize("name", FORMER)
def test_kill_9_of_the_former_at_every_step(two: Two, tmp_path: Path, name: str) -> None:
    blow, file = FORMER[name], tmp_path / "handed"
    assert provider(two, idempotency_key="done-key") == FIRST
    two.first.end()
    start(two.first, _DEADLY.format(folder=str(tmp_path), where=blow.where, after=blow.after))
    (tmp_path / "armed").touch()
    giving = threading.Thread(target=verb, args=(two, "hpa", "handover", "--to", "gw2", "--file", str(file)))
    giving.start()
    _struck(two.first, tmp_path, blow)
    start(two.first, _STILL)
    key = uuid7()
    uses = _uses(two, key)
    assert uses == ([] if blow.ended else [FIRST]), "the former or nobody"
    two.first.end()
    start(two.first)
    giving.join(120)
    give(two, file)
    _finished(two, file, key if uses else "")
    two.kept.hold()


@pytest.mark.parametrize("name", SUCCESSOR)
def test_kill_9_of_the_successor_at_every_step(two: Two, tmp_path: Path, name: str) -> None:
    blow, file = SUCCESSOR[name], tmp_path / "handed"
    assert provider(two, idempotency_key="done-key") == FIRST
    two.second.end()
    start(two.second, _DEADLY.format(folder=str(tmp_path), where=blow.where, after=blow.after))
    give(two, file)
    (tmp_path / "armed").touch()
    taking = threading.Thread(target=verb, args=(two, "hpa2", "takeover", "--file", str(file)))
    taking.start()
    _struck(two.second, tmp_path, blow)
    start(two.second, _STILL)
    assert _uses(two, uuid7()) == [], "nobody"
    two.second.end()
    start(two.second)
    taking.join(120)
    _finished(two, file, "")
    two.kept.hold()


def test_kill_9_of_the_command_that_writes_leaves_no_file(two: Two, tmp_path: Path) -> None:
    file, where = tmp_path / "handed", "handover.keys.sign"
    assert provider(two, idempotency_key="done-key") == FIRST
    (tmp_path / "armed").touch()
    deadly = _DEADLY.format(folder=str(tmp_path), where=where, after=False)
    done = verb(two, "hpa", "handover", "--to", "gw2", "--file", str(file), prelude=deadly)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "struck").read_text() == where
    assert not file.exists()
    assert _uses(two, uuid7()) == []
    give(two, file)
    _finished(two, file, "")
    two.kept.hold()


def _struck(one: Process, folder: Path, blow: Blow) -> None:
    assert one.child is not None
    assert one.child.wait(60) == -signal.SIGKILL
    assert (folder / "struck").read_text() == blow.where
    (folder / "armed").unlink()


def _uses(two: Two, key: str) -> list[str]:
    """The gateways that take a key now, of both; the service is asked once at most."""
    two.country.behind.seen.clear()
    found = [name for name in (FIRST, SECOND) if two.kept.ask(idempotency_key=key, gateway=name) == "answered"]
    assert len(two.country.behind.seen) == len(found)
    return found


def _finished(two: Two, file: Path, used: str) -> None:
    """The move is done after all, once, and what was used before is not used again."""
    take(two, file)
    record(two, "hpa", "handover", step="ends")
    record(two, "hpa", "handover", step="complete")
    record(two, "hpa2", "takeover")
    sign(two)
    for key in filter(None, ("done-key", used)):
        assert asked(two, idempotency_key=key) == 0
    key = uuid7()
    assert asked(two, idempotency_key=key) == 1
    assert _uses(two, uuid7()) == [SECOND]


@pytest.mark.parametrize("listed", [True, False])
def test_a_restore_of_the_former_does_not_bring_it_back(two: Two, tmp_path: Path, listed: bool) -> None:
    """It learns that it has handed over from the list beside its home, or from heads that its witnesses keep."""
    country, file, saved = two.country, tmp_path / "handed", tmp_path / "saved"
    assert provider(two, idempotency_key="done-key") == FIRST
    home = country.folder / "hpa"
    backup.save(home, saved, PASSPHRASE)
    give(two, file)
    two.first.kill()
    outlasting = homes.load(home).outlasting
    home.rename(tmp_path / f"lost-{uuid4()}")
    if not listed:
        outlasting.unlink()
    backup.restore(saved, home, PASSPHRASE)
    marker = json.loads((home / backup.RESTORED).read_text())
    earlier = datetime.fromisoformat(marker["restored_at"]) - timedelta(seconds=58)
    (home / backup.RESTORED).write_text(json.dumps({**marker, "restored_at": earlier.isoformat()}))
    start(two.first)
    wait_for(lambda: two.kept.ask(gateway=FIRST) == "answered")
    assert [one["kind"] for one in country.records("hpa")].count("epoch") == 1
    refused(two, "once-handed-over", "hpa", idempotency_key=uuid7(), gateway=FIRST)
    take(two, file)
    sign(two)
    assert asked(two, idempotency_key="done-key") == 0
    two.kept.hold("ris", "hpa2")


def test_an_erasure_reaches_what_was_handed_over(two: Two, tmp_path: Path) -> None:
    country, file = two.country, tmp_path / "handed"
    erasing(two)
    exchanges = {}
    for key in ("early", "between", "late"):
        assert provider(two, idempotency_key=key) == FIRST
        exchanges[key] = list(two.kept.told)[-1]
    births = country.sdk("TW/GOV/hpa/births")

    def erase(key: str) -> None:
        assert births.erase(exchanges[key]) == 2
        two.kept.erased.add(exchanges[key])

    erase("early")
    give(two, file)
    erase("between")
    take(two, file)
    sign(two)
    assert asked(two, idempotency_key="late") == 0
    two.second.end()
    with pytest.raises(Problem, match="gateway-unreachable"):
        births.erase(exchanges["late"])
    start(two.second)
    assert births.erase(exchanges["late"]) == 0, "here it was erased at once"
    two.kept.erased.add(exchanges["late"])
    for key in exchanges:
        refused(two, "answer-erased", "hpa2", idempotency_key=key)
    sealed = b"".join(path.read_bytes() for path in (country.folder / "hpa2").glob("log.sqlite3*"))
    assert exchanges["between"].encode() in sealed
    two.kept.hold("hpa", "hpa2")


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    yield
    sync.close()
