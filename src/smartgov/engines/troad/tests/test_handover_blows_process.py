"""A planned move of what may happen only once that breaks off: a blow is kill -9 at a named step, and must strike."""

from __future__ import annotations

import json
import signal
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from smartgov.engines.troad import backup
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import wait_for
from smartgov.engines.troad.tests.handing_over import (
    DEADLY,
    STILL,
    _no_leftovers,
    asked,
    give,
    record,
    sign,
    start,
    take,
    verb,
)
from smartgov.engines.troad.tests.test_gateway_process import Process
from smartgov.engines.troad.tests.test_single_place_process import provider, refused, two
from smartgov.engines.troad.tests.test_two_gateways_process import FIRST, SECOND, Two
from smartgov.shared.ids import uuid7

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
__all__ = ["_no_leftovers", "two"]
PASSPHRASE = "a passphrase for the test"


def test_what_broke_off_at_the_former_is_unknown_at_the_successor(two: Two, tmp_path: Path) -> None:
    file, where = tmp_path / "handed", "provider.Passage.release"
    two.first.end()
    start(two.first, DEADLY.format(folder=str(tmp_path), where=where, after=False))
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
    start(two.first, DEADLY.format(folder=str(tmp_path), where=blow.where, after=blow.after))
    (tmp_path / "armed").touch()
    giving = threading.Thread(target=verb, args=(two, "hpa", "handover", "--to", "gw2", "--file", str(file)))
    giving.start()
    _struck(two.first, tmp_path, blow)
    start(two.first, STILL)
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
    start(two.second, DEADLY.format(folder=str(tmp_path), where=blow.where, after=blow.after))
    give(two, file)
    (tmp_path / "armed").touch()
    taking = threading.Thread(target=verb, args=(two, "hpa2", "takeover", "--file", str(file)))
    taking.start()
    _struck(two.second, tmp_path, blow)
    start(two.second, STILL)
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
    deadly = DEADLY.format(folder=str(tmp_path), where=where, after=False)
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
