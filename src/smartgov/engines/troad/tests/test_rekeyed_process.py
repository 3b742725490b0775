"""A gateway comes back under other keys: its log names where the old one ended, and everybody holds it to that."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smartgov.engines.httpd import sync
from smartgov.engines.ledger import Checkpoint, checkpoint, cosign
from smartgov.engines.pki import keys
from smartgov.engines.troad import archive, archive_check, backup, epochs, trail, verify_evidence, witness
from smartgov.engines.troad import home as homes
from smartgov.engines.troad.tests.country import MOTHER, ask_births, wait_for
from smartgov.engines.troad.tests.kept import Kept, messages
from smartgov.engines.troad.tests.stamped import evidence, settings
from smartgov.engines.troad.tests.test_restore_process import (
    GATEWAY,
    HPA,
    PORTAL,
    SYSTEM,
    Story,
    asked,
    asked_exchange,
    both,
    log_key,
    story,
)
from smartgov.engines.troad.tests.test_witness_process import to_witness
from smartgov.engines.troad.verification import Verdict
from smartgov.engines.trust import Rotation
from smartgov.shared import clock

__all__ = ["story"]
pytestmark = [pytest.mark.enable_socket, pytest.mark.process]
PROVEN = {Verdict.VALID, Verdict.VALID_UNTIMESTAMPED}


def enter_anew(story: Story, *, marked: bool = True) -> Path:
    """hpa loses its home and enters with a new one, all of whose keys are others; its old key says that it may."""
    country, lost = story.country, story.folder / "lost"
    at = homes.load(story.home)
    settings = (story.home / "gateway.yaml").read_text()
    story.process.kill()
    story.home.rename(lost)
    homes.create(
        story.home, member="hpa", port=at.port, local_port=at.local_port, subsystems={}, anchor=country.centre.anchor
    )
    (story.home / "gateway.yaml").write_text(settings)  # the same systems, and where they are
    shutil.copytree(lost / "secrets", story.home / "secrets", dirs_exist_ok=True)
    publish(story, lost)
    if marked:  # `smartgov gateway init --old-home` does so
        mark(story)
    return lost


def mark(story: Story) -> None:
    """Let it open an epoch; as if that had been ordered a while ago, because what is a minute old is refused then."""
    backup.mark_restored(story.home)
    date_back(story)


def date_back(story: Story) -> None:
    marker = json.loads((story.home / backup.RESTORED).read_text())
    earlier = datetime.fromisoformat(marker["restored_at"]) - timedelta(seconds=55)
    (story.home / backup.RESTORED).write_text(json.dumps({**marker, "restored_at": earlier.isoformat()}))


def publish(story: Story, lost: Path) -> None:
    """List the new keys, with the proof by the old one."""
    country = story.country
    country.described["hpa"] |= homes.describe(story.home)
    old = homes.load(lost).p256("configuration")
    new = homes.configuration_key(story.home)
    rotation = Rotation.make(member=HPA, old=old.public_key(), new=new, at=clock.now(), by=[old])
    country.centre.publish(
        country.data(),
        member_keys={
            country.described[one]["member"]: homes.configuration_key(country.folder / one) for one in country.described
        },
        sign=lambda **offer: homes.sign_offer(country.folder / offer["member"].rsplit("/", 1)[1], **offer),
        now=clock.now(),
        rotations=[rotation],
    )
    for code in country.described:
        homes.set_bundle(country.folder / code, country.centre.repository.bundle())


def change_the_key(story: Story, *, marked: bool = True) -> None:
    """hpa's log goes on under another key; everything else stays."""
    country, at = story.country, homes.load(story.home)
    story.process.end()
    (story.home / "keys" / "log.key").unlink()
    settings = (story.home / "gateway.yaml").read_text()
    homes.create(story.home, member="hpa", port=at.port, local_port=at.local_port, subsystems={})
    (story.home / "gateway.yaml").write_text(settings)
    country.described["hpa"] |= homes.describe(story.home)
    country.publish()
    if marked:
        mark(story)
    wait_for(lambda: taken_up(story))
    story.process.start()
    if marked:
        wait_for(lambda: not story.health()["alarms"].get("log-restored"))


