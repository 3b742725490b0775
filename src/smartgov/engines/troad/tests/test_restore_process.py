"""A gateway is restored from a backup: what others saw is admitted as lost, and what was spent is not spent again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pytest_socket import enable_socket

from smartgov.engines.httpd import sync
from smartgov.engines.ledger import checkpoint
from smartgov.engines.troad import backup, epochs, operate, trail, verification, verify_evidence
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import (
    BIRTHS,
    CASES,
    LAW,
    MOTHER,
    PURPOSE,
    Country,
    Rogue,
    ask_births,
    problem_type,
    wait_for,
)
from smartgov.engines.troad.tests.kept import Kept, stored
from smartgov.engines.troad.tests.stamped import anchors, evidence, settings, stamped_country
from smartgov.engines.troad.tests.test_gateway_process import Process
from smartgov.engines.troad.verification import Verdict
from smartgov.shared.ids import uuid7
from smartgov.shared.problems import Problem

pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
PASSPHRASE = "long enough to be one"
HPA, PORTAL, SYSTEM = "TW/GOV/hpa", "TW/GOV/portal/portal", "TW/GOV/hpa/births"
GATEWAY = f"{HPA}/gw1"


class Story:
    """hpa's gateway in a process, and what happened to it."""

    def __init__(self, country: Country, folder: Path) -> None:
        self.country, self.folder, self.process = country, folder, Process(country)
        self.home = country.folder / "hpa"
        self.trusted = anchors(country, folder / "anchors")
        self.file = folder / "hpa.backup"
        self.known: dict[str, Any] = {}

    def command(self, word: str, *more: str) -> None:
        command = [sys.executable, "-m", "smartgov.engines.troad.gateway", word, "--home", str(self.home), *more]
        environment = {"PYTHONPATH": str(Path(backup.__file__).parents[3]), operate.PASSPHRASE: PASSPHRASE}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr

    def head(self) -> str:
        note: str = sync.request("GET", self.country.url("hpa") + "/local/v1/checkpoint").body.decode()
        return note

    def health(self) -> Any:
        return sync.request("GET", self.country.url("hpa") + "/local/v1/health").parsed()

    def lose(self) -> None:
        """Kill the gateway and take its folder away."""
        self.process.kill()
        self.home.rename(self.folder / f"lost-{uuid4()}")

    def restore(self, *, seconds_ago: int = 50) -> None:
        """Put the backup back, so long ago that the time in which new messages are refused is soon over."""
        self.command("restore", "--file", str(self.file))
        marker = json.loads((self.home / backup.RESTORED).read_text())
        earlier = datetime.fromisoformat(marker["restored_at"]) - timedelta(seconds=seconds_ago)
        (self.home / backup.RESTORED).write_text(json.dumps({**marker, "restored_at": earlier.isoformat()}))


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    enable_socket()
    with stamped_country(tmp_path / "country") as country:
        country.halt("hpa")
        entry = homes.content.parse((country.folder / "hpa/gateway.yaml").read_text())["subsystems"]
        entry["births"]["may"] = ["erase", "evidence"]
        settings(country, "hpa", subsystems=entry)
        made = Story(country, tmp_path)
        made.process.start()
        yield made
        if made.process.child is not None and made.process.child.poll() is None:
            made.process.end()


def both(bundle: Any, trusted: Path) -> tuple[Verdict, tuple[str, ...]]:
    found = verification.verify(bundle, trusted)
    word, reasons = verify_evidence.verify(bundle, trusted)
    assert (verify_evidence.STATUS[word], tuple(reasons)) == (found.verdict, found.reasons)
    return found.verdict, found.reasons


def consent(country: Country) -> str:
    end = (datetime.now().astimezone() + timedelta(days=1)).isoformat()
    return country.sdk(PORTAL).consent(
        subject=MOTHER,
        provider=BIRTHS,
        requester=CASES,
        fields=["born_on"],
        purpose=PURPOSE,
        expires_at=end,
        single_use=True,
    )


def asked(country: Country, **changes: Any) -> str:
    """How a call ends: `answered`, or the problem."""
    try:
        ask_births(country.sdk(), **changes)
    except Problem as problem:
        return problem.slug
    return "answered"


