"""The margins of a small country are near their targets, and the report says so in both forms."""

from __future__ import annotations

import json
from datetime import date

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")

from smartgov.engines.population import country, margins, report

ON = date(2026, 11, 22)


def test_every_target_has_source_year_and_tolerance():
    for name, target in margins.TARGETS.items():
        assert set(target["source"]) == {"zh", "en"}, name
        assert target["year"] > 2015
        assert target["verified"] in {True, False}
        assert 0 < target["tolerance"] <= 0.4


@pytest.mark.process
def test_twenty_villages_are_within_every_tolerance(tmp_path):
    country.write_country(tmp_path, villages=20, seed="another seed", on=ON)
    lines = report.write(tmp_path, ON.isoformat())
    assert {line.margin for line in lines} == set(margins.TARGETS)
    # Rare cells wander by chance: one in twenty-five may lie a little outside.
    outside = [line for line in lines if not line.within]
    assert len(outside) <= len(lines) // 25, outside
    assert all(abs(line.deviation) < 2 * margins.TARGETS[line.margin]["tolerance"] for line in outside)
    said = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert len(said["lines"]) == len(lines)
    assert "not verified" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_wrong_margin_would_be_seen():
    assert not report._line("female", "all", 0.508, 0.53).within
    assert report._line("female", "all", 0.508, 0.51).within
