"""How rule files are read: refused without source or day, changed by changing a file, dated, explained."""

import json
from datetime import date

import pytest
import yaml

from smartgov.engines import rules
from smartgov.shared.canonical import dumps
from smartgov.shared.problems import Problem

SOURCE = {
    "title": {"en": "Act", "zh": "法"},
    "article": {"en": "Article 1", "zh": "第1條"},
    "url": "https://law.example/1",
}
NEW = {**SOURCE, "article": {"en": "Article 1 as amended", "zh": "修正第1條"}}
ON = date(2026, 6, 1)


def parameter(**more):
    return {
        "name": "limit",
        "unit": "ntd",
        "title": {"en": "Limit", "zh": "上限"},
        "values": [{"from": date(2020, 1, 1), "value": 100, "verified": True, "source": SOURCE}],
        **more,
    }


def version(**more):
    text = {"en": "Income at most {param.limit}", "zh": "收入不超過{param.limit}"}
    return {
        "from": date(2020, 1, 1),
        "source": SOURCE,
        "facts": {"income": {"kind": "money", "title": {"en": "income", "zh": "收入"}}},
        "conditions": [{"id": "low", "text": text, "when": {"<=": [{"var": "fact.income"}, {"var": "param.limit"}]}}],
        "values": [
            {
                "id": "amount",
                "title": {"en": "Amount", "zh": "金額"},
                "kind": "ntd",
                "value": {"-": [{"var": "param.limit"}, {"var": "fact.income"}]},
            }
        ],
        "summary": {
            outcome: {"en": f"{outcome}: {{value.amount}}", "zh": f"{outcome}：{{value.amount}}"}
            for outcome in ("granted", "refused", "undecided")
        },
        **more,
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "parameters").mkdir()
    write(tmp_path, parameter(), version())
    return tmp_path


def write(folder, param, *versions):
    rule = {"id": "aid", "title": {"en": "Aid", "zh": "補助"}, "agency": "x", "versions": list(versions)}
    (folder / "parameters" / "limit.yaml").write_text(yaml.safe_dump(param, allow_unicode=True), encoding="utf-8")
    (folder / "rules" / "aid.yaml").write_text(yaml.safe_dump(rule, allow_unicode=True), encoding="utf-8")


def value(**more):
    return {"from": date(2020, 1, 1), "value": 100, "verified": True, "source": SOURCE, **more}


@pytest.mark.parametrize(
    ("param", "rule"),
    [
        (parameter(values=[value(source=None)]), version()),
        (parameter(values=[value(source={**SOURCE, "url": ""})]), version()),
        (parameter(values=[value(source={**SOURCE, "url": "http://law.example"})]), version()),
        (parameter(values=[value(**{"from": None})]), version()),
        (parameter(values=[value(**{"from": "2020"})]), version()),
        (parameter(), version(source=None)),
        (parameter(), version(source={"title": "Act"})),
        (parameter(), version(**{"from": None})),
    ],
)
def test_without_source_or_day_nothing_is_loaded(folder, param, rule):
    write(folder, param, rule)
    with pytest.raises(Problem) as caught:
        rules.load(folder)
    assert caught.value.slug == "rule-unsourced"


@pytest.mark.parametrize(
    ("param", "rule"),
    [
        (parameter(values=[]), version()),
        (parameter(unit="euro"), version()),
        (parameter(name="other"), version()),
        (parameter(values=[value(value=1.5)]), version()),
        (parameter(values=[value(verified="yes")]), version()),
        (parameter(values=[value(), value()]), version()),
        (parameter(title={"en": "only"}), version()),
        (parameter(), version(conditions=[{"id": "a", "text": "t", "when": {"==": [{"var": "fact.x"}, 1]}}])),
        (parameter(), version(conditions=[{"id": "a", "text": "t", "when": {"==": [{"var": "param.x"}, 1]}}])),
        (parameter(), version(conditions=[{"id": "a", "text": "t", "when": {"run": "x"}}])),
        (parameter(), version(conditions=[{"id": "a", "text": "{fact.x}", "when": True}])),
        (parameter(), version(summary={"granted": "ok"})),
        (parameter(), version(facts={"income": {"kind": "thing", "title": "t"}})),
    ],
)
def test_incoherent_files_are_refused(folder, param, rule):
    write(folder, param, rule)
    with pytest.raises(Problem) as caught:
        rules.load(folder)
    assert caught.value.slug == "rule-invalid"