def test_the_whole_story_of_a_restore(story: Story) -> None:
    country, known, kept = story.country, story.known, Kept(story.country)
    kept_exchange = kept.take(ask_births(country.sdk()))
    erased_exchange = kept.take(ask_births(country.sdk()))
    known["head before"] = story.head()
    story.command("backup", "--file", str(story.file))

    # What the backup does not hold.
    lost_exchange = kept.take(ask_births(country.sdk()))
    rogue = Rogue(country)
    message = rogue.sign(rogue.message())
    assert rogue.send(message).status == 200
    key, single = str(uuid4()), consent(country)
    assert asked(country, idempotency_key=key) == "answered"
    assert asked(country, consent=single, basis=None) == "answered"
    token = country.sdk(PORTAL).token(subject=MOTHER, audience=HPA, assurance=3)
    pinned = country.sdk(PORTAL).trail(HPA, token)["checkpoint"]
    assert country.sdk(SYSTEM).erase(erased_exchange) == 2
    bundles = {one: evidence(country, one, SYSTEM) for one in (kept_exchange, lost_exchange)}
    known["head after"] = story.head()
    lost_size = checkpoint.parse(known["head after"]).size

    story.lose()
    story.restore()
    story.process.start()
    wait_for(lambda: not story.health()["alarms"].get("log-restored"))
    assert asked(country) == "restored-void", "the seconds just after the epoch's beginning are refused too"

    # The epoch says what is lost, in the log, in every head, and to the witnesses.
    [opened] = [record for record in country.records("hpa") if record["kind"] == "epoch"]
    assert opened["after"]["size"] == lost_size
    assert opened["lost_at_least"] == lost_size - opened["restored"]["size"] > 0
    assert opened["witnesses"] == ["TW/GOV/portal/gw1", "TW/GOV/ris/gw1"]
    assert opened["reapplied"] == 1
    told = f"records {opened['restored']['size']} to {lost_size - 1} of {GATEWAY} are lost"
    assert story.health()["alarms"]["epoch-opened:2"] == told
    head = checkpoint.parse(story.head())
    assert (head.origin, epochs.of_head(head)[0].size) == (f"{GATEWAY}+2", lost_size)
    assert story.head().count("\n— ") == 3, "two witnesses accept the new epoch"
    for code in ("ris", "portal"):
        assert f"log-restored:{GATEWAY}+2" in country.gateways[code].core.alarms.standing
    assert stored(country, "hpa") == []

    # What the lost time has spent is refused.
    country.behind.seen.clear()
    assert problem_type(rogue.send(message)) == "restored-void"
    wait_for(lambda: asked(country) == "answered")
    assert problem_type(rogue.send(message)) == "restored-void"
    assert asked(country, idempotency_key=key) == "outcome-unknown"
    assert asked(country, idempotency_key=uuid7()) == "answered", "a key from after the restore cannot have been used"
    assert asked(country, consent=single, basis=None) == "restored-void"
    with pytest.raises(Problem) as used:
        country.sdk(PORTAL).trail(HPA, token)
    assert used.value.slug == "restored-void"
    assert asked(country, consent=consent(country), basis=None) == "answered"

    # What was erased stays erased; what is lost is not claimed; what was proven is proven.
    fresh = evidence(country, erased_exchange, SYSTEM)
    assert not any({"salt", "body", "base"} & set(entry) for entry in fresh["entries"])
    secret = {"authorization": f"Bearer {homes.secret(story.home, 'births')}"}
    answer = sync.request("GET", f"{country.url('hpa')}/evidence/{lost_exchange}", secret)
    assert problem_type(answer) == "record-unknown"
    for bundle in bundles.values():
        assert both(bundle, story.trusted)[0] in {Verdict.VALID, Verdict.VALID_UNTIMESTAMPED}
    for name in ("head before", "head after"):
        (story.trusted / "heads" / f"{name}.note").write_text(known[name])
    size = checkpoint.parse(known["head before"]).size
    later = asked_exchange(country)
    bundle = evidence(country, later, SYSTEM, have=str(size))
    assert checkpoint.parse(bundle["head"]).origin == f"{GATEWAY}+2"
    assert both(bundle, story.trusted)[0] in {Verdict.VALID, Verdict.VALID_UNTIMESTAMPED}

    # Her portal learns it from the trail: the entries hold, and so many records of the head it kept are gone.
    portal = country.sdk(PORTAL)
    told = portal.trail(HPA, portal.token(subject=MOTHER, audience=HPA, assurance=3))
    verdict = trail.verify(told, checkpoint.parse(pinned), log_key(country), GATEWAY)
    assert verdict.entries_proven
    assert verdict.lost == checkpoint.parse(pinned).size - opened["restored"]["size"] > 0

    # Nothing acknowledged is missing but what the epoch admits, and that stands in the log of the one who asked.
    kept.erased.add(erased_exchange)
    kept.hold("hpa", but={lost_exchange})
    kept.hold("ris")


