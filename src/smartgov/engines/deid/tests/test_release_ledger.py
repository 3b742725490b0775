"""The gate: what passes goes into the chain, what does not is refused by name, and nothing changes afterwards."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from smartgov.engines.deid import dossier
from smartgov.engines.deid.ledger import Case, Ledger
from smartgov.engines.deid.tests import plants
from smartgov.shared import clock
from smartgov.shared.problems import Problem

CASE = Case("household", "research", "steward", "data protection officer", "2027-01-01")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "releases.db")
    made.create()
    return made


def test_a_good_release_goes_out_and_its_rows_are_kept(ledger: Ledger, tmp_path: Path) -> None:
    out = ledger.publish(plants.target(), CASE, tmp_path / "first")
    assert all(finding.passed for finding in out.findings)
    kept = ledger.earlier("household")[0]
    assert kept.quasi == plants.QUASI
    assert kept.labels["age"].equals(plants.labels()["age"])
    assert ledger.verify(out.head)[-1].body["id"] == out.id
    assert (tmp_path / "releases.db").stat().st_mode & 0o777 == 0o600


def test_a_refusal_names_the_attacks_and_is_written_down(ledger: Ledger, tmp_path: Path) -> None:
    bad = plants.target(release=plants.released(plants.town(), shuffle=False))
    with pytest.raises(Problem, match="release-refused") as caught:
        ledger.publish(bad, CASE, tmp_path / "bad")
    assert caught.value.extra["attacks"] == ["row order"]
    assert "row order" in caught.value.what.zh
    entries = ledger.chain.entries()
    assert [entry.body["kind"] for entry in entries] == ["refused"]
    assert not (tmp_path / "bad").exists()


def test_the_second_release_is_checked_together_with_the_first(ledger: Ledger, tmp_path: Path) -> None:
    ledger.publish(plants.target(), CASE, tmp_path / "first")
    later = plants.town().slice(1)
    next_month = plants.target(source=later, release=plants.released(later), name="second")
    with pytest.raises(Problem, match="release-refused") as caught:
        ledger.publish(next_month, CASE, tmp_path / "second")
    assert caught.value.extra["attacks"] == ["differencing"]
    elsewhere = Case("taxes", "research", "steward", "officer")
    ledger.publish(next_month, elsewhere, tmp_path / "second")


def test_a_withdrawn_release_is_still_out(ledger: Ledger, tmp_path: Path) -> None:
    out = ledger.publish(plants.target(), CASE, tmp_path / "first")
    ledger.withdraw(out.id, by="officer", reason="superseded")
    assert len(ledger.earlier("household")) == 1
    with pytest.raises(Problem, match="release-ledger-broken"):
        ledger.withdraw("unknown", by="officer", reason="?")


@pytest.mark.parametrize("approver", ["steward", " steward ", ""])
def test_who_prepares_does_not_approve(ledger: Ledger, tmp_path: Path, approver: str) -> None:
    with pytest.raises(Problem, match="release-unapproved"):
        ledger.publish(plants.target(), Case("household", "research", "steward", approver), tmp_path / "first")


def test_reviews_fall_due(ledger: Ledger, tmp_path: Path) -> None:
    soon = (clock.today() + timedelta(days=30)).isoformat()
    out = ledger.publish(plants.target(), Case("household", "research", "a", "b", soon), tmp_path / "first")
    assert ledger.due() == []
    with clock.travelling(delta=timedelta(days=31)):
        assert [entry.body["id"] for entry in ledger.due()] == [out.id]
        ledger.review(out.id, by="b", outcome="kept", next_on=(clock.today() + timedelta(days=365)).isoformat())
        assert ledger.due() == []


def _edit(path: Path, sql: str) -> None:
    with sqlite3.connect(path) as db:
        db.executescript(f"DROP TRIGGER entry_kept; DROP TRIGGER entry_stays; {sql}")
    db.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), 'research', 'resale') AS BLOB) WHERE seq = 1",
        "DELETE FROM entry WHERE seq = 1",
        "UPDATE entry SET seq = 9 WHERE seq = 1",
        "UPDATE entry SET hash = zeroblob(32) WHERE seq = 2",
        "DELETE FROM entry; DROP TABLE entry",
    ],
)
def test_tampering_with_the_ledger_is_found(ledger: Ledger, tmp_path: Path, sql: str) -> None:
    out = ledger.publish(plants.target(), CASE, tmp_path / "first")
    ledger.review(out.id, by="b", outcome="kept", next_on="")
    _edit(ledger.path, sql)
    with pytest.raises(Problem, match="release-ledger-broken"):
        ledger.verify()


def test_a_cut_end_is_found_by_the_head_that_was_given_out(ledger: Ledger, tmp_path: Path) -> None:
    out = ledger.publish(plants.target(), CASE, tmp_path / "first")
    last = ledger.withdraw(out.id, by="b", reason="cut me off")
    _edit(ledger.path, "DELETE FROM entry WHERE seq = 2")
    ledger.verify(out.head)
    with pytest.raises(Problem, match="release-ledger-broken"):
        ledger.verify(last.hash)


def test_nobody_gets_past_a_ledger_by_editing_it(ledger: Ledger) -> None:
    with sqlite3.connect(ledger.path) as db:
        db.execute("INSERT INTO entry VALUES (1, x'00', x'00')")
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            db.execute("UPDATE entry SET body = x'01'")
    db.close()


def test_a_changed_or_lost_release_stops_the_next(ledger: Ledger, tmp_path: Path) -> None:
    ledger.publish(plants.target(), CASE, tmp_path / "first")
    table = tmp_path / "first" / dossier.TABLE
    whole = table.read_bytes()
    table.write_bytes(whole[:-1] + b"x")
    with pytest.raises(Problem, match="dossier-missing"):
        ledger.verify()
    table.unlink()
    with pytest.raises(Problem, match="dossier-missing"):
        ledger.publish(plants.target(), CASE, tmp_path / "second")


def test_a_release_is_kept_beside_its_ledger(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="release-elsewhere"):
        ledger.publish(plants.target(), CASE, tmp_path.parent / "elsewhere")


def test_a_lost_ledger_is_not_made_again_in_passing(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="release-ledger-broken"):
        Ledger(tmp_path / "none.db").publish(plants.target(), CASE, tmp_path / "first")
    assert not (tmp_path / "none.db").exists()
    other = tmp_path / "text.db"
    other.write_text("no database")
    with pytest.raises(Problem, match="release-ledger-broken"):
        Ledger(other).releases("household")


def test_two_publishers_at_once_are_told_to_start_again(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Ledger(ledger.path)
    real = Ledger.check
    calls: list[int] = []

    def check(self: Ledger, *given: object, **named: object) -> object:
        if not calls:
            calls.append(1)
            other.publish(plants.target(), CASE, tmp_path / "quick")
        return real(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Ledger, "check", check)
    with pytest.raises(Problem, match="ledger-moved"):
        ledger.publish(plants.target(release=plants.released(plants.town(), seed=4)), CASE, tmp_path / "slow")
    assert len(ledger.releases("household")) == 1


def test_a_dossier_of_a_folder_of_files_is_digested_whole(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    import pyarrow.parquet as pq

    for part in range(2):
        pq.write_table(pa.table({"age": ["1"] * 3}), folder / f"part-{part}.parquet")
    target = dossier.save(plants.target(release=folder, quasi=("age",), labels={}, sensitive=()), tmp_path)
    before = dossier.digest(tmp_path)
    pq.write_table(pa.table({"age": ["2"] * 3}), folder / "part-1.parquet")
    assert dossier.digest(tmp_path) != before
    assert target.release == folder
