"""Old records go into files that verify alone; what stays proves everything, and archived bodies are still erasable."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from smartgov.engines.httpd import sync
from smartgov.engines.ledger import checkpoint
from smartgov.engines.troad import archive, archive_check, trail, verify_evidence
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import MOTHER, Country, ask_births, problem_type
from smartgov.engines.troad.tests.stamped import anchors, evidence, stamp, stamped_country
from smartgov.engines.troad.tests.test_restore_process import both
from smartgov.engines.troad.verification import Verdict
from smartgov.shared import clock
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
SYSTEM, PORTAL, HPA = "TW/GOV/hpa/births", "TW/GOV/portal/portal", "TW/GOV/hpa"
LATER = timedelta(minutes=5)


class Shelf:
    """A country, an archive of hpa's log, and what was in it."""

    def __init__(self, country: Country, folder: Path) -> None:
        self.country, self.folder = country, folder
        self.home, self.trusted = homes.load(country.folder / "hpa"), anchors(country, folder / "anchors")
        self.old = [ask_births(country.sdk()).exchange_id for _ in range(3)]
        stamp(country, "hpa")
        self.old.append(ask_births(country.sdk()).exchange_id)
        stamp(country, "hpa")
        self.head = country.run(country.gateways["hpa"].core.heads.publish())
        self.new = ask_births(country.sdk()).exchange_id  # the last record never leaves the log
        self.file = archive.write(self.home, clock.now() + LATER, folder / "out", remove=True)
        self.size = json.loads(next(iter(self.lines())))["size"]

    def lines(self) -> list[str]:
        with gzip.open(self.file, "rt") as text:
            return text.readlines()

    def take_out(self) -> None:
        self.country.run(archive.take_out(self.country.gateways["hpa"].core))


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    enable_socket()
    folder = tmp_path_factory.mktemp("archive")
    with stamped_country(folder / "country") as country:
        yield Shelf(country, folder)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    enable_socket()
    with stamped_country(tmp_path / "country") as country:
        yield Shelf(country, tmp_path)


def judged(file: Path, trusted: Path) -> tuple[Verdict, tuple[str, ...]]:
    """The one answer of both verifiers."""
    found = archive_check.verify(file, trusted)
    word, reasons = verify_evidence.verify(file, trusted)
    assert (verify_evidence.STATUS[word], tuple(reasons)) == (found.verdict, found.reasons)
    return found.verdict, found.reasons


def test_an_archive_verifies_alone(standing: Shelf) -> None:
    assert judged(standing.file, standing.trusted) == (Verdict.VALID, ())
    said: list[str] = []
    status = verify_evidence.main([str(standing.file), "--anchors", str(standing.trusted)], said.append)
    assert (status, said) == (0, [f"valid\n{verify_evidence.MEANS['valid']}\n"])
    about = json.loads(standing.lines()[0])
    assert len(about["heads"]) == 2
    assert len(standing.lines()) == 1 + about["size"]
    assert (standing.trusted / "heads").is_dir()


Change = Callable[[list[dict[str, Any]]], Any]


def altered(line: dict[str, Any], **changes: Any) -> None:
    record = json.loads(base64.b64decode(line["record"]))
    line["record"] = base64.b64encode(json.dumps({**record, **changes}).encode()).decode()


def unsigned(note: str) -> str:
    return note.split("\n\n", maxsplit=1)[0] + "\n\n"


TAMPERING: dict[str, tuple[Change, str]] = {
    "a record altered": (lambda a: altered(a[2], purpose="curiosity"), "tree"),
    "a record of another time": (lambda a: altered(a[3], time="2020-01-01T00:00:00Z"), "time"),
    "a record removed": (lambda a: a.pop(4), "order"),
    "the last record removed": (lambda a: a.pop(), "order"),
    "records exchanged": (lambda a: a.__setitem__(slice(2, 4), a[2:4][::-1]), "order"),
    "a record added": (lambda a: a.append({**a[-1], "index": a[-1]["index"] + 1}), "order"),
    "a head removed": (lambda a: a[0]["heads"].pop(), "head"),
    "heads exchanged": (lambda a: a[0]["heads"].reverse(), "head"),
    "a head unsigned": (
        lambda a: a[0]["heads"][0].update(head=a[0]["heads"][0]["head"].split("\n\n")[0] + "\n\n"),
        "head",
    ),
    "another begin": (lambda a: a[0].update(left=["00" * 32]), "form"),
    "another gateway": (lambda a: a[0].update(gateway="TW/GOV/ris/gw1"), "head"),
    "another kind": (lambda a: a[0].update(type="x"), "form"),
    "no configuration": (lambda a: a[0].update(configurations=[]), "form"),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_both_verifiers_see_the_tampering(name: str, standing: Shelf, tmp_path: Path) -> None:
    change, reason = TAMPERING[name]
    lines = [json.loads(line) for line in standing.lines()]
    change(lines)
    with gzip.open(tmp_path / "forged.gz", "wt") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)
    assert judged(tmp_path / "forged.gz", standing.trusted) == (Verdict.INVALID, (reason,))