def test_a_home_put_back_by_hand_is_refused_until_the_operator_says_so(story: Story) -> None:
    country, kept = story.country, Kept(story.country)
    kept.some(2)
    story.command("backup", "--file", str(story.file))
    lost = kept.take(ask_births(country.sdk()))
    story.head()
    story.lose()
    story.restore()
    (story.home / backup.RESTORED).unlink()
    size = len(country.records("hpa"))
    story.process.start()
    assert "log-restored" in story.health()["alarms"]
    assert asked(country) == "log-restored"
    assert problem_type(sync.request("GET", country.url("hpa") + "/local/v1/checkpoint")) == "log-restored"
    kinds = {record["kind"] for record in country.records("hpa")[size:]}
    assert kinds <= {"refusal"}, "nothing was answered"
    story.process.end()
    story.command("resume")
    story.process.start()
    wait_for(lambda: not story.health()["alarms"].get("log-restored"))
    assert checkpoint.parse(story.head()).origin == f"{GATEWAY}+2"
    assert story.head().count("\n— ") == 3
    kept.hold("hpa", but={lost})
    kept.hold("ris")


def test_a_restored_gateway_waits_for_its_witnesses_and_opens_one_epoch_only(story: Story) -> None:
    country, kept = story.country, Kept(story.country)
    kept.some(2)
    story.head()
    story.command("backup", "--file", str(story.file))
    story.lose()
    story.restore()
    country.halt("portal")
    story.process.start()
    assert "waits for witnesses: 1 of 2" in story.health()["alarms"]["log-restored"]
    assert asked(country) == "log-restored"
    country.start("portal")
    wait_for(lambda: not story.health()["alarms"].get("log-restored"))
    assert "none that others have seen is lost" in story.health()["alarms"]["epoch-opened:2"]
    story.process.kill()
    story.process.start()
    story.process.kill()
    story.process.start()
    assert [record["kind"] for record in country.records("hpa")].count("epoch") == 1
    assert "epoch-opened:2" not in story.health()["alarms"]
    assert checkpoint.parse(story.head()).origin == f"{GATEWAY}+2"
    kept.hold()


def asked_exchange(country: Country) -> str:
    exchange: str = ask_births(country.sdk(), basis=LAW).exchange_id
    return exchange


def log_key(country: Country) -> Any:
    members = country.sdk(PORTAL).configuration()[0]["members"]
    return next(one["gateways"][0]["log_key"] for one in members if one["id"] == HPA)


def test_what_was_erased_after_a_backup_is_erased_in_what_comes_out_of_it(story: Story, tmp_path: Path) -> None:
    country = story.country
    exchange = ask_births(country.sdk()).exchange_id
    story.command("backup", "--file", str(story.file))
    assert country.sdk(SYSTEM).erase(exchange) == 2
    listed = homes.load(story.home).outlasting
    story.process.end()
    with_it, without = tmp_path / "with", tmp_path / "without"
    assert backup.restore(story.file, with_it, PASSPHRASE, listed) == 1
    assert backup.restore(story.file, without, PASSPHRASE, tmp_path / "no such file") == 0
    assert [bodies(one, exchange) for one in (with_it, without)] == [0, 2], "the backup itself still held them"
    listed.write_text("not a list\n")
    with pytest.raises(Problem) as refused:
        backup.restore(story.file, tmp_path / "never", PASSPHRASE, listed)
    assert refused.value.slug == "backup-unusable"
    assert not (tmp_path / "never").exists()


def bodies(home: Path, exchange: str) -> int:
    import sqlite3

    with sqlite3.connect(home / "log.sqlite3") as db:
        query = "SELECT count(*) FROM message WHERE exchange = ? AND wrapped_key IS NOT NULL"
        return int(db.execute(query, (exchange,)).fetchone()[0])
