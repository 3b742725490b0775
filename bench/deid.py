"""The optimum of a de-identification: ours and that of ARX, in turn on the same tables and hierarchies.

Adult (30,162 rows, from the clone of ARX) and two seeded tables (`deid_data.py`: 100,000 and 1,000,000 rows), eight
quasi-identifiers, k = 5, discernibility, 0 %, 1 % and 4 % suppression. Node, score, classes and suppressed rows must
be equal every time, or the bench ends. Both read the table, search and make the output table; each in a process of
its own. Without ARX in `SMARTGOV_PEERS` ours is compared with what ARX found when `arx/expected.json` was written.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import arx
from bench.processes import ROOT

K = 5
LIMITS = (0.0, 0.01, 0.04)
SIZES = {"synthetic 100,000": 100_000, "synthetic 1,000,000": 1_000_000}
PEOPLE = ("sex", "age", "town", "marital", "education", "occupation", "ethnicity", "household")
ADULT = ("sex", "age", "race", "marital-status", "education", "native-country", "workclass", "occupation")
EXPECTED = Path(__file__).with_name("arx") / "expected.json"


@dataclass(frozen=True)
class Table:
    """A table on disk: for us Parquet, for ARX CSV; hierarchies are files that begin with `prefix`."""

    name: str
    quasi: tuple[str, ...]
    parquet: Path
    csv: Path
    hierarchies: Path
    prefix: str = ""
    others: tuple[str, ...] = ()

    def policy(self, limit: float, **search: Any) -> dict[str, Any]:
        """Our policy for it."""
        files = {name: str(self.hierarchies / f"{self.prefix}{name}.csv") for name in self.quasi}
        quasi = {name: {"kind": "quasi", "hierarchy": {"file": file}} for name, file in files.items()}
        return {
            "source": self.name,
            "project": "bench",
            "attributes": {**quasi, **{name: {"kind": "insensitive"} for name in self.others}},
            "models": [{"model": "k-anonymity", "k": K}],
            "suppression_limit": limit,
            "metric": "discernibility",
            "search": {"method": "optimal", **search},
        }


def ours(table: Table, policy: dict[str, Any]) -> dict[str, Any]:
    """One run of ours."""
    file = table.parquet.with_name("policy.json")
    file.write_text(json.dumps(policy))
    command = [sys.executable, "-m", "bench.deid_run", file, table.parquet]
    env = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def theirs(classpath: str, table: Table, limit: float) -> dict[str, Any]:
    """One run of ARX."""
    words = (table.csv, table.hierarchies, table.prefix, K, limit, "discernibility", ",".join(table.quasi))
    found = arx.run(classpath, words)
    return {**found, "seconds": found["read_s"] + found["search_s"] + found["output_s"]}


def same(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether both chose the same at the same cost."""
    return all(ours[key] == theirs[key] for key in ("node", "score", "classes", "suppressed"))


def adult(folder: Path, clone: Path) -> Table:
    """Adult as ARX ships it; the Parquet file for us is made from its CSV."""
    csv, parquet = clone / "data/adult.csv", folder / "adult.parquet"
    made = "import sys, pyarrow.csv as c, pyarrow.parquet as p, pyarrow as a\n"
    made += "names = open(sys.argv[1]).readline().strip().split(';')\n"
    made += "o = c.ConvertOptions(column_types={n: a.string() for n in names})\n"
    made += "t = c.read_csv(sys.argv[1], parse_options=c.ParseOptions(delimiter=';'), convert_options=o)\n"
    made += "p.write_table(t, sys.argv[2])"
    subprocess.run([sys.executable, "-c", made, csv, parquet], check=True)
    return Table("Adult", ADULT, parquet, csv, clone / "data", "adult_hierarchy_", ("salary-class",))


def people(folder: Path, name: str, rows: int, *, as_csv: bool) -> Table:
    """A seeded table; made in a process of its own, because memory once held counts for every child of this one."""
    command = [sys.executable, "-m", "bench.deid_data", folder, str(rows), *(["csv"] if as_csv else [])]
    subprocess.run(command, check=True, cwd=ROOT)
    return Table(name, PEOPLE, folder / "data.parquet", folder / "data.csv", folder)


def main() -> None:
    """Print both sides of every case; end when they differ."""
    clone = arx.folder()
    classpath = arx.compiled(clone) if clone else None
    kept = json.loads(EXPECTED.read_text())
    print("ARX runs in turn with ours" if classpath else f"ARX: NOT RUN; compared with what it found: {kept['origin']}")
    print("ratios are ARX by ours: more than 1 is ours the smaller")
    with tempfile.TemporaryDirectory(prefix="smartgov-bench-") as name:
        tables = [adult(Path(name), clone)] if clone else []
        if not clone:
            print("Adult: NOT RUN (it comes with ARX)")
        for title, rows in SIZES.items():
            tables.append(people(Path(name) / str(rows), title, rows, as_csv=clone is not None))
        for table in tables:
            for limit in LIMITS:
                _case(table, limit, classpath, kept["found"])


def _case(table: Table, limit: float, classpath: str | None, kept: dict[str, Any]) -> None:
    title = f"{table.name}, {limit:.0%}"
    judge = theirs(classpath, table, limit) if classpath else kept[title]
    mine = ours(table, table.policy(limit))
    print(f"{title:<26}{_line('ours', mine)}")
    if classpath:
        print(f"{'':<26}{_line('ARX', judge)}")
        ratios = (judge[key] / mine[key] for key in ("seconds", "cpu_s", "memory_kb"))
        print(f"{'':<26}{'ratio':<6}" + "{:7.1f} s {:7.1f} CPU s {:6.1f} MB".format(*ratios))
    if not same(mine, judge):
        raise SystemExit(f"{title}: ours and ARX differ: {mine} {judge}")
    print(
        f"{'':<26}equal: node {mine['node']}, score {mine['score']:.0f}, "
        f"{mine['classes']} classes, {mine['suppressed']} rows suppressed",
        flush=True,
    )


def _line(who: str, figures: dict[str, Any]) -> str:
    return f"{who:<6}{figures['seconds']:7.1f} s {figures['cpu_s']:7.1f} CPU s {figures['memory_kb'] / 1024:6.0f} MB"
