"""Transforms: true to their words, the same for one subject, and never silent about what they cannot do."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.deid.keyring import Key, KeyRing
from smartgov.engines.deid.transforms import Transform, apply
from smartgov.shared.problems import Problem

RING = KeyRing("births", (Key("keyaaa", "2026-11-01", "active", os.urandom(32)),))


def changed(values: Any, ring: KeyRing | None = None, **spec: Any) -> list[Any]:
    column = values if isinstance(values, pa.Array) else pa.array(values)
    plan = {"x": Transform.parse("x", {"kind" if k == "kind_" else k: v for k, v in spec.items()})}
    result: list[Any] = apply(pa.table({"x": column}), plan, ring)["x"].to_pylist()
    return result


def refused(slug: str, call: Any, *arguments: Any, **named: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        call(*arguments, **named)
    assert caught.value.slug == slug
    return caught.value


def test_masking() -> None:
    assert changed(["王小明", "歐陽小明"], kind="mask", first=1, last=1, sign="○") == ["王○明", "歐○○明"]
    assert changed(["A123456789"], kind="mask", last=3) == ["*******789"]
    assert changed(["王小明", "歐陽小明"], kind="mask", first=1, sign="○", width=2) == ["王○○", "歐○○"]
    refused("transform-refused", changed, ["王明"], kind="mask", first=1, last=1)
    refused("transform-refused", changed, [1], kind="mask")


def test_top_and_bottom_coding() -> None:
    assert changed([1, 50, 101, 110], kind="limit", bottom=5, top=90) == [5, 50, 90, 90]
    assert changed([1.5, 99.5], kind="limit", top=90.5) == [1.5, 90.5]
    refused("transform-refused", changed, [1, 50, 101], kind="limit", top=90, at_least=2)
    assert changed([1, 50, 60], kind="limit", top=90, at_least=2) == [1, 50, 60]
    refused("transform-refused", changed, [1.0, float("nan")], kind="limit", top=90)
    refused("transform-refused", changed, [1, 2], kind="limit", top=1.5)


def test_rounding() -> None:
    assert changed([1499, 1500, 2501], kind="round", to=1000) == [1000, 2000, 3000]
    assert changed([1499, 1500], kind="round", to=1000, mode="down") == [1000, 1000]
    assert changed([1499, 1500], kind="round", to=1000, mode="up") == [2000, 2000]
    assert changed([0.26, -0.26], kind="round", to=0.5) == [0.5, -0.5]
    assert changed(pa.array([Decimal("1.26")]), kind="round", to=1) == [Decimal("1.00")]
    refused("transform-refused", changed, ["a"], kind="round", to=10)


def test_dates_to_their_period() -> None:
    days = [date(2026, 11, 28), date(2024, 2, 29)]
    assert changed(days, kind="truncate", to="year") == [date(2026, 1, 1), date(2024, 1, 1)]
    assert changed(days, kind="truncate", to="quarter") == [date(2026, 10, 1), date(2024, 1, 1)]
    assert changed(days, kind="truncate", to="month")[1] == date(2024, 2, 1)
    assert changed(days, kind="truncate", to="week")[0] == date(2026, 11, 23)
    assert changed([datetime(2026, 11, 28, 15)], kind="truncate", to="month") == [datetime(2026, 11, 1)]  # noqa: DTZ001


def shifted(table: pa.Table, ring: KeyRing = RING, **words: Any) -> pa.Table:
    return apply(
        table, {"day": Transform.parse("day", {"kind": "date-shift", "subject": "who", "days": 180} | words)}, ring
    )


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.dates(date(1900, 1, 1), date(2100, 1, 1))), min_size=1, max_size=30
    ),
    st.booleans(),
)
def test_each_subject_is_shifted_by_one_amount(rows: list[tuple[str, date]], weeks: bool) -> None:
    table = pa.table({"who": [who for who, _ in rows], "day": [day for _, day in rows]})
    moved = shifted(table, weeks=weeks)["day"].to_pylist()
    by_subject: dict[str, set[int]] = {}
    for (who, day), new in zip(rows, moved, strict=True):
        by_subject.setdefault(who, set()).add((new - day).days)
    for shifts in by_subject.values():
        (shift,) = shifts
        assert 1 <= abs(shift) <= 180
        assert not weeks or shift % 7 == 0
    again = shifted(table.slice(0), weeks=weeks)["day"].to_pylist()
    assert again == moved


def test_shifts_use_their_whole_range_and_differ_by_project() -> None:
    people = pa.table({"who": [f"p{n}" for n in range(4000)], "day": [date(2026, 1, 1)] * 4000})
    days = [(new - date(2026, 1, 1)).days for new in shifted(people, days=10)["day"].to_pylist()]
    assert set(days) == {*range(-10, 0), *range(1, 11)}
    assert abs(sum(days) / 4000) < 0.6
    other = KeyRing("deaths", RING.keys)
    assert shifted(people, other)["day"] != shifted(people)["day"]
    stamps = people.set_column(1, "day", pa.array([datetime(2026, 1, 1, 8)] * 4000))  # noqa: DTZ001
    moved = shifted(stamps, days=10)["day"].to_pylist()
    assert [stamp - datetime(2026, 1, 1, 8) for stamp in moved] == [timedelta(days=d) for d in days]  # noqa: DTZ001


@pytest.fixture
def places(tmp_path: Path) -> str:
    path = tmp_path / "places.csv"
    path.write_text(
        "county,township\n臺南市,新市區\n臺南市,左鎮區\n桃園市,平鎮區\n新竹市,東區\n新竹縣,竹北市\n", "utf-8"
    )
    return str(path)


def test_places_become_coarser(places: str) -> None:
    homes = ["台南市新市區中山路1號", "臺南市左鎮區左鎮里2號", "桃園市平鎮區延平路3號", "新竹縣竹北市光明六路"]
    to_township = changed(homes, **{"kind": "coarsen", "from": "address", "to": "township", "places": places})
    assert to_township == ["臺南市新市區", "臺南市左鎮區", "桃園市平鎮區", "新竹縣竹北市"]
    to_county = changed(homes, **{"kind": "coarsen", "from": "address", "to": "county", "places": places})
    assert to_county == ["臺南市", "臺南市", "桃園市", "新竹縣"]
    for strange in ("東京都千代田區", "臺南市不明區1號", ""):
        words = {"kind": "coarsen", "from": "address", "to": "township", "places": places}
        problem = refused("transform-refused", changed, [*homes, strange], **words)
        assert "5" in problem.why.en
        assert not strange or strange not in problem.why.zh
    code = {"kind": "coarsen", "from": "code"}
    assert changed(["65000010001", "65000010"], **code, to="township") == ["65000010", "65000010"]
    assert changed(["65000010001"], **code, to="county") == ["65000"]
    refused("transform-refused", changed, ["6500"], **code, to="county")
    words = {"kind": "coarsen", "from": "address", "to": "county", "places": "nowhere.csv"}
    refused("transform-invalid", changed, homes, **words)


def test_a_plan_over_several_columns() -> None:
    table = pa.table({"who": ["a", "b"], "name": ["王小明", "李大華"], "day": [date(2026, 1, 1)] * 2, "rest": [1, 2]})
    plan = {
        "who": Transform.parse("who", {"kind": "pseudonym", "domain": "person"}),
        "name": Transform.parse("name", {"kind": "remove"}),
        "day": Transform.parse("day", {"kind": "date-shift", "subject": "who", "days": 30}),
    }
    done = apply(table, plan, RING)
    assert done.column_names == ["who", "day", "rest"]
    assert done["who"][0].as_py().startswith("keyaaa.")
    alone = apply(table.select(["who", "day"]), {"day": plan["day"]}, RING)
    assert done["day"] == alone["day"], "the shift is of the subject in the source, whatever becomes of its column"
    refused("transform-invalid", apply, table, plan)
    refused("transform-invalid", apply, table.drop_columns(["who"]), {"day": plan["day"]}, RING)


@pytest.mark.parametrize("kind", ["mask", "limit", "round", "truncate", "coarsen", "pseudonym"])
def test_missing_values_stop_the_run(kind: str) -> None:
    words = {
        "limit": {"top": 1},
        "round": {"to": 1},
        "truncate": {"to": "year"},
        "coarsen": {"from": "code", "to": "county"},
        "pseudonym": {"domain": "x"},
    }
    refused("transform-refused", changed, [None], RING, kind=kind, **words.get(kind, {}))


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "scramble"},
        {"kind": "mask", "firsts": 1},
        {"kind": "mask", "first": -1},
        {"kind": "mask", "first": True},
        {"kind": "limit"},
        {"kind": "limit", "top": 1, "bottom": 1},
        {"kind": "limit", "top": float("nan")},
        {"kind": "round"},
        {"kind": "round", "to": 0},
        {"kind": "date-shift", "subject": "who", "days": 0},
        {"kind": "date-shift", "days": 30},
        {"kind": "coarsen", "from": "map", "to": "county"},
        {},
    ],
)
def test_odd_declarations_are_refused(spec: dict[str, Any]) -> None:
    problem = refused("transform-invalid", Transform.parse, "x", spec)
    assert problem.extra["attribute"] == "x"
