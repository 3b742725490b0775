"""From a policy to a published release through the core: run, attack, refuse, mend, publish, and the next release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smartgov.engines.deid import attacks, cli
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