def test_a_file_that_was_cut_off_or_is_none(standing: Shelf, tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(standing.file.read_bytes()[:-200])
    (tmp_path / "none.gz").write_bytes(b"no archive")
    (tmp_path / "empty.gz").write_bytes(b"")
    for name in ("cut.gz", "none.gz", "empty.gz"):
        assert judged(tmp_path / name, standing.trusted) == (Verdict.INVALID, ("form",))


def test_it_is_held_to_a_kept_head(standing: Shelf, tmp_path: Path) -> None:
    country, trusted = standing.country, anchors(standing.country, tmp_path)
    (trusted / "heads" / "hpa.note").write_text(standing.head)
    assert judged(standing.file, trusted) == (Verdict.VALID, ())
    read, home = checkpoint.parse(standing.head), homes.load(country.folder / "hpa")
    forged = checkpoint.Checkpoint(read.origin, read.size - 1, b"x" * 32)
    (trusted / "heads" / "hpa.note").write_text(checkpoint.sign(forged, home.log_key()))
    assert judged(standing.file, trusted) == (Verdict.INVALID, ("forked",))


def test_without_a_stamp_or_with_too_few_witnesses(standing: Shelf, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in standing.lines()]
    lines[0]["heads"][-1]["stamp"] = None
    write(tmp_path / "a.gz", lines)
    assert judged(tmp_path / "a.gz", standing.trusted) == (Verdict.VALID_UNTIMESTAMPED, ("stamp-missing",))
    note = lines[0]["heads"][-1]["head"]
    lines[0]["heads"][-1]["head"] = "".join(
        line for line in note.splitlines(keepends=True) if not line.startswith(("— TW/GOV/ris", "— TW/GOV/portal"))
    )
    write(tmp_path / "b.gz", lines)
    assert judged(tmp_path / "b.gz", standing.trusted) == (Verdict.UNKNOWN_STATUS, ("witnesses",))


def write(file: Path, lines: list[dict[str, Any]]) -> None:
    with gzip.open(file, "wt") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)


def test_an_exchange_in_the_second_of_a_change_is_judged_by_what_was_in_force(shelf: Shelf, tmp_path: Path) -> None:
    """The configuration changes in the second of the last exchange, and who asked it is not in the new one any more."""
    country = shelf.country
    data = country.data()
    country.publish(
        members=[one for one in data["members"] if not one["id"].endswith("ris")],
        subsystems=[one for one in data["subsystems"] if not one.startswith("TW/GOV/ris")],
        services=data["services"][:1],
        rights=[],
    )
    lines = [json.loads(line) for line in shelf.lines()]
    asked = [json.loads(base64.b64decode(line["record"])) for line in lines[1:]]
    last = clock.datetime.fromisoformat([one for one in asked if one["kind"] == "request"][-1]["time"]).timestamp()
    (before,) = lines[0]["configurations"]
    after = json.loads(country.centre.repository.bundle())

    def changed(since: float) -> Path:
        lines[0]["configurations"] = [before, {"from": since, "files": after["files"]}]
        write(tmp_path / "changed.gz", lines)
        return tmp_path / "changed.gz"

    for since in (int(last), last - 0.1):  # whole seconds, as earlier versions wrote; or taken while it was looked up
        assert judged(changed(since), shelf.trusted) == (Verdict.VALID, ())
        bundle = archive_check.bundle(tmp_path / "changed.gz", shelf.old[-1])
        assert bundle["configuration"] == {"files": before["files"]}
        assert both(bundle, shelf.trusted) == (Verdict.VALID, ())
    assert judged(changed(last - 5), shelf.trusted) == (Verdict.INVALID, ("signer",))
    assert archive_check.bundle(tmp_path / "changed.gz", shelf.old[-1])["configuration"] == {"files": after["files"]}


