"""A small book that uses every way of asking, and random people to put to it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

T = {"en": "x", "zh": "甲"}
SOURCE = {"title": T, "article": T, "url": "https://law.example/1"}
MONTHS = [f"{index // 12:04d}-{index % 12 + 1:02d}" for index in range(2025 * 12 + 6, 2026 * 12 + 8)]
HERE = "2026-08"


def var(name: str, entity: str = "person", period: str = "month", kind: str = "money", **more: Any) -> dict[str, Any]:
    return {"title": T, "entity": entity, "period": period, "kind": kind, **more}


INPUTS = {
    "wage": var("wage"),
    "paid": var("paid", otherwise=0),
    "insured": var("insured", kind="yesno", otherwise=False),
    "ill": var("ill", kind="yesno", at="any"),
    "grade": var("grade", kind="number", at="end"),
    "born": var("born", period="once", kind="date"),
    "income": var("income", period="year"),
    "counted": var("counted", period="once", kind="yesno"),
    "rent": var("rent", "household"),
    "city": var("city", "household", "once", "text"),
}


def ask(name: str, **more: Any) -> dict[str, Any]:
    return {"ask": name, **more}


FORMULAS: dict[str, tuple[str, str, str, Any]] = {
    "raised": ("person", "month", "money", {"+": [ask("wage"), {"var": "param.floor"}]}),
    "change": ("person", "month", "money", {"-": [ask("wage"), ask("wage", months_back=1)]}),
    "age": ("person", "month", "number", {"age": [ask("born"), {"var": "period.start"}]}),
    "six_sum": ("person", "month", "money", ask("wage", over="6 months", take="sum")),
    "six_paid": ("person", "month", "money", ask("paid", over="3 months", months_back=2, take="sum")),
    "mean": (
        *("person", "month", "money"),
        {"round": ask("wage", over="6 months", take="average", where=ask("insured"))},
    ),
    "mean_all": ("person", "month", "money", {"round": ask("paid", over="7 months", take="average")}),
    "least": ("person", "month", "money", ask("wage", over="4 months", take="min")),
    "least_ill": ("person", "month", "money", ask("wage", over="4 months", take="min", where=ask("ill"))),
    "most_ill": ("person", "month", "money", ask("raised", over="4 months", take="max", where={"!": ask("ill")})),
    "months": ("person", "month", "number", ask("insured", over="12 months", take="count")),
    "months_ill": ("person", "month", "number", ask("ill", over="6 months", take="count", where=ask("insured"))),
    "ever": ("person", "month", "yesno", ask("ill", over="6 months", take="any")),
    "always": ("person", "month", "yesno", ask("insured", over="3 months", take="all", where={">": [ask("wage"), 0]})),
    "spell": ("person", "month", "number", ask("insured", over="12 months", take="spell")),
    "spell_ill": ("person", "month", "number", ask("ill", over="12 months", take="spell")),
    "so_far": ("person", "month", "money", ask("paid", over="year to date", take="sum")),
    "last_wage": (
        *("person", "month", "money"),
        {"if": [ask("insured"), ask("wage"), ask("last_wage", months_back=1)]},
    ),
    "year_paid": ("person", "year", "money", ask("paid", over="year", take="sum")),
    "year_floor": ("person", "year", "money", {"var": "param.floor"}),
    "floor_by_month": ("person", "month", "money", {"var": "param.floor"}),
    "floor_year": ("person", "year", "money", ask("floor_by_month", over="year", take="sum")),
    "richer": ("person", "month", "yesno", {">": [ask("income"), ask("income", years_back=1)]}),
    "home_wage": ("household", "month", "money", ask("wage", of="members", take="sum", where=ask("counted"))),
    "home_counted": ("household", "month", "number", ask("counted", of="members", take="count")),
    "home_size": ("household", "month", "number", ask("member", of="members", take="count", role="child")),
    "home_mean": ("household", "month", "money", {"round": ask("raised", of="members", take="average")}),
    "home_least": ("household", "month", "money", ask("wage", of="members", take="min", role="child")),
    "home_most": ("household", "month", "money", ask("paid", of="members", take="max", where=ask("insured"))),
    "home_any": ("household", "month", "yesno", ask("ill", of="members", take="any", where=ask("insured"))),
    "home_all": ("household", "month", "yesno", ask("insured", of="members", take="all", where=ask("counted"))),
    "home_year": ("household", "year", "money", ask("income", of="members", take="sum")),
    "a_head": ("household", "month", "money", {"round": {"/": [ask("home_wage"), ask("home_counted")]}}),
    "after_rent": ("household", "month", "money", {"-": [ask("home_wage"), ask("rent", over="2 months", take="sum")]}),
    "share": (
        *("person", "month", "money"),
        {"if": [{"==": [ask("city", of="household"), "a"]}, ask("a_head", of="household"), ask("wage")]},
    ),
    "poor": ("person", "month", "yesno", {"<": [ask("share"), ask("home_most", of="household")]}),
    "home_poor": ("household", "month", "number", ask("poor", of="members", take="count")),
    "poor_months": ("person", "month", "number", ask("poor", over="3 months", take="count")),
}


def write_book(folder: Path, formulas: dict[str, Any] | None = None, **more: Any) -> Path:
    """A content folder with these inputs, formulas and one parameter that changes in July 2026."""
    for name in ("rules", "parameters", "formulas"):
        (folder / name).mkdir(parents=True)
    floor = {"name": "floor", "title": T, "unit": "ntd", "values": []}
    for since, value in ((date(2020, 1, 1), 100), (date(2026, 7, 1), 250)):
        floor["values"].append({"from": since, "value": value, "verified": False, "source": SOURCE})
    dump(folder / "parameters" / "floor.yaml", floor)
    dump(folder / "inputs.yaml", INPUTS)
    for name, (entity, period, kind, value) in (FORMULAS if formulas is None else formulas).items():
        version = {"from": date(2000, 1, 1), "source": SOURCE, "value": value}
        back = {"look_back": 6} if name == "last_wage" else {}
        raw = {"id": name, **var(name, entity, period, kind), **back, **more, "versions": [version]}
        dump(folder / "formulas" / f"{name}.yaml", raw)
    return folder


def dump(path: Path, raw: Any) -> None:
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")


_money = st.none() | st.sampled_from([0, 1, 7, 300, 29_500, 30_300])
_flag = st.none() | st.booleans()
_days = st.dates(date(2025, 6, 1), date(2026, 9, 30))


def _by_month(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(MONTHS), values, max_size=len(MONTHS))


def _full(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(dict.fromkeys(MONTHS, values))


def _spells(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    each = st.tuples(_days, st.none() | _days, values).map(
        lambda got: {"from": got[0].isoformat(), "to": got[1] and got[1].isoformat(), "value": got[2]}
    )
    return st.lists(each, max_size=4)


_known = st.sampled_from([0, 1, 300, 29_500])
PERSON = st.fixed_dictionaries(
    {
        "wage": _by_month(_money) | _full(_known) | _full(_known),
        "paid": _by_month(_money) | _by_month(_known),
        "insured": _by_month(_flag) | _full(st.booleans()),
        "ill": _spells(_flag) | st.just([{"from": "2020-01-01", "value": False}]),
        "grade": _spells(_money),
        "born": st.none() | st.dates(date(1950, 1, 1), date(2026, 12, 1)).map(date.isoformat),
        "income": st.dictionaries(st.sampled_from(["2025", "2026"]), _money),
        "counted": _flag | st.booleans(),
    }
)
HOUSEHOLD = st.fixed_dictionaries(
    {"rent": _by_month(_money) | _full(_known), "city": st.sampled_from([None, "a", "b"])}
)
ROLES = st.sampled_from(["head", "child"])


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    """Some people, most of them in one of some households."""
    people = {f"p{n}": draw(PERSON) for n in range(draw(st.integers(1, 6)))}
    homes = {f"h{n}": {**draw(HOUSEHOLD), "members": {}} for n in range(3)}
    for name in people:
        home = draw(st.sampled_from(["h0", "h1", "h2", None]))
        if home:
            homes[home]["members"][name] = draw(ROLES)
    return {"persons": people, "households": {k: v for k, v in homes.items() if v["members"]}}
