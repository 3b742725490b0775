"""kill -9 at every step that `troad-2.md` (section 8) names, and in the middle of an erasure; nothing is missing."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from smartgov.engines.httpd import Request, Response
from smartgov.engines.troad import backup
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import Country
from smartgov.engines.troad.tests.kept import Kept
from smartgov.engines.troad.tests.stamped import settings
from smartgov.engines.troad.tests.test_failures_process import kinds, wait_for
from smartgov.engines.troad.tests.test_gateway_process import Process, process
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
__all__ = ["process"]
_DEADLY = """
import os, signal
from pathlib import Path
from smartgov.engines.troad import consumer, heads, local, provider, store
heads.LOOK_SECONDS = 1e6
def deadly(sound):
    def kills(*given, **named):
        if Path({folder!r}, "armed").exists():
            Path({folder!r}, "struck").write_text({where!r})
            os.kill(os.getpid(), signal.SIGKILL)
        return sound(*given, **named)
    return kills
{where} = deadly({where})
"""
"""What the gateway's program runs first: it dies where `where` is called, once the file `armed` is there."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step by the function with which it begins; whether the log then has the question, and the service was asked."""

    where: str
    question: bool
    asked: bool
    answer: bool = False


PROVIDER = {
    "the question has come": Step("provider.Provider._verified", False, False),
    "its signature is verified": Step("provider.Provider._read", False, False),
    "persons are put back": Step("provider.Provider._exchange", False, False),
    "it is being judged": Step("provider.admit", False, False),
    "it is judged and not yet recorded": Step("provider.keep", False, False),
    "it is recorded": Step("provider.Passage.carry_out", True, False),
    "the service has answered": Step("provider.Passage.release", True, True),
    "the answer is cut": Step("provider.Provider._seal", True, True),
    "the answer is being signed": Step("provider.wire.open_answer", True, True),
}
ASKER = {
    "the question has come": Step("consumer.Consumer._read", False, False),
    "persons are being hidden": Step("consumer.Consumer._write", False, False),
    "the question is being signed": Step("consumer.wire.open_request", False, False),
    "it is signed and not yet recorded": Step("consumer.keep", False, False),
    "it is recorded": Step("consumer.Consumer._send", True, False),
    "the answer has come": Step("consumer.Consumer._verified", True, True),
    "the answer is verified": Step("consumer.bodies.open_commitment", True, True),
    "persons are put back": Step("consumer.reference.reveal", True, True),
    "the answer is recorded": Step("consumer._told", True, True, True),
}


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Process]:
    """A country whose asking gateway, ris's, is to run in a process."""
    country = Country(tmp_path)
    country.start("hpa", "portal")
    made = Process(country, "ris")
    yield made
    if made.child is not None and made.child.poll() is None:
        made.end()
    country.stop()


def struck(process: Process, folder: Path, kept: Kept, where: str) -> list[str]:
    """Let the gateway die at this step of one call, and come back; how often the service was asked meanwhile."""
    asked = list[str]()

    def service(request: Request) -> Response:
        asked.append(request.method)
        return Response.json({"hospital": "x", "born_on": "2026-11-01"}, 201)

    process.country.behind.answer = service
    (folder / "armed").touch()
    ended = kept.ask(exchange_id="at-this-step", idempotency_key="one-key")
    assert ended in {"gateway-silent", "gateway-unreachable"}
    assert process.child is not None
    assert process.child.wait(20) == -signal.SIGKILL
    assert (folder / "struck").read_text() == where
    process.start()
    kept.hold()
    return asked


@pytest.mark.parametrize("name", PROVIDER)
def test_kill_9_at_every_step_of_the_order_of_work(process: Process, tmp_path: Path, name: str) -> None:
    step, country, kept = PROVIDER[name], process.country, Kept(process.country)
    process.end()
    process.start(_DEADLY.format(folder=str(tmp_path), where=step.where))
    kept.some(2)
    asked = struck(process, tmp_path, kept, step.where)
    assert len(asked) == int(step.asked)
    assert kinds(country, "hpa", "at-this-step") == ["request"] * step.question
    again = kept.ask(idempotency_key="one-key")
    assert again == ("outcome-unknown" if step.question else "answered"), "carried out once at most"
    assert kept.ask() == "answered"
    kept.hold()


