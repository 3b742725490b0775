"""Blows to the real gateway process by strace: each proves that it struck, and no acknowledged message is missing."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smartgov.engines.troad import home as homes
from smartgov.engines.troad.client import LocalGateway
from smartgov.engines.troad.tests.country import Country
from smartgov.engines.troad.tests.kept import Kept
from smartgov.engines.troad.tests.stamped import settings
from smartgov.engines.troad.tests.test_gateway_process import Process, process
from smartgov.shared.problems import Problem

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("strace") is None, reason="NOT RUN: strace is not installed"),
]
__all__ = ["process"]
_SENDS = ("write", "writev", "sendto", "sendmsg")
_READS = ("read", "recvfrom", "recvmsg")


@contextmanager
def traced(process: Process, folder: Path, *options: str) -> Iterator[Path]:
    """The gateway's system calls of these kinds, or with these faults, while the block runs."""
    assert process.child is not None
    out = folder / "strace.txt"
    command = ["strace", "-f", "-yy", "-o", str(out), *options, "-p", str(process.child.pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        try:
            yield out
        finally:
            tracer.terminate()
            tracer.wait(20)


def test_a_failed_fsync_ends_the_process_and_acknowledges_nothing(process: Process, tmp_path: Path) -> None:
    """SQLite commits by fdatasync."""
    kept = Kept(process.country)
    kept.some(3)
    assert process.child is not None
    with traced(process, tmp_path, "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO") as out:
        struck = kept.some(2)
        assert process.child.wait(30) == 74
    assert "INJECTED" in out.read_text()
    assert "answered" not in struck
    process.start()
    kept.hold()
    assert kept.ask() == "answered"
    kept.hold()


def eraser(process: Process) -> LocalGateway:
    """hpa's system with the ability to erase, after a start in which it got it."""
    country = process.country
    process.end()
    entry = homes.content.parse((country.folder / "hpa/gateway.yaml").read_text())["subsystems"]
    entry["births"]["may"] = ["erase"]
    settings(country, "hpa", subsystems=entry)
    process.start()
    return country.sdk("TW/GOV/hpa/births")


def bodies(country: Country, exchange: str) -> int:
    """How many of its bodies can still be opened."""
    with sqlite3.connect(country.folder / "hpa/log.sqlite3") as db:
        query = "SELECT count(*) FROM message WHERE exchange = ? AND wrapped_key IS NOT NULL"
        return int(db.execute(query, (exchange,)).fetchone()[0])


def test_an_erasure_whose_listing_fails_is_not_done_and_not_acknowledged(process: Process, tmp_path: Path) -> None:
    """The list that outlasts a restore is made durable by fsync."""
    sdk, country, kept = eraser(process), process.country, Kept(process.country)
    kept.some(2)
    exchange = next(iter(kept.told))
    failing = traced(process, tmp_path, "-e", "trace=fsync", "-e", "inject=fsync:error=EIO")
    with failing as out, pytest.raises(Problem) as refused:
        sdk.erase(exchange)
    assert "INJECTED" in out.read_text()
    assert refused.value.slug == "log-unavailable"
    assert bodies(country, exchange) == 2
    kept.hold()
    assert sdk.erase(exchange) == 2
    assert bodies(country, exchange) == 0
    kept.erased.add(exchange)
    kept.hold()


def test_a_failed_fsync_of_the_fold_ends_the_process_and_what_was_erased_is_erased(
    process: Process, tmp_path: Path
) -> None:
    """After an erasure the write-ahead log is folded into the file: its second fdatasync and all later ones."""
    sdk, country, kept = eraser(process), process.country, Kept(process.country)
    assert process.child is not None
    kept.some(2)
    exchange = next(iter(kept.told))
    with traced(process, tmp_path, "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=2+") as out:
        with pytest.raises(Problem) as silent:
            sdk.erase(exchange)
        assert process.child.wait(30) == 74
    assert "INJECTED" in out.read_text()
    assert silent.value.slug == "gateway-unreachable"
    process.start()
    assert bodies(country, exchange) == 0
    kept.erased.add(exchange)
    kept.hold()


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_disk_that_takes_nothing_acknowledges_nothing_and_work_resumes(
    process: Process, tmp_path: Path, error: str
) -> None:
    country, kept = process.country, Kept(process.country)
    kept.some(3)
    reached = len(country.behind.seen)
    with traced(process, tmp_path, "-e", "trace=pwrite64", "-e", f"inject=pwrite64:error={error}") as out:
        assert set(kept.some(4)) == {"log-unavailable"}
    assert "INJECTED" in out.read_text()
    assert len(country.behind.seen) == reached, "the service was not asked"
    assert kept.some(2) == ["answered"] * 2, "the same process works again"
    kept.hold()


def test_strict_sends_nothing_before_the_disk_has_it(process: Process, tmp_path: Path) -> None:
    assert early_sends(process, tmp_path) == []


def test_soon_does_and_the_test_above_would_see_it(process: Process, tmp_path: Path) -> None:
    first, *others = process.country.data()["services"]
    process.country.publish(services=[{**first, "durability": "soon"}, *others])
    assert early_sends(process, tmp_path) != []


def early_sends(process: Process, folder: Path) -> list[str]:
    """Bytes to the service or to the asking gateway that left before the record was on the (slowed) disk."""
    country, home = process.country, homes.load(process.country.folder / "hpa")
    country.quiet("ris")  # its heads would come to be co-signed in between
    kept = Kept(country)
    kept.some(2)  # connections are open now
    trace = f"trace=fdatasync,{','.join(_SENDS + _READS)}"
    with traced(process, folder, "-e", trace, "-e", "inject=fdatasync:delay_enter=150000") as out:
        assert kept.some(3) == ["answered"] * 3
        time.sleep(0.3)
    text = out.read_text()
    assert "DELAYED" in text
    to_service, to_peer = f"->127.0.0.1:{country.behind.port}]", f":[127.0.0.1:{home.port}->"
    synced, early = True, []
    for line in text.splitlines():
        call = re.search(r"\d+ +(?:<\.\.\. )?(\w+)", line)
        name = call[1] if call else ""
        if r'"\26\3' in line:
            continue  # the handshake of another connection
        if name == "fdatasync" and re.search(r"= 0\b", line):
            synced = True
        elif name in _READS and (to_service in line or to_peer in line) and re.search(r"= [1-9]\d*$", line):
            synced = False  # something came in that has to be recorded before anything goes on
        elif name in _SENDS and (to_service in line or to_peer in line) and not synced:
            early.append(line)
    return early


def test_what_meta_keeps_has_no_body_and_is_proven(process: Process) -> None:
    country = process.country
    first, *others = country.data()["services"]
    country.publish(services=[{**first, "durability": "meta"}, *others])
    kept = Kept(country)
    assert kept.ask() == "answered"
    kept.hold(bodies=False)
    for code in ("hpa", "ris"):
        with sqlite3.connect(country.folder / code / "log.sqlite3") as db:
            (count,) = db.execute("SELECT count(*) FROM message WHERE exchange = ?", tuple(kept.told)).fetchone()
        assert count == 0
