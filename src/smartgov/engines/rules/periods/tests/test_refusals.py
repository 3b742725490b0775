"""What would never end, or does not fit, is refused when it is read, with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smartgov.engines import rules
from smartgov.engines.rules.periods import Span, walk
from smartgov.engines.rules.periods.tests.book import ask, dump, write_book
from smartgov.shared.problems import Problem

PERSON, HOME, YEAR = ("person", "month", "money"), ("household", "month", "money"), ("person", "year", "money")


@pytest.mark.parametrize(
    ("formulas", "slug", "why"),
    [
        ({"a": (*PERSON, ask("b")), "b": (*PERSON, ask("a"))}, "formula-cycle", "a 2000-01 -> b 2000-01 -> a 2000-01"),
        ({"a": (*PERSON, ask("a"))}, "formula-cycle", "needs itself"),
        ({"a": (*PERSON, ask("a", months_back=1))}, "formula-cycle", "say how far with look_back"),
        (
            {"a": (*PERSON, ask("b")), "b": (*PERSON, ask("a", months_back=1))},
            "formula-cycle",
            "by way of another formula: a 2000-01 -> b 2000-01 -> a 1999-12",
        ),
        (
            {"a": (*PERSON, ask("h", of="household")), "h": (*HOME, ask("a", of="members", take="sum"))},
            "formula-cycle",
            "a 2000-01 -> h 2000-01 -> a 2000-01",
        ),
        ({"a": (*PERSON, ask("nobody"))}, "rule-invalid", "asks for nobody, which is neither"),
        ({"a": (*PERSON, ask("rent"))}, "rule-invalid", "say of: members or of: household"),
        ({"a": (*HOME, ask("rent", of="members", take="sum"))}, "rule-invalid", "only a household asks so"),
        ({"a": (*YEAR, ask("wage"))}, "rule-invalid", "say over: year and what to take"),
        ({"a": (*YEAR, ask("wage", over="6 months", take="sum"))}, "rule-invalid", "only a month has months before it"),
        ({"a": (*PERSON, ask("income", over="year", take="sum"))}, "rule-invalid", "which it does not have"),
        ({"a": (*PERSON, ask("income", months_back=1))}, "rule-invalid", "which is of a year"),
        ({"a": (*PERSON, ask("wage", over="6 months"))}, "rule-invalid", "says what to take"),
        ({"a": (*PERSON, ask("wage", over="6 weeks", take="sum"))}, "rule-invalid", "over is `year`"),
        ({"a": (*PERSON, ask("wage", over="2 months", take="all"))}, "rule-invalid", "which is not yes or no"),
        ({"a": (*PERSON, ask("insured", over="2 months", take="sum"))}, "rule-invalid", "which is no number"),
        ({"a": (*PERSON, ask("wage", months_back=0))}, "rule-invalid", "by a number up to"),
        ({"a": (*PERSON, ask("wage", role="child"))}, "rule-invalid", "nothing to choose among"),
        ({"a": (*PERSON, {"var": "wage"})}, "rule-invalid", "a value is asked for with `ask`"),
        ({"a": (*PERSON, {"var": "param.none"})}, "rule-invalid", "parameters that do not exist"),
        ({"a": (*PERSON, {"unheard": [1]})}, "rule-invalid", "there is no operator"),
        ({"a": ("person", "once", "money", {"var": "param.floor"})}, "rule-invalid", "once and for all"),
        ({"a": ("person", "week", "money", 1)}, "rule-invalid", "needs period"),
        ({"wage": (*PERSON, 1)}, "rule-invalid", "has the name of an input"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(tmp_path: Path, formulas: Any, slug: str, why: str) -> None:
    with pytest.raises(Problem) as caught:
        rules.load(write_book(tmp_path, formulas))
    assert caught.value.slug == slug
    assert why in caught.value.why.en


def test_too_many_months_are_refused(tmp_path: Path) -> None:
    wide = {f"a{n}": (*PERSON, ask(f"a{n - 1}" if n else "wage", over="600 months", take="sum")) for n in range(9)}
    with pytest.raises(Problem) as caught:
        rules.load(write_book(tmp_path, wide))
    assert caught.value.slug == "formula-too-wide"


@pytest.mark.parametrize(
    "raw",
    [
        {"persons": {"p": {"nobody": 1}}},
        {"persons": {"p": {"rent": {}}}},
        {"persons": {"p": {"raised": {}}}},
        {"persons": {"p": {"wage": {"2026": 1}}}},
        {"persons": {"p": {"wage": {"2026-01": "much"}}}},
        {"persons": {"p": {"wage": 5}}},
        {"persons": {"p": {"ill": [{"from": "2026-01-01"}]}}},
        {"persons": {"p": {}}, "households": {"h": {"members": {"q": "head"}}}},
        {"persons": {"p": {}}, "households": {h: {"members": {"p": "head"}} for h in "ab"}},
    ],
)
def test_a_situation_that_does_not_fit_is_refused(tmp_path: Path, raw: Any) -> None:
    book = rules.load(write_book(tmp_path))
    with pytest.raises(Problem) as caught:
        book.situation(raw)
    assert caught.value.slug == "fact-invalid"


def test_a_formula_that_gives_another_kind_or_a_fraction_is_refused(tmp_path: Path) -> None:
    book = rules.load(write_book(tmp_path, {"a": (*PERSON, {"/": [ask("wage"), 7]}), "b": (*PERSON, ask("insured"))}))
    situation = book.situation({"persons": {"p": {"wage": {"2026-08": 8}, "insured": {"2026-08": True}}}})
    for name, why in (("a", "fraction; round it"), ("b", "should be a money, and is a boolean")):
        with pytest.raises(Problem) as caught:
            book.calculate(name, situation, Span.of("2026-08"), "p")
        assert why in caught.value.why.en


def test_looking_back_ends_where_it_says(tmp_path: Path) -> None:
    book = rules.load(write_book(tmp_path))
    insured = {"2026-02": True}
    situation = book.situation({"persons": {"p": {"insured": insured, "wage": {"2026-02": 7}}}})
    found = book.calculate("last_wage", situation, Span.of("2026-08"), "p")
    assert found.value == 7
    assert found.account.text.en == "X (August 2026), as in February 2026".replace("X", "x")
    found = book.calculate("last_wage", situation, Span.of("2026-09"), "p")
    assert (found.value, found.missing) == (None, ("last_wage 2026-02",))


def test_what_is_missing_has_its_month_and_its_person(tmp_path: Path) -> None:
    book = rules.load(write_book(tmp_path))
    people = {"p": {"wage": {"2026-08": 7}, "counted": True}, "q": {"counted": True}}
    homes = {"h": {"members": {"p": "head", "q": "child"}, "city": "a"}}
    situation = book.situation({"persons": people, "households": homes})
    found = book.calculate("share", situation, Span.of("2026-08"), "p")
    assert found.missing == ("wage 2026-08 (q)",)
    assert [each.name for _, each in walk(found.account)] == [
        *("share", "a_head", "home_wage", "wage", "home_counted", "counted")
    ]


def test_the_account_shows_the_months_the_members_and_the_parameter_of_the_day(tmp_path: Path) -> None:
    book = rules.load(write_book(tmp_path))
    wage = {"2026-05": 7, "2026-06": 7, "2026-07": 7, "2026-08": 9}
    situation = book.situation({"persons": {"p": {"wage": wage, "ill": []}}})
    found = book.calculate("most_ill", book.situation({"persons": {"p": {"wage": wage}}}), Span.of("2026-08"), "p")
    assert found.value is None
    account = book.calculate("floor_year", situation, Span.of("2026"), "p").account
    assert account.value == 6 * 100 + 6 * 250
    (months,) = account.parts
    assert months.because.en == "January to June 2026: NT$100 (6 months); July to December 2026: NT$250 (6 months)"
    assert months.because.zh == "民國115年1月至6月：NT$100（6個月）；民國115年7月至12月：NT$250（6個月）"
    assert [part.parameters[0].held.value for part in months.parts] == [100, 250]


def test_inputs_need_known_properties(tmp_path: Path) -> None:
    write_book(tmp_path, {})
    for wrong in ({"period": "day"}, {"at": "noon"}, {"more": 1}, {"period": "once", "otherwise": 1}):
        title = {"en": "x", "zh": "x"}
        dump(
            tmp_path / "inputs.yaml",
            {"i": {"title": title, "entity": "person", "period": "month", "kind": "money", **wrong}},
        )
        with pytest.raises(Problem):
            rules.load(tmp_path)
