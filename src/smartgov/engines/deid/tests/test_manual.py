"""What the manual for data stewards shows is what happens."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smartgov.engines.deid import cli

MANUAL = Path(__file__).parents[5] / "docs" / "manuals" / "steward" / "README.md"


def test_the_policy_of_the_manual_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"```yaml policy\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    (tmp_path / "policy.yaml").write_text(found.group(1), encoding="utf-8")
    draw = random.Random(4)
    towns = ["基隆市", "臺北市", "臺中市", "彰化縣", "臺南市", "高雄市"]
    rows = range(600)
    visits = {
        "national_id": [f"A{row:09d}" for row in rows],
        "age": [draw.randint(0, 109) for _ in rows],
        "county": [draw.choice(towns) for _ in rows],
        "sex": [draw.choice(["female", "male"]) for _ in rows],
        "illness": [draw.choice(["asthma", "flu", "none"]) for _ in rows],
        "visits": [draw.randint(1, 9) for _ in rows],
    }
    pq.write_table(pa.table(visits), tmp_path / "visits.parquet")
    out = str(tmp_path / "release-1")
    assert cli.main(["run", str(tmp_path / "policy.yaml"), str(tmp_path / "visits.parquet"), "--out", out]) == 0
    assert cli.main(["check", out]) == 0
    assert capsys.readouterr().out.count("holds") == 2
