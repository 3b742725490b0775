"""Releases whose values were transformed before they were generalised: the attackers do the same, and miss nobody."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from smartgov.engines.deid import attacks, cli, keyring, reading
from smartgov.engines.deid.attacks import Changes, Finding, Target, Thresholds, linkage, picture
from smartgov.engines.deid.attacks.from_policy import target_of
from smartgov.engines.deid.keyring import Key, KeyRing
from smartgov.engines.deid.policy import Policy
from smartgov.engines.deid.release import anonymise
from smartgov.engines.deid.tests.test_gate import ABOUT
from smartgov.engines.deid.transforms import Transform, apply
from smartgov.shared.problems import Problem

RING = KeyRing("study", (Key("keyaaa", "2026-11-01", "active", bytes(range(32))),))
LATER = KeyRing("other", (Key("keybbb", "2026-11-01", "active", bytes(range(1, 33))),))
COLUMNS = ("born", "wage", "code", "name")
KINDS: dict[str, list[dict[str, Any]]] = {
    "born": [
        {"kind": "truncate", "to": "month"},
        {"kind": "truncate", "to": "year"},
        {"kind": "date-shift", "subject": "id", "days": 30},
    ],
    "wage": [{"kind": "limit", "top": 60}, {"kind": "limit", "bottom": 40}, {"kind": "round", "to": 25}],
    "code": [{"kind": "mask", "first": 1}, {"kind": "mask", "last": 1, "sign": "x", "width": 2}],
    "name": [{"kind": "pseudonym", "domain": "name"}, {"kind": "mask", "first": 1, "last": 1}],
}


def people(rows: list[tuple[int, int, str, str]]) -> pa.Table:
    """Ids and, for each row: days since 1960, a wage, a code, a name."""
    return pa.table(
        {
            "id": [f"p{number}" for number in range(len(rows))],
            "born": [date(1960, 1, 1) + timedelta(days=days) for days, *_ in rows],
            "wage": [float(wage) for _, wage, *_ in rows],
            "code": [code for *_, code, _ in rows],
            "name": [name for *_, name in rows],
        }
    )


@st.composite
def tables(draw: st.DrawFn) -> tuple[pa.Table, dict[str, Transform]]:
    """A few people, and a transform for some of their quasi-identifiers."""
    row = st.tuples(
        st.sampled_from([0, 3, 40, 500]),
        st.sampled_from([20, 30, 50, 70, 90]),
        st.sampled_from(["abc", "abd", "xbc"]),
        st.sampled_from(["林小明", "林大明", "陳小明"]),
    )
    table = people(draw(st.lists(row, min_size=1, max_size=25)))
    chosen = draw(st.lists(st.sampled_from(COLUMNS), unique=True, min_size=1))
    return table, {name: Transform.parse(name, draw(st.sampled_from(KINDS[name]))) for name in chosen}


def linked(target: Target, outside: pa.Table | Path | None = None, keys: tuple[KeyRing, ...] = (RING,)) -> Finding:
    """The finding about the outside file, or about the source."""
    findings = attacks.run_all(target, outside=outside, keys=keys)
    return [one for one in findings if one.attack == "linkage"][-1]


@settings(deadline=None, max_examples=40)
@given(tables(), st.integers(1, 4))
def test_a_leak_is_found_through_any_transform(given_: tuple[pa.Table, dict[str, Transform]], k: int) -> None:
    """Nothing is generalised: whoever shares the transformed values with fewer than k is found, and nobody else."""
    table, plan = given_
    release = apply(table, plan, RING).select(COLUMNS)
    expected = Counter(zip(*(release[name].to_pylist() for name in COLUMNS), strict=True))
    target = Target(
        release.take(list(range(release.num_rows))[::-1]), table, COLUMNS, identifying=("id",),
        thresholds=Thresholds(k=k), changes=Changes(plan, "study", "keyaaa"),
    )  # fmt: skip
    with picture.seen(table, target, (RING,)) as source:
        found = linkage.run(Target(target.release, source.file, COLUMNS, thresholds=target.thresholds), notes=source)[0]
    few = sum(many for many in expected.values() if many < k)
    assert found.evidence["people_below_k"] == few
    assert found.evidence["people_matched"] == table.num_rows
    assert found.passed is (few == 0)
    with picture.seen(table.drop_columns(["id"]), target, (RING,), outside=True) as outside:
        shifted = tuple(name for name, one in plan.items() if one.kind == "date-shift")
        assert outside.unfollowed == shifted
        left = [name for name in COLUMNS if name not in shifted]
        less = linkage.run(target, outside.file, outside)[0]
    here = Counter(zip(*(release[name].to_pylist() for name in left), strict=True))
    assert less.evidence["people_below_k"] == sum(many for many in here.values() if many < k)


def policy(**changes: Any) -> Policy:
    """Every public transform and a shift on quasi-identifiers, a pseudonym beside them."""
    months = [f"{year}-{month:02d}-01" for year in range(1959, 1963) for month in range(1, 13)]
    days = [(date(1959, 1, 1) + timedelta(days=n)).isoformat() for n in range(1400)]
    spec = {
        "source": "wages",
        "project": "study",
        "attributes": {
            "id": {"kind": "insensitive", "transform": {"kind": "pseudonym", "domain": "person"}},
            "born": {
                "kind": "quasi",
                "transform": {"kind": "truncate", "to": "month"},
                "hierarchy": {"rows": [[month, month[:4], "*"] for month in months]},
            },
            "seen": {
                "kind": "quasi",
                "transform": {"kind": "date-shift", "subject": "id", "days": 30},
                "hierarchy": {"rows": [[day, day[:7], day[:4], "*"] for day in days]},
            },
            "wage": {
                "kind": "quasi",
                "transform": {"kind": "limit", "top": 60, "at_least": 2},
                "hierarchy": {"intervals": {"from": 20, "to": 60, "widths": [10]}},
            },
            "code": {
                "kind": "quasi",
                "transform": {"kind": "mask", "first": 1},
                "hierarchy": {"values": ["a**", "x**"]},
            },
            "name": {"kind": "insensitive", "transform": {"kind": "mask", "first": 1}},
        },
        "models": [{"model": "k-anonymity", "k": 3}],
        "suppression_limit": 0.5,
    }
    return Policy.parse({**spec, **changes})


def staff(many: int = 400) -> pa.Table:
    rows = [
        (n * 7 % 900, 20 + n * 11 % 80, ("abc", "abd", "xbc")[n % 3], "林陳王"[n % 3] + "小明") for n in range(many)
    ]
    table = people(rows)
    days = [date(1960, 1, 1) + timedelta(days=n * 13 % 700) for n in range(many)]
    return table.add_column(2, "seen", pa.array(days))


@pytest.mark.parametrize("method", ["optimal", "mondrian"])
def test_what_keeps_its_models_withstands_the_attacks(method: str) -> None:
    chosen, table = policy(search={"method": method}), staff()
    made = anonymise(table, chosen, keys=RING)
    assert made.smallest >= 3
    target = target_of(chosen, made.table, table, made.node, key=made.key)
    findings = attacks.run_all(target, pseudonyms=("id",), keys=(RING,))
    assert [one.sentence.en for one in findings if not one.passed] == []
    found = linked(target)
    assert found.evidence["people_matched"] >= made.rows
    assert found.evidence["key_taken_as_known"] == ["seen"]
    assert "taken to know" in found.sentence.en


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 900), st.integers(20, 99), st.sampled_from(["abc", "xbc"])), min_size=12))
def test_a_release_that_keeps_k_is_never_refused_for_its_transforms(rows: list[tuple[int, int, str]]) -> None:
    table = people([(days, wage, code, "林小明") for days, wage, code in rows])
    table = table.add_column(2, "seen", table["born"])
    limit = {"kind": "limit", "top": 60}
    spec = dict(policy(suppression_limit=1.0).as_dict())
    spec["attributes"] = {**spec["attributes"], "wage": {**spec["attributes"]["wage"], "transform": limit}}
    chosen = Policy.parse(spec)
    made = anonymise(table, chosen, keys=RING)
    target = target_of(chosen, made.table, table, made.node, key=made.key)
    with picture.seen(table, target, (RING,)) as source:
        found = linkage.run(replace(target, source=source.file), notes=source)[0]
    assert found.passed, found.sentence.en
    assert found.evidence["people_matched"] >= made.rows


def test_rows_come_out_the_same_however_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, table = policy(), staff()
    whole = anonymise(table, chosen, keys=RING)
    monkeypatch.setattr(reading, "BATCH", 7)
    parts = anonymise(table, chosen, keys=RING)
    assert (whole.node, whole.score) == (parts.node, parts.score)
    assert Counter(map(str, whole.table.to_pylist())) == Counter(map(str, parts.table.to_pylist()))


def test_a_tail_over_several_batches_is_counted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", 5)
    spec = dict(policy().as_dict())
    spec["attributes"] = dict(spec["attributes"])
    many = sum(wage >= 60 for wage in staff()["wage"].to_pylist())
    for least, works in ((many, True), (many + 1, False)):
        limit = {"kind": "limit", "top": 60, "at_least": least}
        spec["attributes"]["wage"] = {**spec["attributes"]["wage"], "transform": limit}
        if works:
            anonymise(staff(), Policy.parse(spec), keys=RING)
        else:
            with pytest.raises(Problem, match="transform-refused"):
                anonymise(staff(), Policy.parse(spec), keys=RING)


def test_an_outside_file_of_texts_is_read_as_the_source_is(tmp_path: Path) -> None:
    chosen, table = policy(), staff()
    made = anonymise(table, chosen, keys=RING)
    target = target_of(chosen, made.table, table, made.node, key=made.key)
    file = tmp_path / "members.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["member", "born", "wage", "code", "name"])
        for row in table.to_pylist()[:50]:
            writer.writerow([row["id"], row["born"], row["wage"], row["code"], row["name"]])
        writer.writerow(["none", "sometime", "much", "", ""])
    found = linked(target, file)
    assert found.evidence["columns"] == ["born", "wage", "code", "name"]
    assert found.evidence["behind_a_key"] == []
    assert found.evidence["values_unusable"] == {"born": 1, "wage": 1, "code": 1, "name": 1}
    assert 0 < found.evidence["people_matched"] <= 50


def test_a_release_that_the_source_cannot_explain_is_a_finding() -> None:
    """With another key, policy or table people would be missed in silence, and the release would pass."""
    chosen, table = policy(), staff()
    made = anonymise(table, chosen, keys=RING)
    target = target_of(chosen, made.table, table, made.node, key=made.key)
    assert linked(target).evidence["rows_unexplained"] == 0
    other = linked(target_of(chosen, made.table, table.slice(100), made.node, key=made.key))
    assert not other.passed
    assert other.evidence["rows_unexplained"] > 0
    assert "another table" in other.sentence.en


def test_without_the_keys_there_is_no_attack_and_no_pass() -> None:
    chosen, table = policy(), staff()
    made = anonymise(table, chosen, keys=RING)
    target = target_of(chosen, made.table, table, made.node, key=made.key)
    for keys in ((), (LATER,)):
        with pytest.raises(Problem, match="deid-attack-needs-keys"):
            attacks.run_all(target, keys=keys)


def test_keys_changed_since_still_attack_what_the_old_one_made(tmp_path: Path) -> None:
    ring = keyring.create(tmp_path / "keys" / "study.keys", "study")
    chosen, table = policy(), staff()
    made = anonymise(table, chosen, keys=ring)
    rotated = keyring.rotate(tmp_path / "keys" / "study.keys")
    assert rotated.active.id != made.key
    target = target_of(chosen, made.table, table, made.node, key=made.key)
    assert linked(target, keys=(rotated,)).passed
    keyring.destroy(tmp_path / "keys" / "study.keys", made.key)
    gone = keyring.load(tmp_path / "keys" / "study.keys")
    with pytest.raises(Problem, match="deid-attack-needs-keys"):
        attacks.run_all(target, keys=(gone,))
    later = anonymise(table, chosen, keys=gone)
    second = target_of(chosen, later.table, table, later.node, key=later.key)
    findings = attacks.run_all(second, earlier=[target], pseudonyms=("id",), keys=(gone,))
    joined = [one for one in findings if one.attack == "composition"]
    assert joined[0].evidence["key_destroyed"] == ["seen"]


def test_releases_that_transform_differently_are_still_joined_and_subtracted() -> None:
    def release(top: int, rows: pa.Table, name: str) -> Target:
        plan = {"wage": Transform.parse("wage", {"kind": "limit", "top": top})}
        table = pa.table({"wage": [str(int(value)) for value in apply(rows, plan)["wage"].to_pylist()]})
        return Target(table, rows, ("wage",), thresholds=Thresholds(k=3), name=name, changes=Changes(plan))

    wages = [20.0] * 10 + [50.0] * 10 + [80.0] * 2 + [90.0] * 10
    rows = pa.table({"wage": wages})
    first, second = release(60, rows, "first"), release(85, rows, "second")
    assert attacks.composition.run(second, [first])[0].evidence["k_on_the_join"] == 2
    fewer = release(85, rows.slice(1), "fewer")
    gap = attacks.differencing.run(fewer, [first])[0]
    assert (gap.passed, gap.measured) == (False, 1)
    assert attacks.differencing.run(release(85, rows, "again"), [first])[0].passed


def test_a_policy_with_transforms_is_run_attacked_and_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pq.write_table(staff(), "staff.parquet")
    Path("policy.yaml").write_text(yaml.safe_dump(policy().as_dict(), allow_unicode=True), "utf-8")
    Path("about.yaml").write_text(ABOUT, "utf-8")
    assert cli.main(["keys", "create", "secret/study.keys", "--project", "study"]) == 0
    keys = ["--keys", "secret/study.keys"]
    assert cli.main(["run", "policy.yaml", "staff.parquet", "--out", "first", *keys]) == 0
    source = ["--source", "staff.parquet", "--pseudonyms", "id"]
    with pytest.raises(Problem, match="deid-attack-needs-keys"):
        cli.main(["attack", "first", *source])
    assert cli.main(["attack", "first", *source, *keys]) == 0
    assert cli.main(["ledger", "releases.db", "--create"]) == 0
    on = ["--ledger", "releases.db", "--about", "about.yaml", *keys]
    assert cli.main(["publish", "first", *source, *on]) == 0
    assert cli.main(["ledger", "releases.db"]) == 0
    assert "worst case" in Path("first/evidence/evidence.en.html").read_text("utf-8")
    assert Path("first/evidence/evidence.zh.pdf").stat().st_size > 10_000
    # A later release of fewer people is subtracted from the first, transforms and all.
    pq.write_table(staff().slice(2), "later.parquet")
    assert cli.main(["run", "policy.yaml", "later.parquet", "--out", "second", *keys]) == 0
    capsys.readouterr()
    with pytest.raises(Problem, match="release-refused") as refused:
        cli.main(["publish", "second", "--source", "later.parquet", "--pseudonyms", "id", *on])
    assert "differencing" in refused.value.extra["attacks"]