def stamp_each_second(story: Story) -> None:
    written = homes.content.parse((story.home / "gateway.yaml").read_text())["timestamps"]
    story.process.end()
    settings(story.country, "hpa", timestamps={**written, "every": 1})
    story.process.start()


def stamped(story: Story) -> int:
    """How many epochs of hpa's log have a stamped head."""
    with closing(sqlite3.connect(f"file:{story.home / 'log.sqlite3'}?mode=ro", uri=True)) as db:
        notes = db.execute("SELECT note FROM head WHERE size IN (SELECT size FROM stamp)").fetchall()
    return len({checkpoint.parse(note).origin for (note,) in notes})


def taken_up(story: Story) -> bool:
    """Whether the others know the new log key."""
    key = homes.load(story.home).log_key().public_key()
    return all(
        one.core.configuration.current().gateways[GATEWAY].log_key.public_bytes_raw() == key.public_bytes_raw()
        for one in story.country.gateways.values()
    )


def trail_of(story: Story) -> Any:
    portal = story.country.sdk(PORTAL)
    return portal.trail(HPA, portal.token(subject=MOTHER, audience=HPA, assurance=3))


def test_the_new_log_names_the_end_of_the_old_one_and_the_key_that_signed_it(story: Story) -> None:
    country, kept_answers = story.country, Kept(story.country)
    old_exchange = kept_answers.take(ask_births(country.sdk()))
    pinned, kept = checkpoint.parse(trail_of(story)["checkpoint"]), story.head()
    old_bundle = evidence(country, old_exchange, SYSTEM)
    last, old_key = checkpoint.parse(story.head()), homes.load(story.home).log_key().public_key().public_bytes_raw()

    lost = enter_anew(story)
    wait_for(lambda: taken_up(story))
    story.process.start()
    wait_for(lambda: not story.health()["alarms"].get("log-restored"))

    [opened] = [record for record in country.records("hpa") if record["kind"] == "epoch"]
    assert opened["after"]["size"] >= last.size
    assert (opened["restored"]["size"], opened["key_before"]) == (0, old_key.hex())
    head = checkpoint.parse(story.head())
    assert head.origin == f"{GATEWAY}+2"
    assert epochs.key_of(head, 1, b"") == old_key
    assert story.head().count("\n— ") == 3, "both witnesses accept it"
    for code in ("ris", "portal"):
        assert f"log-rekeyed:{GATEWAY}+2" in country.gateways[code].core.alarms.standing

    # Exchanges go on; both verifiers hold the new log to the head that was kept of the old one.
    wait_for(lambda: asked(country) == "answered")
    assert both(old_bundle, story.trusted)[0] in PROVEN, "what the old log has proven, it has proven"
    (story.trusted / "heads" / "kept.note").write_text(kept)
    bundle = evidence(country, asked_exchange(country), SYSTEM)
    assert both(bundle, story.trusted)[0] in PROVEN
    said = verify_evidence.told(bundle, story.trusted)
    assert f"epoch 2 began under another key after {opened['after']['size']} records" in said

    # The trail says so too: the entries hold, and what she saw of the old log is not in this one.
    verdict = trail.verify(trail_of(story), pinned, log_key(country), GATEWAY)
    assert verdict.entries_proven
    assert verdict.lost == pinned.size

    # What was acknowledged before is in the log of the one who asked, and in the old one, which lies as it was.
    assert kept_answers.ask() == "answered"
    kept_answers.hold("hpa", but={old_exchange})
    kept_answers.hold("ris")
    assert [record["kind"] for _, record, _ in messages(lost)[old_exchange]] == ["request", "answer"]


