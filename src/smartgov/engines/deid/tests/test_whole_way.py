"""From a policy to a published release through the core: run, attack, refuse, mend, publish, and the next release."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smartgov.engines.deid import attacks, cli, dossier
from smartgov.engines.deid.attacks.from_policy import target_of, thresholds_of
from smartgov.engines.deid.policy import Policy
from smartgov.engines.deid.release import anonymise
from smartgov.engines.deid.tests import plants
from smartgov.engines.deid.tests.test_gate import ABOUT
from smartgov.shared.problems import Problem


def policy(*models: dict[str, Any], **changes: Any) -> Policy:
    ages = {"intervals": {"from": 20, "to": 69, "widths": [10, 50]}}
    towns = {"rows": [[town, county, "*"] for town, county in plants.TOWNS.items()]}
    kinds = {"id": "identifying", "name": "identifying", "born": "identifying", "ailment": "sensitive"}
    return Policy.parse(
        {
            "source": "household",
            "project": "study",
            "attributes": {
                "age": {"kind": "quasi", "hierarchy": ages},
                "sex": {"kind": "quasi", "hierarchy": {"values": ["f", "m"]}},
                "town": {"kind": "quasi", "hierarchy": towns},
                "remark": {"kind": "insensitive"},
                **{name: {"kind": kind} for name, kind in kinds.items()},
            },
            "models": list(models),
            **changes,
        }
    )


K = {"model": "k-anonymity", "k": 20}
L = {"model": "distinct-l-diversity", "attribute": "ailment", "l": 3}
T = {"model": "t-closeness", "attribute": "ailment", "t": 0.25}


def test_thresholds_come_from_the_models() -> None:
    found = thresholds_of(policy(K, L, T).models)
    assert (found.k, found.l, found.t) == (20, 3, 0.25)
    assert thresholds_of(()).k == 1


@pytest.mark.parametrize("method", ["optimal", "mondrian"])
def test_what_the_core_releases_withstands_the_attacks(method: str) -> None:
    source = plants.town(2000)
    chosen = policy(K, L, search={"method": method})
    made = anonymise(source, chosen)
    target = target_of(chosen, made.table, source, made.node)
    findings = attacks.run_all(target, outside=source.select(["name", "age", "sex", "town"]))
    assert [one.sentence.en for one in findings if not one.passed and one.attack != "skewness"] == []
    linked = [one for one in findings if one.attack == "linkage"]
    assert all(one.evidence["people_matched"] == made.rows for one in linked)


def test_minimality_has_the_level_below() -> None:
    chosen = policy(K, L)
    source = plants.town(2000)
    made = anonymise(source, chosen)
    target = target_of(chosen, made.table, source, made.node)
    assert set(target.finer) == {name for name, level in made.levels.items() if level}
    for name, table in target.finer.items():
        assert len(set(table["label"].to_pylist())) > len(set(target.labels[name]["label"].to_pylist()))


def test_two_levels_of_one_source_compose(tmp_path: Path) -> None:
    """Two releases that each keep k, but whose levels together split the classes: the second is refused."""
    source = plants.town(2000)
    pq.write_table(source, tmp_path / "source.parquet")
    (tmp_path / "about.yaml").write_text(ABOUT, encoding="utf-8")
    ledger = tmp_path / "releases.db"
    assert cli.main(["ledger", str(ledger), "--create"]) == 0
    fine_town = {"age": [2, 2], "sex": [1, 1], "town": [0, 0]}
    fine_age = {"age": [0, 0], "sex": [1, 1], "town": [2, 2]}
    for name, levels in (("by-town", fine_town), ("by-age", fine_age)):
        _with_levels(policy(K), levels, source).save(tmp_path / name)
    words = [
        "--source",
        str(tmp_path / "source.parquet"),
        "--ledger",
        str(ledger),
        "--about",
        str(tmp_path / "about.yaml"),
    ]
    assert cli.main(["publish", str(tmp_path / "by-town"), *words]) == 0
    assert (tmp_path / "by-town" / "evidence" / "evidence.en.pdf").is_file()
    with pytest.raises(Problem, match="release-refused") as caught:
        cli.main(["publish", str(tmp_path / "by-age"), *words])
    assert "composition" in caught.value.extra["attacks"]


def _with_levels(chosen: Policy, levels: dict[str, list[int]], source: pa.Table) -> Any:
    spec = dict(chosen.as_dict())
    spec["attributes"] = {
        name: {**words, "levels": levels[name]} if name in levels else words
        for name, words in spec["attributes"].items()
    }
    return anonymise(source, Policy.parse(spec))


def test_what_follows_from_the_other_models() -> None:
    """Values need rows, and entropy and recursive l need values; what follows from nothing is not claimed."""
    entropy = {"model": "entropy-l-diversity", "attribute": "ailment", "l": 2.5}
    recursive = {"model": "recursive-l-diversity", "attribute": "ailment", "c": 2, "l": 4}
    found = thresholds_of(policy(entropy).models)
    assert (found.k, found.l_of("ailment"), found.l_of("remark"), found.t) == (3, 3, 1, None)
    assert thresholds_of(policy(recursive, K).models).l_of("ailment") == 4
    ordered = {**T, "distance": "ordered"}
    delta = {"model": "delta-disclosure", "attribute": "ailment", "delta": 1.5}
    found = thresholds_of(policy(ordered, delta).models)
    assert (found.k, found.l_of("ailment"), found.t_of("ailment")) == (1, 1, None)


EVERY = (
    {"model": "entropy-l-diversity", "attribute": "ailment", "l": 2.5},
    {"model": "recursive-l-diversity", "attribute": "ailment", "c": 3, "l": 3},
    {"model": "t-closeness", "attribute": "ailment", "t": 0.3},
    {"model": "t-closeness", "attribute": "ailment", "t": 0.2, "distance": "ordered"},
    {"model": "t-closeness", "attribute": "ailment", "t": 0.4, "distance": "hierarchical"},
    {"model": "delta-disclosure", "attribute": "ailment", "delta": 2.0},
)


@pytest.mark.parametrize("model", EVERY)
def test_every_model_is_counted_anew_and_missed_where_it_is_broken(model: dict[str, Any], tmp_path: Path) -> None:
    source = plants.town(2000)
    spec = {**policy(K, suppression_limit=0.02).as_dict(), "models": [K, model]}
    tree = {"rows": [[one, "mild" if one in ("flu", "none") else "grave", "*"] for one in plants.AILMENTS]}
    spec["attributes"] = {**spec["attributes"], "ailment": {"kind": "sensitive", "hierarchy": tree}}
    chosen = Policy.parse(spec)
    made = anonymise(source, chosen)
    target = target_of(chosen, made.table, source, made.node)
    (found,) = [one for one in attacks.models.run(target) if one.attack == model["model"]]
    assert found.passed, found.sentence.en
    assert found.measured == pytest.approx(made.measured[1]["measured"])
    kept = dossier.load(_saved(target, tmp_path))
    assert (kept.models, kept.thresholds) == (target.models, target.thresholds)
    rows = made.table.to_pylist()
    bad = [{**row, "ailment": "gout"} if row["age"] == rows[0]["age"] else row for row in rows]
    worse = target_of(chosen, pa.Table.from_pylist(bad, schema=made.table.schema), source, made.node)
    (broken,) = [one for one in attacks.models.run(worse) if one.attack == model["model"]]
    assert not broken.passed


def _saved(target: Any, folder: Path) -> Path:
    dossier.save(target, folder / "kept")
    return folder / "kept"


@pytest.mark.parametrize(
    ("model", "worse"),
    [
        ({"model": "k-map", "k": 40}, {"model": "k-map", "k": 100_000}),
        (
            {"model": "d-presence", "lowest": 0.0, "highest": 0.7},
            {"model": "d-presence", "lowest": 0.0, "highest": 0.1},
        ),
    ],
)
def test_models_of_the_population_are_counted_in_it(
    model: dict[str, Any], worse: dict[str, Any], tmp_path: Path
) -> None:
    everybody = plants.town(4000)
    pq.write_table(everybody, tmp_path / "people.parquet")
    source = everybody.slice(0, 2000)
    chosen = policy(model, population=str(tmp_path / "people.parquet"))
    made = anonymise(source, chosen)
    target = target_of(chosen, made.table, source, made.node)
    (found,) = [one for one in attacks.run_all(target) if one.attack == model["model"]]
    assert found.passed, found.sentence.en
    assert found.measured == pytest.approx(made.measured[0]["measured"])
    stricter = replace(target, models=policy(worse, population=str(tmp_path / "people.parquet")).models)
    (broken,) = [one for one in attacks.run_all(stricter) if one.attack == model["model"]]
    assert not broken.passed
    assert attacks.models.run(target)[-1].ran is False