def test_what_is_taken_out_is_gone_and_everything_else_is_proven(shelf: Shelf) -> None:
    country, store = shelf.country, shelf.country.gateways["hpa"].core.store
    pinned = checkpoint.parse(shelf.head)
    size = len(country.records("hpa"))
    shelf.take_out()
    assert len(country.records("hpa")) == size - shelf.size + 1
    noted = country.records("hpa")[-1]
    assert (noted["kind"], noted["size"], noted["sha256"]) == ("archive", shelf.size, archive._digest(shelf.file))
    with store.reading() as (db, log):
        assert log.verify_stored() == []
        assert (log.archived(), log.root(shelf.size)) == (shelf.size, log.root(shelf.size))
        left = db.execute("SELECT count(*) FROM message WHERE sealed IS NOT NULL AND idx < ?", (shelf.size,))
        assert left.fetchone() == (0,)
    stamp(country, "hpa")
    bundle = evidence(country, shelf.new, SYSTEM, have=str(pinned.size))
    (shelf.trusted / "heads" / "kept.note").write_text(shelf.head)
    assert both(bundle, shelf.trusted) == (Verdict.VALID, ())
    secret = {"authorization": f"Bearer {homes.secret(shelf.home.path, 'births')}"}
    assert problem_type(sync.request("GET", f"{country.url('hpa')}/evidence/{shelf.old[0]}", secret)) in {
        "record-archived",
        "not-allowed-here",
    }
    portal = country.sdk(PORTAL)
    told = portal.trail(HPA, portal.token(subject=MOTHER, audience=HPA, assurance=3), pinned.size)
    verdict = trail.verify(told, pinned, told["log_key"], f"{HPA}/gw1")
    assert verdict.entries_proven
    assert [entry.record.get("id") for entry in verdict.entries] == [shelf.new]
    shelf.take_out()
    assert [record["kind"] for record in country.records("hpa")].count("archive") == 1
    assert not list((shelf.home.path / archive.FOLDER).glob("*"))


def test_one_exchange_is_proven_from_the_archive_with_its_body_until_that_is_erased(shelf: Shelf) -> None:
    country, store = shelf.country, shelf.country.gateways["hpa"].core.store
    shelf.take_out()
    for exchange in shelf.old:
        bundle = archive_check.bundle(shelf.file, exchange, store.body_keys(exchange))
        assert both(bundle, shelf.trusted) == (Verdict.VALID, ())
        assert "臺大醫院" in base64.b64decode(bundle["entries"][1]["body"]).decode()
    exchange = shelf.old[1]
    assert country.run(store.erase(exchange)) == 2
    bare = archive_check.bundle(shelf.file, exchange, store.body_keys(exchange))
    assert both(bare, shelf.trusted) == (Verdict.VALID, ())
    assert not any({"salt", "body", "base"} & set(entry) for entry in bare["entries"])
    with pytest.raises(Problem) as unknown:
        archive_check.bundle(shelf.file, "no-such-exchange")
    assert unknown.value.slug == "record-unknown"


def test_the_next_archive_begins_where_the_last_one_ended(shelf: Shelf) -> None:
    country = shelf.country
    shelf.take_out()
    stamp(country, "hpa")
    ask_births(country.sdk())
    second = archive.write(shelf.home, clock.now() + LATER, shelf.folder / "out", remove=True)
    with gzip.open(second, "rt") as text:
        lines = [json.loads(line) for line in text]
    assert lines[0]["first"] == shelf.size == lines[1]["index"]
    assert judged(second, shelf.trusted) == (Verdict.VALID, ())
    assert both(archive_check.bundle(second, shelf.new), shelf.trusted) == (Verdict.VALID, ())
    shelf.take_out()
    with country.gateways["hpa"].core.store.reading() as (_, log):
        assert log.archived() == lines[0]["size"]
        assert log.verify_stored() == []


def test_bodies_whose_time_is_over_are_erased_in_archives_too(shelf: Shelf) -> None:
    store = shelf.country.gateways["hpa"].core.store
    shelf.take_out()
    assert store.body_keys(shelf.old[0])
    year = int(clock.now().timestamp()) + 365 * 86_400
    assert shelf.country.run(store.erase_due(year, 180)) >= 2 * len(shelf.old)
    assert store.body_keys(shelf.old[0]) == {}


def test_what_cannot_be_archived(shelf: Shelf) -> None:
    with pytest.raises(Problem) as refused:
        archive.write(shelf.home, clock.now() - timedelta(days=1), shelf.folder / "out", remove=False)
    assert refused.value.slug == "archive-impossible"
    (note,) = (shelf.home.path / archive.FOLDER).glob("*.json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "root": "00" * 32}))
    shelf.take_out()
    core = shelf.country.gateways["hpa"].core
    assert "archive-does-not-fit" in core.alarms.standing
    with core.store.reading() as (_, log):
        assert log.archived() == 0


def test_the_command_line(shelf: Shelf, tmp_path: Path) -> None:
    from smartgov.engines.troad.gateway import main

    home, bundle = str(shelf.home.path), tmp_path / "bundle.json"
    with pytest.raises(Problem) as refused:
        main(["archive", "--home", home, "--before", "2999-01-01", "--out", str(tmp_path)])
    assert refused.value.slug == "archive-impossible", "nothing younger than eight days"
    extract = ["extract", "--file", str(shelf.file), "--exchange", shelf.old[0], "--out", str(bundle)]
    assert main([*extract, "--home", home]) == 0
    assert both(json.loads(bundle.read_text()), shelf.trusted) == (Verdict.VALID, ())
    assert "body" in json.loads(bundle.read_text())["entries"][0]
