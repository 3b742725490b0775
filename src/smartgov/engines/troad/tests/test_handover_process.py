"""A planned move of what may happen only once: nothing is used twice, and kept keys are answered.

The commands and both of hpa's gateways are processes.
"""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from smartgov.engines.httpd import Request, Response
from smartgov.engines.troad import handover
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.configuration import Configuration
from smartgov.engines.troad.tests.country import wait_for
from smartgov.engines.troad.tests.handing_over import (
    _no_leftovers,
    asked,
    erasing,
    give,
    health,
    record,
    sign,
    start,
    take,
    verb,
    word,
)
from smartgov.engines.troad.tests.test_failures_process import stand_in
from smartgov.engines.troad.tests.test_single_place_process import consent, provider, refused, two
from smartgov.engines.troad.tests.test_two_gateways_process import FIRST, SECOND, Two
from smartgov.shared import canonical, clock
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
__all__ = ["_no_leftovers", "two"]


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