def test_yaml_that_is_not_yaml_is_refused(folder):
    (folder / "rules" / "aid.yaml").write_text("id: {aid", encoding="utf-8")
    with pytest.raises(Problem, match="not well-formed"):
        rules.load(folder)


def test_a_decision_explains_itself_from_the_tree(folder):
    decision = rules.load(folder).decide("aid", {"income": 60, "unasked": "x"}, ON)
    low, amount = decision.explanation
    assert (decision.outcome, decision.values) == ("granted", {"amount": 40})
    assert low.text.en == "Income at most NT$100"
    assert low.because.zh == "收入（NT$60）不超過上限（NT$100）：成立"
    assert (low.facts_used, low.parameter, low.parameters[0].held.value) == ({"income": 60}, "limit", 100)
    assert amount.because.en == "limit (NT$100) − income (NT$60) = NT$40"
    assert low.source.short().en == "Act, Article 1"


def test_changing_a_parameter_file_changes_amount_explanation_and_citation(folder):
    before = rules.current(folder).decide("aid", {"income": 60}, ON)
    values = [value(), value(**{"from": date(2026, 1, 1), "value": 200, "source": NEW, "verified": False})]
    write(folder, parameter(values=values), version())
    after = rules.current(folder).decide("aid", {"income": 60}, ON)
    assert (before.values["amount"], after.values["amount"]) == (40, 140)
    assert after.explanation[0].text.zh == "收入不超過NT$200"
    cited = after.explanation[0].as_dict()["parameters"][0]
    assert (cited["source"]["article"]["en"], cited["from"], cited["verified"]) == (
        "Article 1 as amended",
        "2026-01-01",
        False,
    )
    assert before.version != after.version


def test_the_value_in_force_on_the_day_of_application_counts(folder):
    values = [value(), value(**{"from": date(2026, 6, 2), "value": 200})]
    write(folder, parameter(values=values), version())
    book = rules.load(folder)
    assert book.decide("aid", {"income": 0}, ON).values == {"amount": 100}
    assert book.decide("aid", {"income": 0}, date(2026, 6, 2)).values == {"amount": 200}


def test_a_parameter_not_yet_in_force_leaves_the_case_to_a_person(folder):
    write(folder, parameter(values=[value(**{"from": date(2027, 1, 1)})]), version())
    decision = rules.load(folder).decide("aid", {"income": 0}, ON)
    assert (decision.outcome, decision.missing) == ("undecided", ("param.limit",))


def test_the_version_of_the_rule_in_force_counts(folder):
    later = version(**{"from": date(2026, 7, 1), "conditions": []})
    write(folder, parameter(), version(), later)
    book = rules.load(folder)
    assert book.decide("aid", {"income": 900}, ON).outcome == "refused"
    assert book.decide("aid", {"income": 900}, date(2026, 7, 1)).outcome == "granted"


@pytest.mark.parametrize("facts", [{}, {"income": None}])
def test_what_is_missing_is_named_and_no_amount_is_invented(folder, facts):
    decision = rules.load(folder).decide("aid", facts, ON)
    assert (decision.outcome, decision.expected, decision.missing) == ("undecided", True, ("income",))
    assert decision.values == {}
    assert decision.summary.en == "undecided: not known yet"


@pytest.mark.parametrize("income", ["60", True, 60.0, [60]])
def test_a_fact_of_the_wrong_kind_is_a_problem_of_the_register(folder, income):
    with pytest.raises(Problem) as caught:
        rules.load(folder).decide("aid", {"income": income}, ON)
    assert caught.value.slug == "fact-invalid"


def test_the_json_form_is_canonical(folder):
    decision = rules.load(folder).decide("aid", {"income": 60}, ON)
    assert json.loads(dumps(decision.as_dict())) == json.loads(json.dumps(decision.as_dict()))
    assert decision.as_dict()["explanation"][0]["tree"]["children"][0]["path"] == "fact.income"


def test_a_refusal_carries_no_amount(folder):
    decision = rules.load(folder).decide("aid", {"income": 101}, ON)
    assert (decision.outcome, decision.values) == ("refused", {})
    assert [(step.kind, step.holds) for step in decision.explanation] == [("condition", False)]


def test_an_unknown_rule_is_a_mistake_and_not_a_refusal(folder):
    with pytest.raises(Problem) as caught:
        rules.load(folder).decide("nothing", {}, ON)
    assert caught.value.slug == "rule-invalid"
