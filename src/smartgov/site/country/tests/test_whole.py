"""The verb that writes a whole country: it goes on, stops, and says what is wrong."""

from __future__ import annotations

import sys
from datetime import date

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")

from smartgov import cli
from smartgov.engines.population import country
from smartgov.shared.problems import Problem
from smartgov.site.country import whole

ON = date(2026, 11, 22)


@pytest.mark.process
def test_the_command_writes_goes_on_and_says_what_is_wrong(tmp_path, capsys):
    folder = tmp_path / "country"
    words = ["population", "--villages", "1", "--out", str(folder), "--jobs", "1"]
    assert cli.main([*words, "--on", "2026-11-22"]) == 0
    said = capsys.readouterr()
    assert "10,000 people" in said.out
    assert "people/s" in said.err
    written = {path: path.stat().st_mtime_ns for path in folder.rglob("part-*.parquet")}
    assert cli.main(words) == 0  # the day is that of the folder; nothing is written again
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("part-*.parquet")} == written
    assert cli.main([*words, "--seed", "x"]) == 1
    assert "another country" in capsys.readouterr().err
    assert cli.main(["population", "--villages", "1"]) == 1
    assert "belong together" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(country, "write_country", interrupted)
    assert whole.write(tmp_path / "c", 2, "a seed", ON, 2) == 130
    assert f"--villages 2 --out {tmp_path / 'c'} --seed 'a seed' --on 2026-11-22" in capsys.readouterr().err


def test_without_the_libraries_the_command_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for name in ("country", "report", "parquet"):
        monkeypatch.delitem(sys.modules, f"smartgov.engines.population.{name}", raising=False)
        monkeypatch.delattr(f"smartgov.engines.population.{name}", raising=False)
    with pytest.raises(Problem) as refused:
        whole.write(tmp_path, 1, "s", ON, 1)
    assert refused.value.slug == "libraries-missing"
    assert "requirements/analysis.txt" in refused.value.todo.en
