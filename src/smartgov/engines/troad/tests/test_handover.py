"""What heads say of a handover, and claims that change their gateway: without any process."""

from __future__ import annotations

import hmac
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from smartgov.engines.httpd import Response
from smartgov.engines.ledger import Checkpoint, checkpoint, cosign
from smartgov.engines.troad import epochs, handover, idempotency
from smartgov.engines.troad.handover import Given
from smartgov.engines.troad.idempotency import KEPT_SECONDS, KEYED, Claims
from smartgov.engines.troad.names import parse_target
from smartgov.engines.troad.rights import Ask
from smartgov.engines.troad.tests.country import BIRTHS, CASES
from smartgov.shared.problems import Problem

EPOCH = "epoch 2 after TW/GOV/hpa/gw1 7 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= restored 5"
NOW = 1_764_000_000
INDEX, BODY, OTHER_BODY = os.urandom(32), os.urandom(32), os.urandom(32)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(opened()) as made:
        yield made


def opened() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.execute("CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
    made.executescript(idempotency.SCHEMA)
    return made


def ask(key: str, exchange: str = "exchange-1") -> Ask:
    target = parse_target(f"/r1/{BIRTHS}/births/query")
    return Ask(id=exchange, client=CASES, target=target, method="POST", headers={"idempotency-key": key}, body=b"{}")


def claims(key: bytes, body: bytes, keyed: int = 0) -> Claims:
    def unsure(key: str, now: int, since: int) -> None:
        if since:
            raise AssertionError(f"{key} is doubted")

    return Claims(INDEX, body, unsure, key=key, keyed=keyed)


def used(
    db: sqlite3.Connection,
    by: Claims,
    key: str,
    now: int = NOW,
    exchange: str = "exchange-1",
    retain_days: int | None = None,
) -> Response | None:
    """Use a key: the kept answer of an earlier use, or None and it is used now."""
    claim = by.of(ask(key, exchange), now, 0, retain_days)
    assert claim is not None
    claim.take(db)
    if claim.mine:
        claim.finish(db, Response(201, {"etag": '"1"'}, b'{"born_on": "x"}'), "")
        claim.end()
    return claim.stored


def hand(db: sqlite3.Connection, to: sqlite3.Connection, now: int = NOW) -> int:
    rows = list(idempotency.handed(db, BODY, now))
    for row in rows:
        idempotency.take_over(to, OTHER_BODY, row)
    return len(rows)


# -- what heads say ---------------------------------------------------------------------------------------------------


def test_the_newest_word_stays_with_the_lines_of_epochs() -> None:
    old, new = Given("TW/GOV/hpa/gw2", 5), Given("TW/GOV/hpa/gw3", 9)
    lines = handover.with_newest((EPOCH, old.line), new.line)
    assert lines == (EPOCH, new.line)
    assert handover.with_newest(lines, old.line) == lines, "an older word changes nothing"
    assert handover.given_by(lines) == new
    assert handover.given_by((EPOCH, "once-handed-over  5", "once-handed-over x y")) is None
    assert epochs.count(lines) == 2, "it is no epoch"


def test_a_word_holds_against_every_offer_up_to_it() -> None:
    given = Given("TW/GOV/hpa/gw2", 100)
    handover.refuse_given(None, 0)
    handover.refuse_given(given, 101)
    for since in (-1, 0, 100):
        with pytest.raises(Problem) as refused:
            handover.refuse_given(given, since)
        assert (refused.value.slug, refused.value.extra["gateway"]) == ("once-handed-over", "TW/GOV/hpa/gw2")


def test_a_head_counts_with_its_line_over_the_record_and_two_members_under_it() -> None:
    log_key, keys = Ed25519PrivateKey.generate(), {name: Ed25519PrivateKey.generate() for name in "abc"}
    given = Given("TW/GOV/hpa/gw2", 100)
    own = SimpleNamespace(id="TW/GOV/hpa/gw1", member="TW/GOV/hpa", log_key=log_key.public_key())
    listed = {
        f"TW/GOV/{name}/gw1": SimpleNamespace(
            id=f"TW/GOV/{name}/gw1", member=f"TW/GOV/{name}", witness_key=key.public_key()
        )
        for name, key in keys.items()
    }
    snapshot = SimpleNamespace(gateways=listed)

    def holds(size: int = 8, line: str = given.line, names: str = "ab") -> bool:
        note = checkpoint.sign(Checkpoint(own.id, size, b"\1" * 32, (line,)), log_key)
        note += "".join(cosign.cosign(note, f"TW/GOV/{name}/gw1", keys[name], NOW) for name in names)
        return handover.confirmed(note, own, given, 7, snapshot)  # type: ignore[arg-type]

    assert holds()
    assert holds(names="abc")
    assert not holds(size=7), "it does not cover the record"
    assert not holds(names="a"), "one member alone"
    assert not holds(names="aa"), "twice the same"
    assert not holds(line=Given("TW/GOV/hpa/gw2", 101).line)
    assert not holds(line=Given("TW/GOV/hpa/gw3", 100).line)
    assert not holds(line="once-handed-over")


# -- claims -----------------------------------------------------------------------------------------------------------


def test_a_claim_answers_at_its_new_place_under_another_body_key(db: sqlite3.Connection) -> None:
    key = idempotency.own_key(INDEX)
    former = claims(key, BODY)
    assert used(db, former, "done") is None
    broken = former.of(ask("broken", "exchange-2"), NOW)
    assert broken is not None
    broken.take(db)  # and its process ends
    with closing(opened()) as there:
        assert hand(db, there) == 2
        successor = claims(key, OTHER_BODY)
        kept = used(there, successor, "done", NOW + 10)
        assert kept is not None
        assert (kept.status, kept.headers, kept.body) == (201, {"etag": '"1"'}, b'{"born_on": "x"}')
        with pytest.raises(Problem, match="outcome-unknown"):
            used(there, successor, "broken", NOW + 10)
        other = successor.of(ask("done"), NOW + 10)
        assert other is not None
        other.content += b"x"
        with pytest.raises(Problem, match="idempotency-mismatch"):
            other.take(there)
        assert used(there, successor, "new", NOW + 10) is None
        idempotency.forget(there, NOW + KEPT_SECONDS + 1)
        (left,) = there.execute("SELECT count(*) FROM claim").fetchone()
        assert left == 1, "seven days count from the first use"


def test_what_was_erased_stays_so_wherever_it_comes_from(db: sqlite3.Connection) -> None:
    key = idempotency.own_key(INDEX)
    used(db, claims(key, BODY), "early", exchange="exchange-1")
    used(db, claims(key, BODY), "late", exchange="exchange-2")
    idempotency.erase(db, "exchange-1")
    with closing(opened()) as there:
        hand(db, there)
        idempotency.erase(there, "exchange-2")
        hand(db, there)  # once more, from a file of before
        for name in ("early", "late"):
            with pytest.raises(Problem, match="answer-erased"):
                used(there, claims(key, OTHER_BODY), name)
        found = there.execute("SELECT salt, tag, answer FROM claim").fetchall()
    assert found == [(None, None, None)] * 2


DAY = 86_400


def kept(db: sqlite3.Connection) -> list[Any]:
    """What a file holds that tells of the content of calls under keys."""
    return db.execute("SELECT id FROM claim WHERE coalesce(salt, tag, answer) IS NOT NULL").fetchall()


def outcome(db: sqlite3.Connection, by: Claims, key: str, now: int, retain_days: int | None = None) -> str:
    try:
        return "kept" if used(db, by, key, now, retain_days=retain_days) else "done"
    except Problem as problem:
        return problem.slug


def test_what_is_kept_for_a_key_ends_with_the_services_retention(db: sqlite3.Connection) -> None:
    """Wherever it lies by then; the key is known for its seven days, and nothing is done twice."""
    by = claims(idempotency.own_key(INDEX), BODY)
    for key, days in (("one-day", 1), ("thirty", 30), ("unsaid", None)):
        assert used(db, by, key, retain_days=days) is None
    broken = by.of(ask("broken"), NOW, 0, 1)
    assert broken is not None
    broken.take(db)
    broken.end()
    with closing(opened()) as there:
        assert hand(db, there) == 4
        for at in (db, there):
            here = by if at is db else claims(by.key, OTHER_BODY)
            assert outcome(at, here, "one-day", NOW + DAY - 1) == "kept"
            assert outcome(at, here, "one-day", NOW + DAY) == "answer-erased", "also before it was swept"
            assert idempotency.end_kept(at, NOW + DAY, 180) == 0
            assert idempotency.end_kept(at, NOW + DAY + 1, 180) == 2
            assert idempotency.end_kept(at, NOW + DAY + 1, 180) == 0
            assert idempotency.tidy(at, NOW + DAY + 1) == 2
            assert len(kept(at)) == 2
            assert at.execute("SELECT count(*) FROM claim_until").fetchone() == (1,)
            for late in (NOW + DAY + 1, NOW + KEPT_SECONDS):
                assert outcome(at, here, "one-day", late) == "answer-erased"
                assert outcome(at, here, "broken", late) == "outcome-unknown"
                assert (outcome(at, here, "thirty", late), outcome(at, here, "unsaid", late)) == ("kept", "kept")
        idempotency.end_kept(db, NOW + 3 * DAY + 1, 3)
        assert (outcome(db, by, "unsaid", NOW + 3 * DAY), outcome(db, by, "thirty", NOW + 3 * DAY)) == (
            "answer-erased",
            "kept",
        ), "where the service says nothing the gateway's own retention counts"
        assert hand(db, there, NOW + 3 * DAY + 1) == 4
        assert outcome(there, claims(by.key, OTHER_BODY), "unsaid", NOW + 3 * DAY) == "answer-erased"


def test_what_is_being_worked_on_is_not_ended_under_its_hands(db: sqlite3.Connection) -> None:
    by = claims(idempotency.own_key(INDEX), BODY)
    running = by.of(ask("none"), NOW, 0, 0)
    assert running is not None
    running.take(db)
    assert outcome(db, by, "none", NOW + 1, 0) == "idempotency-running"
    assert idempotency.end_kept(db, NOW + 600, 0) == 0
    running.finish(db, Response(200, {}, b"x"), "")
    running.end()
    assert outcome(db, by, "none", NOW + 1, 0) == "answer-erased"
    assert idempotency.end_kept(db, NOW + 601, 0) == 1
    assert kept(db) == []


def test_a_key_that_was_free_again_is_kept_by_its_new_use(db: sqlite3.Connection) -> None:
    by = claims(idempotency.own_key(INDEX), BODY)
    tried = by.of(ask("again"), NOW, 0, 1)
    assert tried is not None
    tried.take(db)
    tried.release(db)
    tried.end()
    assert used(db, by, "again", NOW + 2 * DAY, retain_days=None) is None
    assert idempotency.end_kept(db, NOW + 3 * DAY, 180) == 0
    assert outcome(db, by, "again", NOW + 3 * DAY) == "kept"


def test_claims_of_an_earlier_version_are_found_for_seven_days_and_stay(db: sqlite3.Connection) -> None:
    key = idempotency.own_key(INDEX)
    before = claims(key, BODY).of(ask("of-before"), NOW)
    assert before is not None
    parts = (CASES, BIRTHS, "POST", before_path(), "of-before")
    before.id = hmac.digest(INDEX, b"claim" + idempotency._joined(*(part.encode() for part in parts)), "sha256")
    before.take(db)
    before.finish(db, Response(200, {}, b"kept"), "")
    db.execute("DELETE FROM fact")  # as the file was
    db.executescript(idempotency.SCHEMA)
    (keyed,) = db.execute("SELECT CAST(value AS INTEGER) FROM fact WHERE name = ?", (KEYED,)).fetchone()
    assert keyed == NOW
    present = claims(key, BODY, keyed)
    assert present.unsure == NOW + 1
    kept = used(db, present, "of-before", NOW + 5)
    assert kept is not None
    assert kept.body == b"kept"
    assert used(db, present, "of-now", NOW + 6) is None
    assert sorted(row[1] for row in idempotency.handed(db, BODY, NOW + 7)) == [NOW, NOW + 6]
    assert used(db, present, "of-before", NOW + KEPT_SECONDS + 1) is None, "as any other, after seven days"
    assert used(db, present, "of-before", NOW + KEPT_SECONDS + 2) is not None


def before_path() -> str:
    target: Any = ask("x").target
    return str(target.path)
