"""The command line between a finished release and the public."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smartgov.engines.deid import dossier, gate
from smartgov.engines.deid.tests import plants
from smartgov.shared.problems import Problem

ABOUT = """
title: {en: Visits, zh: 就醫紀錄}
purpose: {en: research, zh: 研究}
prepared_by: {en: steward, zh: 管理師}
approved_by: {en: officer, zh: 保護長}
review_on: "2027-05-28"
"""


def smartgov_deid(*words: object) -> int:
    parser = argparse.ArgumentParser()
    gate.add_verbs(parser.add_subparsers(required=True))
    options = parser.parse_args([str(word) for word in words])
    return int(options.run(options))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pq.write_table(plants.town(), tmp_path / "source.parquet")
    (tmp_path / "about.yaml").write_text(ABOUT, encoding="utf-8")
    dossier.save(plants.target(name="visits"), tmp_path / "good")
    dossier.save(plants.target(release=plants.released(plants.town(), shuffle=False), name="visits"), tmp_path / "bad")
    return tmp_path


def test_attack_answers_with_its_exit_status(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert smartgov_deid("attack", folder / "good", "--source", folder / "source.parquet") == 0
    assert capsys.readouterr().out.count("ok\t") == 7
    assert smartgov_deid("attack", folder / "bad", "--source", folder / "source.parquet", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert [one["attack"] for one in told if not one["passed"]] == ["row order"]


def test_publish_enters_the_release_and_writes_the_pack(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = folder / "releases.db"
    smartgov_deid("ledger", ledger, "--create")
    common = ("--source", folder / "source.parquet", "--ledger", ledger, "--about", folder / "about.yaml")
    with pytest.raises(Problem, match="release-refused"):
        smartgov_deid("publish", folder / "bad", *common)
    assert smartgov_deid("publish", folder / "good", *common) == 0
    head = next(
        line.split("\t")[1] for line in capsys.readouterr().out.splitlines() if line.startswith("head") and line
    )
    assert (folder / "good" / "evidence" / "evidence.zh.pdf").is_file()
    assert smartgov_deid("ledger", ledger) == 0
    out = capsys.readouterr().out
    assert "refused" in out
    assert "\trelease\tvisits" in out
    last = out.splitlines()[-1].split("\t")[1]
    assert smartgov_deid("ledger", ledger, "--head", last) == 0
    with pytest.raises(Problem, match="release-ledger-broken"):
        smartgov_deid("ledger", ledger, "--head", "00" * 32)
    assert json.loads((folder / "good" / "evidence" / "evidence.json").read_text())["ledger_head"] == last
    assert head != last


def test_report_risk_and_quasi_speak(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ("--source", folder / "source.parquet", "--about", folder / "about.yaml")
    assert smartgov_deid("report", folder / "bad", *common, "--out", folder / "pack") == 1
    assert len(list((folder / "pack").iterdir())) == 5
    assert smartgov_deid("risk", folder / "good", "--population", 40_000) == 0
    assert smartgov_deid("quasi", folder / "source.parquet", "--columns", "age,sex,town", "--most", 2) == 0
    out = capsys.readouterr().out
    assert "marketer\t0.005" in out
    assert "set\tage, town" in out


def test_a_source_that_is_no_table_is_a_problem(folder: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), folder / "other.parquet")
    with pytest.raises(Problem, match="table-unreadable"):
        smartgov_deid("quasi", folder / "about.yaml")