def test_a_log_that_conceals_the_old_one_is_not_believed(story: Story) -> None:
    country, answers = story.country, Kept(story.country)
    old_exchange = answers.take(ask_births(country.sdk()))
    kept = story.head()
    enter_anew(story, marked=False)
    wait_for(lambda: taken_up(story))
    story.process.start()
    assert "under another key" in story.health()["alarms"]["log-restored"]
    assert asked(country) == "log-restored"
    story.process.end()
    story.command("resume")
    date_back(story)
    story.process.start()
    wait_for(lambda: not story.health()["alarms"].get("log-restored"))
    assert checkpoint.parse(story.head()).origin == f"{GATEWAY}+2"

    # Another gateway's word alone, or a key that nobody named: the reader is told that a kept head is not explained.
    wait_for(lambda: asked(country) == "answered")
    stranger = homes.load(country.folder / "ris").log_key()
    forged = checkpoint.sign(checkpoint.parse(kept), stranger)
    (story.trusted / "heads" / "forged.note").write_text(forged)
    bundle = evidence(country, asked_exchange(country), SYSTEM)
    assert both(bundle, story.trusted) == (Verdict.UNKNOWN_STATUS, ("kept-head",))
    assert answers.ask() == "answered"
    answers.hold("hpa", but={old_exchange})
    answers.hold("ris")


def test_a_log_whose_key_alone_was_changed_keeps_its_records(story: Story) -> None:
    country = story.country
    stamp_each_second(story)
    before = asked_exchange(country)
    wait_for(lambda: stamped(story) == 1)
    kept = story.head()
    change_the_key(story)
    [opened] = [record for record in country.records("hpa") if record["kind"] == "epoch"]
    assert opened["restored"]["size"] == opened["after"]["size"] >= checkpoint.parse(kept).size
    assert opened["lost_at_least"] == 0
    assert any(record.get("id") == before for record in country.records("hpa"))
    assert sync.request("GET", country.url("hpa") + "/local/v1/checkpoint").body.decode().count("\n— ") == 3
    size = checkpoint.parse(kept).size
    (story.trusted / "heads" / "kept.note").write_text(kept)
    wait_for(lambda: asked(country) == "answered")
    bundle = evidence(country, ask_births(country.sdk()).exchange_id, SYSTEM, have=str(size))
    assert both(bundle, story.trusted)[0] in PROVEN

    # An archive over the change verifies alone: its last head says by which key the earlier ones were signed.
    asked_exchange(country)
    wait_for(lambda: stamped(story) == 2)
    file = archive.write(homes.load(story.home), clock.now() + timedelta(minutes=5), story.folder / "out", remove=False)
    with gzip.open(file, "rt") as lines:
        about = json.loads(lines.readline())
    assert {checkpoint.parse(one["head"]).origin for one in about["heads"]} == {GATEWAY, f"{GATEWAY}+2"}
    found = archive_check.verify(file, story.trusted)
    word, reasons = verify_evidence.verify(file, story.trusted)
    assert (verify_evidence.STATUS[word], tuple(reasons)) == (found.verdict, found.reasons)
    assert found.verdict in PROVEN


@pytest.fixture
def proven_before(story: Story) -> tuple[Story, str, str]:
    """A log whose key was changed after two exchanges: one under a stamped head, one that no head covered yet."""
    country = story.country
    stamp_each_second(story)
    early = asked_exchange(country)
    wait_for(lambda: stamped(story) == 1)
    story.process.end()
    story.process.start(_QUIET)
    late = asked_exchange(country)
    change_the_key(story)
    wait_for(lambda: asked(country) == "answered", seconds=30)
    return story, early, late


_QUIET = "from smartgov.engines.troad import heads; heads.LOOK_SECONDS = 1e6"


