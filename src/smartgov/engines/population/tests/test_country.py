"""A written country: the same bytes each time, a prefix of any larger one, whole after any interruption."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow")
duckdb = pytest.importorskip("duckdb")

from smartgov.engines.population import country, frame, make_village, parquet, served  # noqa: E402
from smartgov.engines.population.framing import make_frame  # noqa: E402
from smartgov.shared import content  # noqa: E402
from smartgov.shared.problems import Problem  # noqa: E402

ON = date(2026, 11, 22)


def files(folder: Path) -> dict[str, bytes]:
    """The bytes of every Parquet file below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("country")
    country.write_country(folder, villages=3, seed="test", on=ON, jobs=1)
    return folder


@pytest.mark.process
def test_the_frame_has_its_published_columns_and_codes(small):
    said = json.loads((small / "country.json").read_text(encoding="utf-8"))
    assert said["codes"] == {name: list(words) for name, words in frame.CODES.items()}
    table = parquet.pq.read_table(small / "frame" / "part-0000.parquet")
    assert table.column_names == list(frame.NAMES)
    for name, words in frame.CODES.items():
        values = table.column(name).drop_null().to_pylist()
        assert 0 <= min(values) <= max(values) < len(words)
    persons = table.column("person").to_pylist()
    assert len(set(persons)) == len(persons)


@pytest.mark.process
def test_every_register_has_exactly_its_described_columns(small):
    described = dict(content.read(Path(country.__file__).parent / "data" / "registers.yaml"))
    for agency in content.names("registers"):
        for name, table in content.read(f"registers/{agency}.yaml")["tables"].items():
            described.setdefault(agency, {})[name] = table["columns"]
    written = {path.parent for path in small.glob("registers/*/*/part-0000.parquet")}
    assert {(path.parent.name, path.name) for path in written} == {
        (agency, name) for agency, tables in described.items() for name in tables
    }
    for path in written:
        columns = parquet.pq.read_schema(path / "part-0000.parquet").names
        assert columns == list(described[path.parent.name][path.name]), path


@pytest.mark.process
def test_registers_agree_with_the_frame_but_for_their_dirt(small):
    db = duckdb.connect()

    def one(query: str) -> int:
        return db.execute(query.format(r=f"{small}/registers", f=f"'{small}/frame/*.parquet'")).fetchone()[0]

    living = one("SELECT count(*) FROM {f} WHERE death_date IS NULL")
    assert living == 30_000
    assert one("SELECT count(*) FROM '{r}/ris/people/*.parquet'") == living
    assert one("SELECT count(DISTINCT national_id) FROM '{r}/ris/people/*.parquet'") == living
    pairs = {
        "SELECT count(*) FROM '{r}/bli/insurance/*.parquet' WHERE to_date IS NULL": "bli_insured",
        "SELECT count(*) FROM '{r}/bli/farmers/*.parquet'": "fi_insured",
        "SELECT count(*) FROM '{r}/moea/companies/*.parquet'": "company_role = 1",
        "SELECT count(*) FROM '{r}/wda/job_seekers/*.parquet'": "job_seeker_since IS NOT NULL",
        "SELECT count(*) FROM '{r}/sfaa/allowances/*.parquet' WHERE kind = 'childcare_0_2'": (
            "paid_childcare_allowance AND mother IS NOT NULL"
        ),
        "SELECT count(*) FROM '{r}/bli/benefits/*.parquet' WHERE kind = 'maternity'": "paid_maternity_bli",
        "SELECT count(*) FROM '{r}/tax/houses/*.parquet' WHERE self_use_rate": "land_self_use_granted",
        "SELECT count(licensed_on) FROM '{r}/nlma/site_directors/*.parquet'": "sd_licensed_on IS NOT NULL",
        "SELECT count(*) FROM '{r}/ris/deaths/*.parquet'": "paid_death_registration",
        "SELECT count(*) FROM '{r}/moe/enrolments/*.parquet'": "school_level > 0 AND death_date IS NULL",
    }
    for query, condition in pairs.items():
        assert one(query) == one("SELECT count(*) FROM {f} WHERE " + condition), condition
    doubled = one("SELECT count(*) - count(DISTINCT national_id) FROM '{r}/nhi/insured/*.parquet'")
    assert 0 < doubled < 3 * 0.003 * living
    swapped = one(
        "SELECT count(*) FROM '{r}/moe/enrolments/*.parquet' e JOIN '{r}/ris/people/*.parquet' p USING (national_id)"
        " WHERE e.birth_date <> p.birth_date"
    )
    pupils = one("SELECT count(*) FROM '{r}/moe/enrolments/*.parquet'")
    assert 0 < swapped < 2 * 0.003 * pupils
    big5 = one("SELECT count(*) FROM '{r}/dla/parcels/*.parquet' WHERE regexp_matches(owner_name, '[?\ue000-\ue0ff]')")
    assert big5 > 0


