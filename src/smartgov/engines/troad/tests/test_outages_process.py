"""What is down, expired, wrong or concealed around a real gateway process: each strikes, and nothing is missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smartgov.engines.httpd import serve, sync
from smartgov.engines.ledger import Checkpoint, checkpoint
from smartgov.engines.troad import comparing, witness
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import BIRTHS, MOTHER, PURPOSE, Country, Rogue, problem_type
from smartgov.engines.troad.tests.kept import Kept
from smartgov.engines.troad.tests.stamped import TimeAuthority, evidence, settings
from smartgov.engines.troad.tests.test_comparing_process import look
from smartgov.engines.troad.tests.test_failures_process import kinds, wait_for
from smartgov.engines.troad.tests.test_gateway_process import Process, process
from smartgov.engines.troad.tests.test_peers_process import Certified
from smartgov.engines.troad.tests.test_restore_process import GATEWAY, SYSTEM, Story, both, story
from smartgov.engines.troad.tests.test_stated_process import twin
from smartgov.engines.troad.tests.test_witness_process import to_witness
from smartgov.engines.troad.verification import Verdict
from smartgov.engines.trust import Centre
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
__all__ = ["process", "story"]
RIS = "TW/GOV/ris/gw1"


def health(country: Country, code: str = "hpa") -> dict[str, Any]:
    """What a gateway says of itself."""
    told: dict[str, Any] = sync.request("GET", country.url(code) + "/local/v1/health").parsed()
    return told


def alarms(country: Country, code: str = "hpa") -> dict[str, str]:
    found: dict[str, str] = health(country, code)["alarms"]
    return found


def last_refusal(country: Country, code: str = "hpa") -> str:
    return next(record["reason"] for record in reversed(country.records(code)) if record["kind"] == "refusal")


def head(country: Country) -> str:
    note: str = sync.request("GET", country.url("hpa") + "/local/v1/checkpoint").body.decode()
    return note


# -- time stamps --------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(process: Process, tmp_path: Path) -> Iterator[TimeAuthority]:
    """An authority that hpa's gateway asks each second."""
    made = TimeAuthority(process.country, tmp_path / "tsa")
    process.end()
    settings(process.country, "hpa", timestamps={**made.settings, "every": 1, "bound": 3600})
    made.start()
    process.start()
    yield made
    made.stop()


def stamps(country: Country) -> list[tuple[int, int]]:
    """Time and end of the stamps in hpa's file."""
    with closing(sqlite3.connect(country.folder / "hpa" / "log.sqlite3")) as db:
        return db.execute("SELECT time, ends FROM stamp ORDER BY time").fetchall()


def test_the_authority_for_time_stamps_is_down(process: Process, authority: TimeAuthority) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    wait_for(lambda: bool(stamps(country)))
    authority.stop()
    kept.some(1)
    wait_for(lambda: "timestamps-missing" in alarms(country))
    assert kept.some(2) == ["answered"] * 2, "within the bound exchanges go on"
    process.end()
    settings(country, "hpa", timestamps={**authority.settings, "every": 1, "bound": 1})
    process.start()
    wait_for(lambda: kept.ask() == "timestamps-missing")
    assert last_refusal(country) == "timestamps-missing"
    authority.start()
    wait_for(lambda: kept.ask() == "answered")
    assert "timestamps-missing" not in alarms(country)
    kept.hold()


def test_heads_are_stamped_anew_while_the_gateway_runs(process: Process, authority: TimeAuthority) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    wait_for(lambda: bool(stamps(country)))
    head(country)
    process.end()
    soon = int(clock.now().timestamp()) + 29 * 86_400
    assert country.edit("hpa", "UPDATE stamp SET time = time - 9000, ends = ?", soon) >= 1
    process.start()  # nothing is recorded meanwhile
    wait_for(lambda: any(ends > soon for _, ends in stamps(country)))
    kept.hold()


# -- others are down ----------------------------------------------------------------------------------------------


def test_the_other_gateway_is_gone(process: Process) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    process.kill()
    assert kept.ask(exchange_id="while-it-was-gone") == "gateway-unreachable"
    assert kinds(country, "ris", "while-it-was-gone") == ["request", "refusal"]
    assert kinds(country, "hpa", "while-it-was-gone") == []
    process.start()
    assert kept.some(2) == ["answered"] * 2
    kept.hold()


def test_the_service_is_down(process: Process) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    assert country._server is not None
    country.run(country._server.stop())
    assert kept.ask(exchange_id="while-it-was-down", idempotency_key="one-key") == "service-unreachable"
    assert kinds(country, "hpa", "while-it-was-down") == ["request", "refusal"]
    country._server = country.run(serve(country.behind.handle, port=country.behind.port))
    country.behind.seen.clear()
    assert kept.ask(idempotency_key="one-key") == "answered", "the key was free again"
    assert len(country.behind.seen) == 1
    kept.hold()


