"""Utility: nothing lost where nothing was changed, everything where nothing is left, and order in between."""

from __future__ import annotations

import pyarrow as pa
import pytest

from smartgov.engines.deid import utility
from smartgov.engines.deid.tests import plants

SOURCE = plants.town(3000)
SAME = SOURCE.select([*plants.QUASI, "ailment"])


def test_an_unchanged_release_answers_every_query_exactly() -> None:
    found = utility.query_error(SAME, SOURCE, plants.QUASI, {})
    assert (found.median, found.mean, found.ninth) == (0, 0, 0)
    assert found.queries >= 300


def test_coarser_labels_cost_answers() -> None:
    good = utility.query_error(plants.released(SOURCE), SOURCE, plants.QUASI, plants.labels())
    ages = plants.labels()["age"]
    towns = plants.labels()["town"]
    star = {
        "age": pa.table({"value": ages["value"], "label": ["*"] * len(ages)}),
        "town": pa.table({"value": towns["value"], "label": ["all"] * len(towns)}),
    }
    rows = plants.released(SOURCE)
    none = plants.changed(plants.changed(rows, "age", ["*"] * 3000), "town", ["all"] * 3000)
    bad = utility.query_error(none, SOURCE, plants.QUASI, star)
    assert 0 < good.median < bad.median
    assert utility.query_error(none, SOURCE, plants.QUASI, star) == bad


def test_an_even_spread_is_exact_where_the_source_is_even() -> None:
    source = pa.table({"a": [str(n % 10) for n in range(1000)], "b": [str(n // 10 % 10) for n in range(1000)]})
    up = pa.table({"value": [str(n) for n in range(10)], "label": ["low"] * 5 + ["high"] * 5})
    release = pa.table({"a": ["low" if n % 10 < 5 else "high" for n in range(1000)], "b": source["b"]})
    assert utility.query_error(release, source, ["a", "b"], {"a": up}).mean == pytest.approx(0, abs=1e-9)


def test_suppressed_rows_are_missing_from_answers() -> None:
    half = pa.concat_tables([SAME.slice(0, 1500), pa.table({name: ["*"] * 1500 for name in SAME.column_names})])
    assert 0.4 < utility.query_error(half, SOURCE, plants.QUASI, {}).median < 0.6


def test_a_classifier_learns_what_is_there_and_loses_what_is_not() -> None:
    source = pa.table({"x": ["ab"[n % 2] for n in range(2000)], "y": ["uv"[n % 2] for n in range(2000)]})
    kept = utility.accuracy(source, source, ["x"], "y")
    assert (kept.source, kept.release, kept.kept) == (1, 1, 1)
    lost = utility.accuracy(plants.changed(source, "x", ["*"] * 2000), source, ["x"], "y")
    assert lost.source == 1
    assert lost.release == pytest.approx(lost.guessing, abs=0.05)
    assert lost.kept < 0.1
