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


def ask(folder: Path) -> dict[str, Any]:
    python = Path(settings.get("SMARTGOV_PEERS")) / "openfisca" / "bin" / "python"
    if not settings.get("SMARTGOV_PEERS") or not python.is_file():
        pytest.skip("NOT RUN: SMARTGOV_PEERS has no openfisca/bin/python")
    done = subprocess.run([python, ORACLE, folder], capture_output=True, text=True, check=True, timeout=300)
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