def test_too_few_witnesses(story: Story) -> None:
    country, kept = story.country, Kept(story.country)
    kept.some(2)
    country.halt("portal")
    assert kept.some(2) == ["answered"] * 2, "exchanges go on"
    assert head(country).count("\n— ") == 2, "its own signature and one witness"
    assert alarms(country)["witnesses-missing"] == "1 of 2"
    last = list(kept.told)[-1]
    assert both(evidence(country, last, SYSTEM), story.trusted) == (Verdict.UNKNOWN_STATUS, ("witnesses",))
    country.start("portal")
    assert kept.ask() == "answered"
    assert head(country).count("\n— ") == 3
    assert "witnesses-missing" not in alarms(country)
    kept.hold()


def test_the_revocation_list_of_certificates_is_not_renewed(process: Process, tmp_path: Path) -> None:
    country, kept = process.country, Kept(process.country)
    certified = Certified(country, tmp_path)
    certified.renew()
    wait_for(lambda: kept.ask() == "answered")  # hpa's process has to see the new configuration first, here and below
    certified.publish(ended=timedelta(hours=25))
    wait_for(lambda: kept.ask() == "revocation-unknown")
    assert last_refusal(country) == "revocation-unknown"
    certified.publish(ended=timedelta(hours=1))
    wait_for(lambda: kept.ask() == "answered")  # the grace of a day
    certified.publish()
    assert kept.ask() == "answered"
    kept.hold()


# -- the log ------------------------------------------------------------------------------------------------------

_DISHONEST = """
from smartgov.engines.troad.restoring import Restoring
async def look(self): pass
Restoring.look = look
"""
"""The program of somebody who does not want to know what others have seen of his log."""


def test_a_log_begun_anew(process: Process, tmp_path: Path) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    known = checkpoint.parse(head(country))
    process.kill()
    files = sorted((country.folder / "hpa").glob("log.sqlite3*"))
    for file in files:
        file.rename(tmp_path / file.name)
    process.start()
    assert "log-restored" in alarms(country)
    assert kept.ask() == "log-restored", "it does not work on a log that others know better"
    process.kill()
    process.start(_DISHONEST)
    unconfirmed = Kept(country)
    assert unconfirmed.ask() == "answered"
    assert head(country).count("\n— ") == 1, "no witness signs it"
    assert "log-shorter-than-witnessed" in alarms(country)
    while checkpoint.parse(head(country)).size <= known.size:
        unconfirmed.ask()
    assert head(country).count("\n— ") == 1
    assert any(name.startswith("witness-refuses:") for name in alarms(country))
    process.kill()
    for file in (country.folder / "hpa").glob("log.sqlite3*"):
        file.unlink()
    for file in files:
        (tmp_path / file.name).rename(file)
    process.start()
    assert kept.ask() == "answered", "the log that others have seen is taken up again"
    kept.hold()


def test_two_histories_under_one_name(process: Process) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    note = country.run(country.gateways["ris"].core.heads.publish())
    at = homes.load(country.folder / "ris")
    size = checkpoint.parse(note).size
    fork = checkpoint.sign(Checkpoint(at.gateway, size, b"x" * 32), at.log_key())
    assert to_witness(country, "ris", "hpa", witness.write(size, [], fork)).status == 422
    assert alarms(country)[f"log-forked:{RIS}"] == f"size {size}"
    assert kept.ask() == "answered"
    kept.hold()


_HOUR_IS_OVER = """
from smartgov.engines.troad import comparing
comparing.GRACE_SECONDS, comparing.LOOK_SECONDS = -7200, 1
"""


