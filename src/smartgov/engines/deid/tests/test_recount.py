"""The fast recount agrees with counting by SQL, whatever kinds of columns the file has."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.deid import risk
from smartgov.engines.deid.attacks import skewness
from smartgov.engines.deid.recount import recount
from smartgov.engines.deid.tests import plants
from smartgov.shared.problems import Problem

ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "*", None]), st.integers(0, 3), st.sampled_from(["x", "y", "z"])), min_size=1
)


@given(ROWS)
def test_it_agrees_with_sql(rows: list[tuple[str | None, int, str]]) -> None:
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate("qps")})
    found = recount(table, ["q", "p"], ["s"])
    plain = risk.sizes(table, ["q", "p"])
    assert found.sizes.sizes.tolist() == plain.sizes.tolist()
    assert found.sizes.counts.tolist() == plain.counts.tolist()
    classes: dict[object, set[str]] = {}
    for q, p, s in rows:
        classes.setdefault((q, p), set()).add(s)
    assert found.sensitive[0].l == min(len(values) for values in classes.values())


@pytest.mark.parametrize("dictionary", [True, False])
def test_files_and_folders_and_dictionaries_give_the_same(tmp_path: Path, dictionary: bool) -> None:
    release = plants.released(plants.town())
    whole = recount(release, plants.QUASI, ["ailment"])
    for part in range(2):
        piece = release.slice(part * 2000, 2000)
        pq.write_table(piece, tmp_path / f"part-{part}.parquet", use_dictionary=dictionary, row_group_size=700)
    assert recount(tmp_path, plants.QUASI, ["ailment"]).sensitive == whole.sensitive
    assert recount(tmp_path, plants.QUASI).sizes.sizes.tolist() == whole.sizes.sizes.tolist()
    assert whole.sensitive[0].t == pytest.approx(skewness.run(plants.target())[0].evidence["largest_t"])


def test_suppressed_rows_are_no_class() -> None:
    table = pa.table({"a": ["1", "1", "*", "*", "*"], "b": ["2", "2", "*", "*", "2"]})
    found = recount(table, ["a", "b"])
    assert (found.suppressed, found.sizes.sizes.tolist()) == (2, [1, 2])


def test_too_many_combinations_are_refused() -> None:
    wide = pa.table({f"c{place}": [str(row) for row in range(1000)] for place in range(8)})
    with pytest.raises(Problem, match="release-too-wide"):
        recount(wide, wide.column_names)
