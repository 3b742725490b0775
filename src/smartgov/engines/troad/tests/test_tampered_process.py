"""A gateway is started on a log file that somebody has edited: it says what is wrong, and does what is still honest."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smartgov.engines.httpd import sync
from smartgov.engines.ledger import Log, checkpoint
from smartgov.engines.troad import backup
from smartgov.engines.troad.problems import refuse
from smartgov.engines.troad.tests.country import Country, ask_births, wait_for
from smartgov.engines.troad.tests.kept import Kept, stored
from smartgov.engines.troad.tests.test_gateway_process import Process, process
from smartgov.engines.troad.tests.test_outages_process import alarms, head, health

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
__all__ = ["process"]
OTHERS = ("ris", "portal")


def file_of(country: Country) -> Path:
    return country.folder / "hpa" / "log.sqlite3"


def fold(country: Country) -> None:
    """Let the file hold everything, so that it can be copied and edited alone."""
    with closing(sqlite3.connect(file_of(country))) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def rows(country: Country) -> int:
    with closing(sqlite3.connect(f"file:{file_of(country)}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM ledger_record").fetchone()[0])


def command(country: Country, *words: str) -> subprocess.CompletedProcess[str]:
    """What an operator types, and what he reads."""
    home = country.folder / "hpa"
    return subprocess.run(
        [sys.executable, "-m", "smartgov.cli", "gateway", *words, "--home", str(home)],
        env={"PYTHONPATH": str(Path(backup.__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def stated(country: Country, slug: str) -> None:
    """Health says that it refuses with this problem, why and what to do, in both languages."""
    told, problem = health(country), refuse(slug)
    assert told["healthy"] is False
    assert told["problem"]["type"] == problem.type
    for name, text in (("what", problem.what), ("why", problem.why), ("todo", problem.todo)):
        assert told["problem"][name] == {"en": text.en, "zh": text.zh}
    assert sync.request("GET", country.url("hpa") + "/local/v1/health").status == 503


def test_records_are_altered_or_removed(process: Process) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(3)
    process.end()
    records = country.records("hpa")
    altered, gone = [at for at, one in enumerate(records) if one["kind"] == "answer"][:2]
    edit = "UPDATE ledger_record SET record = replace(record, 'answer', 'Answer') WHERE idx = ?"
    assert country.edit("hpa", edit, altered) == 1
    assert country.edit("hpa", "DELETE FROM ledger_record WHERE idx = ?", gone) == 1
    process.start()
    assert f"records altered or missing: {altered}, {gone}" in alarms(country)["log-altered"]
    assert "smartgov verify" in alarms(country)["log-altered"]
    assert kept.ask() == "answered", "what is exchanged now is recorded and proven as ever"
    assert health(country)["healthy"] is True
    assert head(country).count("\n— ") == 3
    assert stored(country, "hpa") == [altered, gone]
    with pytest.raises(AssertionError, match="altered or removed"):
        kept.hold("hpa")
    kept.hold("ris")


def test_an_edit_that_also_mended_the_tree(process: Process) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(3)
    head(country)
    process.end()
    fold(country)
    whole = file_of(country).read_bytes()
    with sqlite3.connect(file_of(country)) as db:
        exact = [bytes(row) for (row,) in db.execute("SELECT CAST(record AS BLOB) FROM ledger_record ORDER BY idx")]
        assert any(b'"purpose"' in one for one in exact)
        db.execute("DELETE FROM ledger_record")
        db.execute("DELETE FROM ledger_hash")
        Log(db, "TW/GOV/hpa/gw1").append([one.replace(b'"purpose"', b'"Purpose"') for one in exact])
    for code in OTHERS:  # nobody can tell what the log was: its own signed head does
        country.halt(code)
    count = rows(country)
    process.start()
    assert "another root than the head that this gateway signed" in alarms(country)["log-altered"]
    stated(country, "log-unavailable")
    for code in OTHERS:
        country.start(code)
    country.behind.seen.clear()
    assert kept.ask() == "log-unavailable"
    assert country.behind.seen == []
    assert rows(country) == count, "nothing is written into it"
    said = command(country, "check")
    assert said.returncode == 1
    assert "log-altered: its tree is torn" in said.stdout
    assert "維運手冊" in said.stdout
    process.end()
    assert command(country, "resume").returncode == 0
    process.start()
    assert kept.ask() == "log-unavailable", "no epoch can begin in such a log either"
    process.end()
    file_of(country).write_bytes(whole)
    (country.folder / "hpa" / backup.RESTORED).unlink()
    process.start()
    assert "log-altered" not in alarms(country)
    wait_for(lambda: kept.ask() == "answered")
    kept.hold()


def test_the_end_is_cut_off_while_nobody_can_tell(process: Process) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    first = checkpoint.parse(head(country)).size
    lost = kept.take(ask_births(country.sdk()))
    known = checkpoint.parse(head(country)).size
    process.end()
    for table in ("ledger_record", "ledger_hash"):
        assert country.edit("hpa", f"DELETE FROM {table} WHERE idx >= ?", first) > 0
    for code in OTHERS:
        country.halt(code)
    process.start()
    assert f"ends at {first} records, and its newest signed head is of {known}" in alarms(country)["log-altered"]
    stated(country, "log-restored")
    for code in OTHERS:
        country.start(code)
    assert kept.ask() == "log-restored"
    process.end()
    assert command(country, "resume").returncode == 0
    date_back(country)
    process.start()
    wait_for(lambda: kept.ask() == "answered", seconds=30)
    assert "log-altered" not in alarms(country)
    told = checkpoint.parse(head(country))
    assert (told.origin, head(country).count("\n— ")) == ("TW/GOV/hpa/gw1+2", 3)
    process.end()
    process.start()
    assert not {"log-altered", "log-restored"} & set(alarms(country))
    assert kept.ask() == "answered"
    kept.hold("hpa", but={lost})
    kept.hold("ris")


def test_the_file_is_no_database_any_more(process: Process) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(2)
    process.end()
    fold(country)
    whole = file_of(country).read_bytes()
    file_of(country).write_bytes(b"\0" * len(whole))
    told = command(country)
    assert told.returncode == 1
    assert "無法讀取日誌" in told.stderr
    assert "smartgov gateway restore" in told.stderr
    assert "Traceback" not in told.stderr
    file_of(country).write_bytes(whole)
    process.start()
    assert kept.ask() == "answered"
    kept.hold()


def date_back(country: Country) -> None:
    """Let the restore have been so long ago that new messages are taken soon."""
    marker = country.folder / "hpa" / backup.RESTORED
    said = json.loads(marker.read_text())
    earlier = datetime.fromisoformat(said["restored_at"]) - timedelta(seconds=55)
    marker.write_text(json.dumps({**said, "restored_at": earlier.isoformat()}))