@pytest.mark.parametrize("name", ASKER)
def test_kill_9_of_the_asking_gateway_at_every_step_of_the_order_of_work(
    asking: Process, tmp_path: Path, name: str
) -> None:
    step, country, kept = ASKER[name], asking.country, Kept(asking.country)
    asking.start(_DEADLY.format(folder=str(tmp_path), where=step.where))
    kept.some(2)
    asked = struck(asking, tmp_path, kept, step.where)
    assert len(asked) == int(step.asked)
    held = ["request"] * step.question + ["answer"] * step.answer
    assert kinds(country, "ris", "at-this-step") == held
    if step.asked:
        wait_for(lambda: kinds(country, "hpa", "at-this-step") == ["request", "answer"])
    assert kept.ask(idempotency_key="one-key") == "answered"
    assert len(asked) == 1, "carried out once, whenever it broke off"
    kept.hold()


ERASING = {
    "it is listed and nothing is erased": ("store.Store.erase", 2),
    "it is erased and the write-ahead log is not folded": ("store.Writer._truncate", 0),
    "it is erased and nobody knows": ("local.LocalDoor._note", 0),
}


@pytest.mark.parametrize("name", ERASING)
def test_kill_9_in_the_middle_of_an_erasure(process: Process, tmp_path: Path, name: str) -> None:
    (where, left), country, kept = ERASING[name], process.country, Kept(process.country)
    process.end()
    entry = homes.content.parse((country.folder / "hpa/gateway.yaml").read_text())["subsystems"]
    entry["births"]["may"] = ["erase"]
    settings(country, "hpa", subsystems=entry)
    process.start(_DEADLY.format(folder=str(tmp_path), where=where))
    kept.some(3)
    exchange, sdk = next(iter(kept.told)), country.sdk("TW/GOV/hpa/births")
    backup.save(country.folder / "hpa", tmp_path / "hpa.backup", "long enough to be one")
    wrapped = keys_of(country, exchange)
    (tmp_path / "armed").touch()
    with pytest.raises(Problem) as broken:
        sdk.erase(exchange)
    assert broken.value.slug == "gateway-unreachable", "it was not acknowledged"
    assert process.child is not None
    assert process.child.wait(20) == -signal.SIGKILL
    assert (tmp_path / "struck").read_text() == where
    process.start()
    assert len(keys_of(country, exchange)) == left, "all of it or nothing"
    if not left:
        files = b"".join(path.read_bytes() for path in (country.folder / "hpa").glob("log.sqlite3*"))
        assert not any(key in files for key in wrapped), "nor in the write-ahead log that was left behind"
    kept.erased.add(exchange)
    kept.hold()
    assert sdk.erase(exchange) == left
    assert keys_of(country, exchange) == []
    kept.hold()

    # What comes out of a backup from before it is erased as well: it was listed before anything else.
    listed = homes.load(country.folder / "hpa").outlasting
    assert backup.restore(tmp_path / "hpa.backup", tmp_path / "again", "long enough to be one", listed) >= 1
    with closing(sqlite3.connect(tmp_path / "again" / "log.sqlite3")) as db:
        query = "SELECT count(*) FROM message WHERE exchange = ? AND wrapped_key IS NOT NULL"
        assert db.execute(query, (exchange,)).fetchone() == (0,)


def keys_of(country: Country, exchange: str) -> list[bytes]:
    """The wrapped keys of an exchange's bodies in hpa's log."""
    with closing(sqlite3.connect(country.folder / "hpa" / "log.sqlite3")) as db:
        query = "SELECT wrapped_key FROM message WHERE exchange = ? AND wrapped_key IS NOT NULL"
        return [bytes(key) for (key,) in db.execute(query, (exchange,))]
