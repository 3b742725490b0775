"""The commands for values, tables and noise, and what they refuse."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smartgov.engines import deid
from smartgov.engines.deid import cli, keyring
from smartgov.engines.deid.tests.test_release import policy_of, table_of
from smartgov.shared.problems import Problem


@pytest.fixture
def people(tmp_path: Path) -> Path:
    towns = ["甲"] * 2 + ["乙"] * 60 + ["丙"] * 70 + ["丁"] * 48
    table = pa.table(
        {
            "person": [f"p{n}" for n in range(180)],
            "town": towns,
            "age": [("young", "old")[n % 2] for n in range(180)],
            "wage": [30_000 + n for n in range(180)],
        }
    )
    pq.write_table(table, tmp_path / "people.parquet")
    return tmp_path / "people.parquet"


def run(*words: object) -> int:
    return cli.main([str(word) for word in words])


def test_keys_and_pseudonyms(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = tmp_path / "secret" / "births.keys"
    run("keys", "create", keys, "--project", "births")
    out = tmp_path / "out" / "people.parquet"
    out.parent.mkdir()
    assert run("pseudonymise", people, "--keys", keys, "--column", "person=person", "--out", out) == 0
    made = pq.read_table(out)
    assert made["person"][0].as_py().startswith(keyring.load(keys).active.id)
    assert made.drop_columns(["person"]).equals(pq.read_table(people).drop_columns(["person"]))
    assert keyring.found_in(keyring.load(keys), out.parent) == []
    with pytest.raises(Problem, match="deid-command-invalid"):
        run("pseudonymise", people, "--keys", keys, "--column", "person=person", "--out", out)
    with pytest.raises(Problem, match="keys-in-release"):
        run("pseudonymise", people, "--keys", keys, "--column", "person=x", "--out", tmp_path / "all.parquet")
    run("keys", "rotate", keys)
    run("keys", "destroy", keys, "--key", keyring.load(keys).keys[0].id)
    capsys.readouterr()
    run("keys", "list", keys)
    assert [line.split("\t")[2] for line in capsys.readouterr().out.splitlines()] == ["destroyed", "active"]


def test_cells_are_suppressed_and_pass_an_audit(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, evidence = tmp_path / "table.csv", tmp_path / "evidence.json"
    words = ["--by", "town,age", "--threshold", "3", "--out", table, "--evidence", evidence]
    assert run("cells", "suppress", people, *words) == 0
    assert json.loads(evidence.read_text())["primary"] == 3
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    assert len(rows) == 15
    assert sum(row["people"] == "" for row in rows) >= 4
    assert run("cells", "audit", table, "--by", "town,age", "--value", "people", "--floor", 1) == 0
    hole = [row if row["town"] != "乙" or row["age"] != "old" else {**row, "people": "30"} for row in rows]
    hole = [{**row, "people": row["people"] or "x"} for row in hole]
    capsys.readouterr()
    with (tmp_path / "hole.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["town", "age", "people", "suppressed"])
        writer.writeheader()
        writer.writerows(hole)
    run("cells", "audit", tmp_path / "hole.csv", "--by", "town,age", "--value", "people")
    assert "findings" in capsys.readouterr().out


def test_an_audit_with_findings_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("town,people\n甲,x\n乙,7\n合計,9\n", encoding="utf-8")
    assert run("cells", "audit", tmp_path / "t.csv", "--by", "town", "--value", "people") == 1
    assert "只可能是 2" in capsys.readouterr().out


def test_noise_and_the_budget(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger, plan, out = tmp_path / "budget.sqlite3", tmp_path / "plan.yaml", tmp_path / "answers"
    run("budget", "create", ledger)
    run("budget", "grant", ledger, "--source", "people", "--epsilon", "2", "--by", "steward", "--reason", "report")
    plan.write_text(
        "source: people\nunit: person\nqueries:\n"
        "  - {name: towns, kind: count, epsilon: '1.5', by: {town: [甲, 乙, 丙, 丁]}}\n",
        encoding="utf-8",
    )
    assert run("dp", plan, people, "--ledger", ledger, "--out", out) == 0
    told = json.loads((out / "answers.json").read_text())["answers"][0]
    assert [row["town"] for row in csv.DictReader((out / "towns.csv").read_text("utf-8").splitlines())] == list(
        "甲乙丙丁"
    )
    with pytest.raises(Problem, match="deid-command-invalid"):
        run("dp", plan, people, "--ledger", ledger, "--out", out)
    with pytest.raises(Problem, match="budget-exhausted"):
        run("dp", plan, people, "--ledger", ledger, "--out", tmp_path / "more")
    capsys.readouterr()
    run("budget", "show", ledger)
    assert capsys.readouterr().out.splitlines()[1].split("\t") == ["people", "2", "1.5", "0.5", "0"]
    assert run("budget", "verify", ledger, told["head"]) == 0
    with pytest.raises(Problem, match="ledger-broken"):
        run("budget", "verify", ledger, "ab" * 32)


def test_a_plan_that_does_not_say_what_a_person_is_spends_nothing(people: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("source: people\nqueries: []\n", encoding="utf-8")
    with pytest.raises(Problem, match="deid-command-invalid"):
        run("dp", tmp_path / "plan.yaml", people, "--ledger", tmp_path / "none", "--out", tmp_path / "out")


def test_transforms_of_a_policy_are_applied_before_anything_else(tmp_path: Path) -> None:
    ring = keyring.create(tmp_path / "keys", "research-1")
    table = table_of()
    table = table.append_column("seen", pa.array([date(2026, 1, 1)] * table.num_rows))
    policy = policy_of()
    policy["attributes"]["cost"]["transform"] = {"kind": "round", "to": 1000}
    policy["attributes"]["seen"] = {
        "kind": "insensitive",
        "transform": {"kind": "date-shift", "subject": "national_id", "days": 30},
    }
    made = deid.anonymise(table, deid.Policy.parse(policy), keys=ring)
    assert isinstance(made.table, pa.Table)
    assert all(cost % 1000 == 0 for cost in made.table["cost"].to_pylist())
    assert date(2026, 1, 1) not in made.table["seen"].to_pylist()
    assert "national_id" not in made.table.column_names
    assert made.policy.as_dict()["attributes"]["cost"]["transform"]["kind"] == "round"
    with pytest.raises(Problem, match="transform-invalid"):
        deid.anonymise(table, deid.Policy.parse(policy))
    with pytest.raises(Problem, match="keys-unusable"):
        deid.anonymise(table, deid.Policy.parse(policy), keys=keyring.create(tmp_path / "other", "research-2"))
    policy["attributes"]["cost"]["transform"] = {"kind": "blur"}
    with pytest.raises(Problem, match="transform-invalid"):
        deid.Policy.parse(policy)


@pytest.mark.process
@pytest.mark.parametrize("library", ["scipy", "opendp", "pyarrow", "duckdb"])
def test_without_the_analysis_libraries_it_says_which_file_to_install(library: str) -> None:
    module = {"scipy": "cells", "opendp": "dp", "pyarrow": "pseudonyms", "duckdb": "cells"}[library]
    script = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "import smartgov.cli\n"
        "from smartgov.shared.problems import Problem\n"
        "try:\n"
        f"    import smartgov.engines.deid.{module}\n"
        "except Problem as problem:\n"
        "    print(problem.slug, problem.extra['library'], 'requirements/analysis.txt' in problem.todo.zh)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["analysis-missing", library, "True"]