def test_what_was_exchanged_before_the_change_is_proven_under_a_head_of_now(
    proven_before: tuple[Story, str, str],
) -> None:
    story, early, late = proven_before
    country, trusted = story.country, story.trusted
    # As it is: the stamped head of then for the one; for the other there is none but those under the new key.
    assert both(evidence(country, early, SYSTEM), trusted) == (Verdict.VALID, ())
    bundle = evidence(country, late, SYSTEM)
    assert checkpoint.parse(bundle["head"]).origin == f"{GATEWAY}+2"
    assert both(bundle, trusted)[0] in PROVEN
    # And for a reader who has kept a head of today: that one, and how it came from the one of then.
    (trusted / "heads" / "today.note").write_text(story.head())
    size = str(checkpoint.parse((trusted / "heads" / "today.note").read_text()).size)
    assert both(evidence(country, early, SYSTEM), trusted) == (Verdict.UNKNOWN_STATUS, ("kept-head",))
    for exchange in (early, late):
        bundle = evidence(country, exchange, SYSTEM, have=size)
        assert both(bundle, trusted)[0] in PROVEN
        assert "epoch 2 began under another key" in verify_evidence.told(bundle, trusted)
    bundle = evidence(country, early, SYSTEM, have=size)
    assert both(bundle, trusted) == (Verdict.VALID, ()), "the stamp of then counts"
    assert checkpoint.parse(bundle["over"]["head"]).origin == GATEWAY
    (story.folder / "bundle.json").write_text(json.dumps(bundle))
    for command in (
        [sys.executable, "-I", verify_evidence.__file__],
        [sys.executable, "-m", "smartgov.cli", "verify"],
    ):
        words = [*command, str(story.folder / "bundle.json"), "--anchors", str(trusted)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_forged_key_of_before_is_not_believed(proven_before: tuple[Story, str, str]) -> None:
    story, early, _ = proven_before
    country, trusted = story.country, story.trusted
    sound = evidence(country, early, SYSTEM, have=str(checkpoint.parse(story.head()).size))
    assert both(sound, trusted)[0] in PROVEN
    stranger = keys.generate_ed25519()
    naming = naming_another(story, sound["head"], stranger.public_key().public_bytes_raw())
    of_then = checkpoint.parse(sound["over"]["head"])
    by_a_stranger = {**sound["over"], "head": checkpoint.sign(of_then, stranger), "stamp": None}
    unexplained = {"before": None, "over": None, "stamp": None}
    for changes, reason in (
        ({"head": naming, **unexplained}, "log-key"),  # the members' signed list says which key it was
        ({"head": naming, "before": None, "stamp": None}, "log-key"),
        ({"head": naming, **unexplained, "over": by_a_stranger}, "log-key"),
        ({"before": None, "over": by_a_stranger}, "head"),
        ({"head_configuration": None}, "head"),
        ({"configuration": sound["head_configuration"], "head_configuration": sound["configuration"]}, "configuration"),
    ):
        assert both({**sound, **changes}, trusted) == (Verdict.INVALID, (reason,)), changes.keys()
    # Witnesses that do not deceive sign no head that names another key than the first one of its epoch did.
    alone = naming[: naming.index("\n", naming.index("\n\n") + 2) + 1]
    size = checkpoint.parse(alone).size
    assert to_witness(country, "portal", "ris", witness.write(size, [], alone)).status == 422


def naming_another(story: Story, note: str, key: bytes) -> str:
    """The head as hpa's owner signs it when he names this key as the one of before, with witnesses that deceive too."""
    told = checkpoint.parse(note)
    lines = tuple(epochs.key_line(2, key) if one.startswith("key-before") else one for one in told.extensions)
    forged = checkpoint.sign(Checkpoint(told.origin, told.size, told.root, lines), homes.load(story.home).log_key())
    now = int(clock.now().timestamp())
    for code in ("ris", "portal"):
        at = homes.load(story.country.folder / code)
        forged += cosign.cosign(forged, at.gateway, at.witness_key(), now)
    return forged


def test_a_log_goes_on_under_another_key_only_in_an_epoch_that_names_the_old_one(story: Story) -> None:
    country = story.country
    asked_exchange(country)
    kept = checkpoint.parse(story.head())
    change_the_key(story, marked=False)
    assert "under another key" in story.health()["alarms"]["log-restored"]
    assert asked(country) == "log-restored"
    # And no witness signs a head of the same origin by another key, whatever the gateway's program does.
    key = homes.load(story.home).log_key()
    head = checkpoint.sign(Checkpoint(GATEWAY, kept.size, kept.root), key)
    assert to_witness(country, "portal", "ris", witness.write(kept.size, [], head)).status == 422
    assert f"log-forked:{GATEWAY}" in country.gateways["ris"].core.alarms.standing
    story.process.end()
    story.command("resume")
    date_back(story)
    story.process.start()
    wait_for(lambda: asked(country) == "answered", seconds=30)
    assert checkpoint.parse(story.head()).origin == f"{GATEWAY}+2"
