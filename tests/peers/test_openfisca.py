"""openfisca-core decides our cases: a program of its own in SMARTGOV_PEERS/openfisca (AGPL), never imported."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from smartgov.shared import content, settings

ORACLE = Path(__file__).parent / "openfisca_oracle.py"
PERIODS = ORACLE.with_name("openfisca_periods.py")


def ask(folder: Path, oracle: Path = ORACLE) -> dict[str, Any]:
    python = Path(settings.get("SMARTGOV_PEERS")) / "openfisca" / "bin" / "python"
    if not settings.get("SMARTGOV_PEERS") or not python.is_file():
        pytest.skip("NOT RUN: SMARTGOV_PEERS has no openfisca/bin/python")
    done = subprocess.run([python, oracle, folder], capture_output=True, text=True, check=True, timeout=300)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_openfisca_decides_our_cases_as_we_do() -> None:
    answer = ask(content.ROOT)
    assert answer["wrong"] == []
    # What it skips are cases with a fact left out: it has no unknown.
    assert answer["ran"] > 250
    assert answer["skipped"] < answer["ran"] / 4


def test_it_would_tell_a_wrong_parameter(tmp_path: Path) -> None:
    shutil.copytree(content.ROOT / "rules", tmp_path / "rules")
    shutil.copytree(content.ROOT / "parameters", tmp_path / "parameters")
    file = tmp_path / "parameters" / "parental_leave_percent.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("value: 60", "value: 61"), encoding="utf-8")
    assert {case[0] for case in ask(tmp_path)["wrong"]} == {"parental_leave_allowance"}


def test_openfisca_works_out_our_formulas_by_period_as_we_do() -> None:
    answer = ask(content.ROOT, PERIODS)
    assert answer["wrong"] == []
    assert answer["ran"] > 20


def test_it_would_tell_a_formula_that_takes_the_wrong_months(tmp_path: Path) -> None:
    for name in ("formulas", "parameters"):
        shutil.copytree(content.ROOT / name, tmp_path / name)
    shutil.copyfile(content.ROOT / "inputs.yaml", tmp_path / "inputs.yaml")
    file = tmp_path / "formulas" / "average_insured_salary.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("over: 6 months", "over: 7 months"), encoding="utf-8")
    assert {case[0] for case in ask(tmp_path, PERIODS)["wrong"]} == {"average_insured_salary"}
