"""Differential privacy: what it costs is in the ledger, what it says is near, and OpenDP states the price."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smartgov.engines.deid import dp
from smartgov.engines.deid.budget import Ledger
from smartgov.shared.problems import Problem

TOWNS = ["甲", "乙", "丙"]
PEOPLE = pa.table(
    {
        "person": [f"p{n}" for n in range(6000)],
        "town": ["甲"] * 1000 + ["乙"] * 2000 + ["未列"] * 3000,
        "sex": ["m", "f"] * 3000,
        "wage": [30_000.4] * 3000 + [900_000.0] * 2999 + [None],
    }
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "budget.sqlite3")
    ledger.create()
    ledger.grant("people", "100", by="steward", reason="test")
    return ledger


def ask(
    ledger: Ledger, table: object = PEOPLE, unit: str | None = "person", rows: int = 1, **words: object
) -> dp.Answer:
    query = dp.Query.parse({"name": "q", "epsilon": "10", **words})
    return dp.answer(query, table, ledger, source="people", unit=unit, rows=rows)  # type: ignore[arg-type]


def refused(slug: str, call: object, *arguments: object, **named: object) -> None:
    with pytest.raises(Problem) as caught:
        call(*arguments, **named)  # type: ignore[operator]
    assert caught.value.slug == slug


def test_a_count_and_what_it_cost(ledger: Ledger, tmp_path: Path) -> None:
    told = ask(ledger, kind="count")
    assert told.table.column_names == ["value"]
    assert abs(told.table["value"][0].as_py() - 6000) < 20
    assert told.within is not None
    assert told.within < 2
    assert [entry.body["kind"] for entry in ledger.verify(told.head)] == ["grant", "reserve", "release"]
    assert ledger.accounts()[0].spent == 10_000_000
    pq.write_table(PEOPLE, tmp_path / "people.parquet")
    assert abs(ask(ledger, str(tmp_path / "people.parquet"), kind="count").table["value"][0].as_py() - 6000) < 20


def test_cross_tables_have_the_declared_cells_and_no_others(ledger: Ledger) -> None:
    told = ask(ledger, kind="count", by={"town": TOWNS, "sex": ["m", "f"]}).table.to_pylist()
    assert [(row["town"], row["sex"]) for row in told] == [(town, sex) for town in TOWNS for sex in ("m", "f")]
    expected = {"甲": 500, "乙": 1000, "丙": 0}
    assert all(abs(row["value"] - expected[row["town"]]) < 20 for row in told)


def test_sums_are_clamped_and_means_lie_within_their_bounds(ledger: Ledger) -> None:
    total = ask(ledger, kind="sum", column="wage", bounds=[0, 100_000]).table["value"][0].as_py()
    assert abs(total - (30_000 * 3000 + 100_000 * 2999)) < 2_000_000
    mean = ask(ledger, kind="mean", column="wage", bounds=[0, 100_000], by={"town": TOWNS}).table.to_pydict()
    assert abs(mean["value"][0] - 30_000) < 2000
    assert all(0 <= value <= 100_000 for value in mean["value"])


def test_one_person_counts_at_most_so_many_rows(ledger: Ledger) -> None:
    rows = pa.table({"person": ["p"] * 5000 + ["q"], "town": ["甲"] * 5001})
    assert abs(ask(ledger, rows, kind="count").table["value"][0].as_py() - 2) < 20
    assert abs(ask(ledger, rows, kind="count", rows=3).table["value"][0].as_py() - 4) < 40
    assert abs(ask(ledger, rows, kind="count", unit=None, rows=1).table["value"][0].as_py() - 5001) < 20


def test_noise_is_drawn_anew_and_as_wide_as_promised() -> None:
    noisy, within = dp.laplace([0] * 20_000, 3, 1_500_000)
    draws = np.array(noisy)
    assert len(set(noisy)) > 5
    assert abs(draws.mean()) < 0.2
    assert abs(np.abs(draws).mean() - 2) < 0.2, "scale is sensitivity / epsilon"
    assert (np.abs(draws) >= within).mean() < 0.06
    assert dp.laplace([0] * 50, 1, 100_000)[0] != dp.laplace([0] * 50, 1, 100_000)[0]


def test_the_price_is_opendps_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dp.opendp, "binary_search_param", lambda *_, **__: 0.5)
    refused("dp-unproven", dp.laplace, [1], 1, 100_000)


def test_an_empty_purse_says_nothing(ledger: Ledger) -> None:
    ask(ledger, kind="count", epsilon="95")
    refused("budget-exhausted", ask, ledger, kind="count", epsilon="6")
    assert ledger.accounts()[0].spent == 95_000_000


def test_a_failure_after_the_reservation_stays_spent(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(dp, "laplace", broken)
    with pytest.raises(RuntimeError):
        ask(ledger, kind="count")
    (account,) = ledger.accounts()
    assert (account.spent, account.open) == (10_000_000, 10_000_000)


@pytest.mark.parametrize(
    "words",
    [
        {"kind": "median"},
        {"kind": "count", "more": 1},
        {"kind": "count", "column": "wage"},
        {"kind": "sum", "column": "wage"},
        {"kind": "sum", "column": "wage", "bounds": [5, 5]},
        {"kind": "sum", "column": "wage", "bounds": [0, 10], "step": 3},
        {"kind": "sum", "column": "nowhere", "bounds": [0, 10]},
        {"kind": "count", "by": {"town": []}},
        {"kind": "count", "by": {"town": ["甲", "甲"]}},
        {"kind": "count", "unit": None, "rows": 0},
        {"kind": "count", "unit": "nowhere"},
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_spent(ledger: Ledger, words: dict[str, object]) -> None:
    refused("dp-invalid", ask, ledger, **words)
    assert ledger.accounts()[0].spent == 0


def test_bounds_in_cents() -> None:
    query = dp.Query.parse(
        {"name": "q", "kind": "sum", "epsilon": "1", "column": "x", "bounds": ["-1.50", "2.25"], "step": "0.05"}
    )
    assert (query.least, query.greatest, query.most, query.centre) == (-30, 45, 45, 7)
    assert query.step == Decimal("0.05")