def test_a_record_is_removed(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(3)
    gone = list(kept.told)[1]
    process.end()
    records = country.records("hpa")
    (index,) = [at for at, one in enumerate(records) if (one.get("id"), one["kind"]) == (gone, "answer")]
    assert country.edit("hpa", "DELETE FROM ledger_record WHERE idx = ?", index) == 1
    process.start(_HOUR_IS_OVER)
    monkeypatch.setattr(comparing, "GRACE_SECONDS", -7200)
    assert look(country, "ris")[GATEWAY]["only here"]["ids"] == [gone]
    wait_for(
        lambda: any(
            name.startswith(f"exchanges-differ:{RIS}:") and gone in said for name, said in alarms(country).items()
        )
    )
    with pytest.raises(AssertionError, match="altered or removed"):
        kept.hold("hpa")
    kept.hold("ris")


def test_a_gateway_never_tells_what_it_exchanged(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    process.kill()
    monkeypatch.setattr(comparing, "GRACE_SECONDS", -7200)
    assert look(country, "ris") == {}
    late = f"exchanges-not-compared:{GATEWAY}"
    assert late not in alarms(country, "ris"), "it may be away for some hours"
    monkeypatch.setattr(comparing, "LATE_SECONDS", -7200)
    assert look(country, "ris") == {}
    assert alarms(country, "ris")[late], "with the hour"
    assert kept.ask() == "gateway-unreachable"
    process.start(_HOUR_IS_OVER)
    wait_for(lambda: look(country, "ris") == {} and late not in alarms(country, "ris"))
    assert [one["agrees"] for one in country.records("ris") if one["kind"] == "comparison"] == [True]
    kept.hold()


_NO_ROOM = """
import sqlite3
from pathlib import Path
from smartgov.engines.troad import hours
read = hours.read
def without_room(*asked):
    if Path({flag!r}).exists():
        raise sqlite3.OperationalError("database or disk is full")
    return read(*asked)
hours.read = without_room
"""


def test_there_is_no_room_to_read_an_hour(process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    country, kept, flag = process.country, Kept(process.country), tmp_path / "full"
    kept.some(2)
    process.end()
    flag.touch()
    process.start(_NO_ROOM.format(flag=str(flag)) + _HOUR_IS_OVER)
    wait_for(lambda: alarms(country).get("comparison-fails") == "OperationalError")
    monkeypatch.setattr(comparing, "GRACE_SECONDS", -7200)
    assert look(country, "ris") == {}, "it is told nothing, and nothing false"
    assert not any(one["kind"] == "comparison" for code in ("ris", "hpa") for one in country.records(code))
    assert kept.some(2) == ["answered"] * 2
    flag.unlink()
    wait_for(lambda: "comparison-fails" not in alarms(country))
    wait_for(lambda: any(one["kind"] == "comparison" for one in country.records("hpa")))
    kept.hold()


# -- the configuration --------------------------------------------------------------------------------------------


def test_the_configuration_has_expired(process: Process) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    country.publish(at=clock.now() - timedelta(hours=48, seconds=1))
    country.behind.seen.clear()
    rogue = Rogue(country)
    assert problem_type(rogue.send(rogue.sign(rogue.message()))) == "configuration-expired"
    assert last_refusal(country) == "configuration-expired"
    assert kept.ask() == "configuration-expired", "also the asking side"
    assert country.behind.seen == []
    assert health(country)["healthy"] is False
    country.publish()
    assert kept.ask() == "answered"
    kept.hold()


def test_the_centre_is_down_for_less_than_a_day(process: Process) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    country.publish(at=clock.now() - timedelta(hours=30))
    assert kept.some(2) == ["answered"] * 2
    assert health(country)["configuration"]["in_grace"] is True
    kept.hold()


def test_a_gateway_lost_its_configuration(process: Process) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    process.end()
    bundle = country.folder / "hpa" / "configuration.json"
    content = bundle.read_bytes()
    bundle.unlink()
    process.start()
    with pytest.raises(Problem) as refused:
        country.sdk(SYSTEM).call(BIRTHS, "POST", "/births/query", json={}, subject=MOTHER, purpose=PURPOSE)
    assert refused.value.slug == "configuration-missing"
    assert health(country)["healthy"] is False
    assert kept.ask() != "answered"
    homes.set_bundle(country.folder / "hpa", content)
    wait_for(lambda: kept.ask() == "answered")
    kept.hold()


def test_an_older_or_foreign_configuration(process: Process, tmp_path: Path) -> None:
    country, kept = process.country, Kept(process.country)
    older = country.publish(rights=[])
    country.publish()
    kept.some(2)
    version = health(country)["configuration"]["version"]
    foreign = Centre.create(tmp_path / "elsewhere", clock.now())
    foreign.publish(
        {**country.data(), "rights": [], "services": []}, member_keys={}, sign=homes.sign_offer, now=clock.now()
    )
    for forged in (older, foreign.repository.bundle(), b"nonsense"):
        homes.set_bundle(country.folder / "hpa", forged)
        assert kept.ask() == "answered"
        assert health(country)["configuration"]["version"] == version
    kept.hold()


def test_two_configurations_of_one_version(process: Process, tmp_path: Path) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    forked = twin(country, tmp_path / "twin")
    assert country.publish() != forked
    homes.set_bundle(country.folder / "ris", forked)
    assert kept.ask() == "answered"
    for code in ("hpa", "ris"):
        wait_for(lambda code=code: any(name.startswith("configuration-differs:") for name in alarms(country, code)))  # type: ignore[misc]
    kept.hold()


# -- the program --------------------------------------------------------------------------------------------------

_FAULTY = """
from smartgov.engines.troad import rights
def authorise(*given): return {}["nothing"]
rights.authorise = authorise
"""


def test_an_error_of_the_gateways_own_program(process: Process) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    process.end()
    process.start(_FAULTY)
    country.behind.seen.clear()
    rogue = Rogue(country)
    answer = rogue.send(rogue.sign(rogue.message()))
    assert (problem_type(answer), answer.headers["troad-refusal"]) == ("gateway-failed", "gateway-failed")
    assert "signature" in answer.headers
    assert last_refusal(country) == "gateway-failed"
    assert kept.ask() == "gateway-failed"
    assert country.behind.seen == []
    process.end()
    process.start()
    assert kept.ask() == "answered"
    kept.hold()
