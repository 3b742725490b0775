"""The steward's manual: its commands are run as they stand, in order, on a small synthetic table."""

from __future__ import annotations

import re
import shlex
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from smartgov.engines.deid import cli
from smartgov.engines.deid.encode import Coder
from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.transforms.declared import DECLARED
from smartgov.shared.problems import Problem

PAGE = Path(__file__).parents[5] / "docs" / "manuals" / "steward" / "values-tables-noise.md"


def test_the_commands_of_the_manual_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    towns = ["東村"] * 3 + ["西村"] * 97 + ["南村"] * 100
    columns = {
        "person": [f"p{n}" for n in range(200)],
        "name": ["王小明"] * 200,
        "town": towns,
        "age": [("young", "old")[n % 2] for n in range(200)],
        "birth": [date(1960, 1, 1) + timedelta(days=97 * n) for n in range(200)],
        "wage": [28_590 + 100 * n for n in range(200)],
    }
    pq.write_table(pa.table(columns), "people.parquet")
    Path("step1").mkdir()
    text = PAGE.read_text("utf-8")
    (plan,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    Path("plan.yaml").write_text(plan, "utf-8")
    commands = [line for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert len(commands) >= 12
    for command in commands:
        program, verb, *words = shlex.split(command)
        assert (program, verb) == ("smartgov", "deid")
        assert cli.main(words) == 0, command
    answered = {path.stem for path in Path("answers").glob("*.csv")}
    assert answered == set(re.findall(r"name: ([\w-]+)", plan))


def test_the_manual_lists_every_transform_and_its_words() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.*?) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    told = {kind: set(re.findall(r"`(\w+)`", words)) for kind, words in rows}
    for kind, words in DECLARED.items():
        if kind != "remove":
            assert told[kind] == set(words) - ({"domain"} if kind == "date-shift" else set())


HIERARCHIES = PAGE.with_name("hierarchies.md")


@pytest.fixture
def trees(tmp_path: Path) -> dict[str, Hierarchy]:
    """The page's examples, its file beside them."""
    text = HIERARCHIES.read_text("utf-8")
    (listed,) = re.findall(r"```yaml hierarchies\n(.*?)```", text, re.DOTALL)
    (file,) = re.findall(r"```csv\n(.*?)```", text, re.DOTALL)
    (tmp_path / "occupation.csv").write_text(file, "utf-8")
    return {name: Hierarchy.from_spec(name, spec, tmp_path) for name, spec in yaml.safe_load(listed).items()}


def test_the_hierarchies_of_the_manual_are_what_it_says(trees: dict[str, Hierarchy]) -> None:
    rows = re.findall(r"^\| `(\w+)` (\S+) \|(.*)\|$", HIERARCHIES.read_text("utf-8"), re.MULTILINE)
    assert {name for name, _, _ in rows} == set(trees)
    for name, value, levels in rows:
        told = [cell.strip() for cell in levels.split("|") if cell.strip()]
        assert next(row for row in trees[name].rows if row[0] == value) == (value, *told)


def test_what_the_manual_says_is_refused_is_refused() -> None:
    wrong = re.findall(r"^\| `(.*?)`(.*?)\| `(deid-[\w-]+)` \|", HIERARCHIES.read_text("utf-8"), re.MULTILINE)
    assert len(wrong) == 6
    for written, more, slug in wrong:
        spec = yaml.safe_load(written)
        assert slug == "deid-value-unseen" if more.strip() else True
        with pytest.raises(Problem, match=slug):
            _coded({"rows": spec} if isinstance(spec, list) else spec)


def _coded(spec: dict[str, object]) -> None:
    Coder(Hierarchy.from_spec("column", spec, Path())).codes(pa.array(["b"]))
