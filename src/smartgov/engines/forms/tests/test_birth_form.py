"""The birth form as it is published: the way through it, what is asked of whom, and its schema."""

import pytest
import yaml
from jsonschema import Draft202012Validator

from smartgov.engines import forms
from smartgov.engines.forms.services import load_service
from smartgov.shared import content
from smartgov.shared.problems import Problem

FORM = forms.load(content.ROOT / "forms" / "birth.yaml")
ACCOUNT = {"bank_code": "700", "account": "00012345678901", "holder": "陳怡君"}
FACTS = {
    "registration.father_name": "林志明",
    "registration.father_household": "H1",
    "allowance.refund_account": ACCOUNT,
}
ANSWERS = {
    "parts": ["registration", "allowance"],
    "birth_confirmed": True,
    "birth_remark": None,
    "surname_from": "father",
    "given_name": "小明",
    "household_of": "mother",
    "bank_account": ACCOUNT,
    "contact_email": "m@example.tw",
    "contact_phone": None,
    "declaration": True,
}


def test_the_way_through_resumes_at_the_first_open_question():
    seen, answers = [], {}
    while page := FORM.next_page(answers, FACTS):
        seen.append(page.id)
        answers |= {field.id: ANSWERS[field.id] for field in page.fields if not field.elsewhere}
    assert seen == ["parts", "child", "surname", "name", "household", "account", "contact", "declaration"]
    assert FORM.validate_all(answers, facts=FACTS) == {}


def test_no_money_no_account_page():
    answers = {**ANSWERS, "parts": ["registration", "nhi"], "bank_account": None}
    assert "account" not in [page.id for page in FORM.visible_pages(answers)]
    assert FORM.validate_all(answers, facts=FACTS) == {}


def test_registration_is_always_among_the_parts():
    values, errors = FORM.validate_page("parts", {"parts": ["maternity"]})
    assert (values["parts"], errors) == (["registration", "maternity"], {})


def test_what_is_wrong_is_asked_only_of_who_says_that_something_is():
    assert FORM.validate_page("child", {"birth_confirmed": "yes", "birth_remark": "x"})[0]["birth_remark"] is None
    values, errors = FORM.validate_page("child", {"birth_confirmed": "no"})
    assert values["birth_confirmed"] is False
    assert errors["birth_remark"].zh == "請填寫哪裡有誤"
    assert set(FORM.validate_page("child", {})[1]) == {"birth_confirmed"}


def test_who_has_no_husband_on_record_cannot_choose_his_name_or_household():
    choice = {page.id: page.fields[0] for page in FORM.pages}
    assert [each.value for each in choice["surname"].offered({})] == ["mother"]
    assert FORM.validate_page("surname", {"surname_from": "father"}, facts={})[1]
    assert not FORM.validate_page("surname", {"surname_from": "father"}, facts=FACTS)[1]


def test_the_known_account_is_filled_in():
    (account,) = FORM.page("account").fields
    assert account.initial(FACTS) == ACCOUNT
    assert account.initial({}) is None
    assert FORM.page("parts").fields[0].initial({}) == ["registration", "nhi", "allowance", "maternity"]


@pytest.mark.parametrize(
    ("name", "ok"), [("小明", True), ("𠀀", True), ("小明aa", False), ("ming", False), ("一二三四五", False)]
)
def test_given_names_are_one_to_four_chinese_characters(name, ok):
    values, errors = FORM.validate_page("name", {"given_name": name})
    assert (errors == {}) is ok
    assert ok is (values.get("given_name") == name)


def test_answers_in_words_hide_the_account():
    rows = {row.field: row.value.zh for row in FORM.summary(ANSWERS)}
    assert rows["parts"] == "出生登記（必辦）、未滿2歲育兒津貼"
    assert rows["bank_account"] == "700-**********8901"
    assert "birth_remark" not in rows
    assert next(row for row in FORM.summary(ANSWERS) if row.field == "given_name").page == "name"


def test_schema_takes_what_the_form_takes():
    validator = Draft202012Validator(FORM.json_schema())
    Draft202012Validator.check_schema(FORM.json_schema())
    assert validator.is_valid(ANSWERS)
    for wrong in (
        {"given_name": "ming"},
        {"declaration": False},
        {"parts": ["x"]},
        {"extra": 1},
        {"contact_email": None},
    ):
        assert not validator.is_valid({**ANSWERS, **wrong})


def test_an_unknown_page_is_not_found():
    with pytest.raises(Problem) as caught:
        FORM.page("nothing")
    assert (caught.value.slug, caught.value.status) == ("form-page-unknown", 404)


def test_the_form_asks_what_the_parts_need_and_nothing_else():
    service = load_service(content.ROOT / "services" / "birth.yaml")
    asked = {field.id for page in FORM.pages for field in page.fields if not field.elsewhere} - {"parts"}
    assert asked == {answer for part in service.parts for answer in part.answers}
    facts = {f"{part.id}.{fact.id}" for part in service.parts for fact in part.facts_at("prepare")}
    named = {name for page in FORM.pages for field in page.fields for name in (*field.facts, *field.prefill)}
    named |= {c.needs_fact for page in FORM.pages for f in page.fields for c in f.choices if c.needs_fact}
    named |= {c.detail_fact for page in FORM.pages for f in page.fields for c in f.choices if c.detail_fact}
    assert named <= facts


TEXT = {"en": "T", "zh": "題"}


def page(*fields, **more):
    return {"id": "p", "title": TEXT, "fields": list(fields), **more}


def one(**more):
    return {"id": "a", "kind": "text", "label": TEXT, **more}


@pytest.mark.parametrize(
    "pages",
    [
        [page(one(kind="magic"))],
        [page(one(colour="red"))],
        [page(one(label="x", kind="choice"))],
        [page(one(kind="choice", choices=[{"value": True, "label": TEXT}]))],
        [page(one(choices=[{"value": "x", "label": TEXT}]))],
        [page(one(kind="choice", always=["x"], choices=[{"value": "x", "label": TEXT}]))],
        [page(one(pattern="("))],
        [page(one(pattern="x"))],
        [page(one(id="Big"))],
        [page(one(), one())],
        [page(one()), page(one(id="b"))],
        [page(one(show_if={"var": "later"}), one(id="later", kind="yesno"))],
        [page(one(show_if={"run": 1}))],
        [page(one(label={"en": "only"}))],
    ],
)
def test_incoherent_forms_are_refused(tmp_path, pages):
    path = tmp_path / "f.yaml"
    path.write_text(yaml.safe_dump({"id": "f", "title": TEXT, "pages": pages}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(Problem) as caught:
        forms.load(path)
    assert caught.value.slug == "form-invalid"