@pytest.mark.process
def test_what_is_read_back_is_the_village(small):
    village = make_village(b"test", 2, on=ON)
    batch = parquet.frame_batch(make_frame(village))
    written = parquet.pq.read_table(small / "frame" / "part-0000.parquet", filters=[("village", "=", 2)])
    assert written.equals(pa.Table.from_batches([batch]))
    people = next(table for agency, name, table in served.all_tables(village) if (agency, name) == ("ris", "people"))
    read = parquet.pq.read_table(small / "registers/ris/people/part-0000.parquet")
    assert read.column("national_id").to_pylist()[-village.living :] == people["national_id"].values()


@pytest.mark.process
def test_any_size_is_a_prefix_and_a_country_grows_and_shrinks(small, tmp_path):
    country.write_country(tmp_path, villages=17, seed="test", on=ON, jobs=2)
    whole = parquet.pq.read_table(tmp_path / "frame" / "part-0000.parquet")
    assert whole.slice(0, parquet.pq.read_metadata(small / "frame" / "part-0000.parquet").num_rows).equals(
        parquet.pq.read_table(small / "frame" / "part-0000.parquet")
    )
    country.write_country(tmp_path, villages=3, seed="test", on=ON, jobs=1)
    assert files(tmp_path) == files(small)


SCRIPT = """
import signal
import sys
from datetime import date
from pathlib import Path
from smartgov.engines.population import country
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background hands down that it is ignored
    country.write_country(Path(sys.argv[1]), villages=int(sys.argv[2]), seed="test", on=date(2026, 11, 22), jobs=2,
                          progress=lambda _: print("village", flush=True))
"""


def started(script: Path, folder: Path, wait_for: int, villages: int = 16) -> subprocess.Popen[str]:
    """A writing process that has made so many villages."""
    run = subprocess.Popen([sys.executable, str(script), str(folder), str(villages)], stdout=subprocess.PIPE, text=True)
    for _ in range(wait_for):
        assert run.stdout.readline() == "village\n"
    return run


@pytest.mark.process
def test_after_kill_9_the_same_command_gives_the_same_bytes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    country.write_country(whole, villages=16, seed="test", on=ON, jobs=1)
    run = started(script, broken, 4)
    run.kill()
    run.wait()
    assert set(country.read_state(broken).parts) <= {1}  # the part of one village may be done, that of fifteen is not
    country.write_country(broken, villages=16, seed="test", on=ON, jobs=2)
    assert files(broken) == files(whole)
    assert not (broken / ".building").exists()
    assert (broken / "country.json").read_bytes() == (whole / "country.json").read_bytes()


@pytest.mark.process
def test_ctrl_c_stops_and_leaves_no_process(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    run = started(script, tmp_path / "country", 3, villages=300)  # far from done
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    assert children
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=400)
    assert run.returncode != 0
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert country.read_state(tmp_path / "country") is not None


@pytest.mark.process
def test_another_seed_or_day_and_strange_folders_are_refused(small, tmp_path):
    for change in ({"seed": "other"}, {"on": date(2026, 1, 1)}):
        with pytest.raises(Problem) as refused:
            country.write_country(small, villages=3, **{"seed": "test", "on": ON, **change})
        assert refused.value.slug == "country-differs"
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(Problem) as refused:
        country.write_country(tmp_path, villages=1, on=ON)
    assert refused.value.slug == "country-in-the-way"
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_too_many_villages_and_too_small_a_disk_are_refused(tmp_path, monkeypatch):
    with pytest.raises(Problem) as refused:
        country.write_country(tmp_path, villages=100_000, on=ON)
    assert refused.value.slug == "villages-out-of-range"
    monkeypatch.setattr(country, "VILLAGE_BYTES", 10**15)
    with pytest.raises(Problem) as refused:
        country.write_country(tmp_path, villages=1, on=ON)
    assert refused.value.slug == "disk-full"


def test_a_disk_that_fills_while_writing_is_said(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(Problem) as refused:
        country.write_country(tmp_path, villages=1, on=ON)
    assert refused.value.slug == "disk-full"
