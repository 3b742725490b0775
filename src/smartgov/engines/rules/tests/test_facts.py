"""From rows to one value: each reducer, each way to narrow, and what is not known."""

import pytest

from smartgov.engines.rules.facts import TakeSpec, fill, take
from smartgov.shared.problems import Problem

ME, BABY = "urn:tw:nid:me", "urn:tw:nid:baby"
CHILDREN = [
    {"national_id": "urn:tw:nid:elder", "mother_id": ME, "birth_date": "2020-05-05", "name": "大寶"},
    {"national_id": BABY, "mother_id": ME, "birth_date": "2026-11-01", "name": "小寶"},
    {"national_id": "urn:tw:nid:step", "mother_id": "urn:tw:nid:other", "birth_date": "2019-01-01", "name": "他"},
]
WAGES = [{"month": f"2026-{month:02d}", "insured_wage": 30_000 + month * 100} for month in range(1, 13)]


def context(**more):
    return {"applicant": ME, "on": "2026-11-22", "fact": {"birth_date": "2026-11-01"}, **more}


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ({"first": "name", "where": {"mother_id": "$applicant"}, "order": "-birth_date"}, "小寶"),
        ({"first": "name", "where": {"mother_id": "$applicant"}, "order": "birth_date"}, "大寶"),
        (
            {"first": ["name", "birth_date"], "where": {"national_id": BABY}},
            {"name": "小寶", "birth_date": "2026-11-01"},
        ),
        ({"first": "name", "where": {"national_id": "nobody"}, "default": "none"}, "none"),
        ({"first": "name", "where": {"national_id": "nobody"}}, None),
        ({"count": True, "where": {"mother_id": "$applicant"}}, 2),
        ({"count": True, "where": {"mother_id": "$applicant", "national_id": "$child?"}}, 2),
        ({"exists": True, "where": {"birth_date": "$fact.birth_date"}}, True),
        ({"exists": True, "where": {"birth_date": "2001-01-01"}}, False),
        (
            {"count": True, "if": {"<": [{"date": {"var": "item.birth_date"}}, {"date": {"var": "fact.birth_date"}}]}},
            2,
        ),
    ],
)
def test_rows_become_a_value(spec, value):
    assert take(CHILDREN, spec, context()) == value


def test_an_optional_value_narrows_once_it_is_known():
    spec = {"first": "name", "where": {"mother_id": "$applicant", "national_id": "$child?"}, "order": "birth_date"}
    assert take(CHILDREN, spec, context(child=BABY)) == "小寶"


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ({"sum": "insured_wage", "limit": 2, "order": "month"}, 60_300),
        ({"max": "insured_wage"}, 31_200),
        ({"min": "insured_wage"}, 30_100),
        (
            {
                "avg": "insured_wage",
                "if": {"<=": [{"var": "item.month"}, {"month": {"date": {"var": "fact.birth_date"}}}]},
                "order": "-month",
                "limit": 6,
                "round": 0,
            },
            30_850,
        ),
    ],
)
def test_numbers(spec, value):
    assert take(WAGES, spec, context()) == value


def test_averages_round_halves_up():
    assert take([{"w": 1}, {"w": 2}], {"avg": "w", "round": 0}, context()) == 2


@pytest.mark.parametrize("reducer", ["avg", "max", "min"])
def test_no_rows_have_no_average_and_no_extreme(reducer):
    assert take([], {reducer: "w", "round": 0}, context()) is None


def test_no_rows_sum_to_nothing():
    assert take([], {"sum": "w"}, context()) == 0


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        ([("2026-10-01", "2026-10-10")], 10),
        ([("2026-10-01", "2026-10-10"), ("2026-10-05", "2026-10-12")], 12),
        ([("2026-10-01", "2026-10-20"), ("2026-10-05", "2026-10-06"), ("2026-10-31", None)], 21),
        ([("2026-11-01", None)], 0),
        ([("2026-10-30", "2027-01-01")], 2),
        ([], 0),
    ],
)
def test_days_covered_before_the_birth_count_once(rows, days):
    items = [{"from_date": first, "to_date": last} for first, last in rows]
    spec = {"covered_days": ["from_date", "to_date"], "before": "$fact.birth_date"}
    assert take(items, spec, context()) == days


@pytest.mark.parametrize(
    "spec",
    [
        {"count": True, "where": {"birth_date": "$fact.birth_date"}},
        {"count": True, "if": {"<": [{"var": "item.birth_date"}, {"var": "fact.birth_date"}]}},
        {"covered_days": ["birth_date", "birth_date"], "before": "$fact.birth_date"},
    ],
)
def test_what_rests_on_an_unknown_fact_is_unknown_and_never_zero(spec):
    assert take(CHILDREN, spec, context(fact={"birth_date": None})) is None
    assert take(CHILDREN, spec, context(fact={})) is None


@pytest.mark.parametrize(
    ("rows", "spec"),
    [
        ([{"name": "x"}], {"first": "name", "where": {"mother_id": "$applicant"}}),
        ([{"w": "30000"}], {"sum": "w"}),
        ([{"w": True}], {"sum": "w"}),
        ([{"a": "1/1/2026", "b": None}], {"covered_days": ["a", "b"], "before": "2026-11-01"}),
        ([], {"first": "name", "where": {"mother_id": "$nobody"}}),
        ([{"d": "someday"}], {"count": True, "if": {"<": [{"date": {"var": "item.d"}}, {"date": "2026-01-01"}]}}),
        ([{"d": None}], {"count": True, "if": {"<": [{"date": {"var": "item.d"}}, {"date": "2026-01-01"}]}}),
        ([{"n": 1}, {"n": "x"}], {"first": "n", "order": "n"}),
    ],
)
def test_an_answer_that_is_not_as_declared_is_refused(rows, spec):
    with pytest.raises(Problem) as caught:
        take(rows, spec, context())
    # Not a server error: asking again would not mend the row, a person must look.
    assert (caught.value.slug, caught.value.status) == ("fact-invalid", 422)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"first": "a", "count": True},
        {"first": "a", "sort": "a"},
        {"count": "a"},
        {"sum": ["a", "b"]},
        {"avg": "a"},
        {"covered_days": ["a", "b"]},
        {"first": "a", "before": "x"},
        {"first": "z"},
        {"first": "a", "order": "-z"},
        {"first": "a", "where": {"z": 1}},
        {"first": "a", "if": {"==": [{"var": "item.z"}, 1]}},
    ],
)
def test_incoherent_declarations_are_refused_at_load(raw):
    with pytest.raises(Problem) as caught:
        TakeSpec.of(raw, ["a", "b"])
    assert caught.value.slug == "fact-invalid"


def test_bodies_are_filled_from_the_context():
    body = {"where": {"mother_id": "$applicant", "id": "$notification?"}, "limit": 5, "list": ["$on"]}
    assert fill(body, context()) == {"where": {"mother_id": ME}, "limit": 5, "list": ["2026-11-22"]}
    assert fill(body, context(notification="n1"))["where"]["id"] == "n1"
