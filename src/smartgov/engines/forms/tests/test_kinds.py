"""Each kind of field: what is taken, in which form, and what is said about the rest, in both languages."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.engines.forms import Choice, Field, kinds
from smartgov.shared.clock import TAIPEI, travelling
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id


def field(kind, **more):
    name = Text("Start date", "開始日期") if kind == "date" else Text("Answer", "答案")
    return Field(id="a", kind=kind, label=name, name=name, **more)


REAL = ("Start date must be a real date", "開始日期須為實際存在的日期")
LISTED = ("Select answers from the list", "請從選項中選擇")
MAIL = (
    "Enter an e-mail address in the right form, like name@example.com",
    "請填寫格式正確的電子郵件，例如name@example.com",
)
FORM = ("Answer must be a letter and 9 digits, like A123456789", "答案須為1個英文字母及9個數字，例如A123456789")
DIGITS = ("Account number must be 10 to 16 digits", "帳號須為10至16個數字")
CHOICES = (
    Choice("x", Text("X", "甲")),
    Choice("y", Text("Y", "乙"), needs_fact="p.f"),
    Choice("z", Text("Z", "丙")),
)
ACCOUNT = {"bank_code": "700", "account": "00012345678901", "holder": "陳怡君"}


@pytest.mark.parametrize(
    ("given", "posted", "value"),
    [
        (field("text"), {"a": "  two   words\t"}, "two words"),
        (field("text", multiline=True), {"a": "one\r\ntwo"}, "one\ntwo"),
        (field("text"), {"a": "a\u200bb\u0007c"}, "abc"),
        (field("text", required=False), {"a": "  "}, None),
        (field("text", pattern="[a-z]+", pattern_error=Text("Letters", "字母")), {"a": "abc"}, "abc"),
        (field("date"), {"a_y": "115", "a_m": "11", "a_d": "2"}, "2026-11-02"),
        (field("date"), {"a_y": "2026", "a_m": "02", "a_d": "28"}, "2026-02-28"),
        (field("date", required=False), {}, None),
        (field("choice", choices=CHOICES), {"a": "x"}, "x"),
        (field("choice", choices=CHOICES), {"a": ["x", "z"]}, "z"),
        (field("choice", choices=CHOICES, required=False), {}, None),
        (field("choice", choices=CHOICES, multiple=True), {"a": ["z", "x"]}, ["x", "z"]),
        (field("choice", choices=CHOICES, multiple=True), {"a": "z"}, ["z"]),
        (field("choice", choices=CHOICES, multiple=True, always=("x",)), {}, ["x"]),
        (field("choice", choices=CHOICES, multiple=True, required=False), {}, []),
        (field("yesno"), {"a": "no"}, False),
        (field("yesno", required=False), {}, None),
        (field("fact"), {"a": "yes"}, True),
        (field("consent"), {"a": "on"}, True),
        (field("consent", required=False), {}, False),
        (field("national_id"), {"a": " a123456789 "}, "A123456789"),
        (field("national_id"), {"a": "Ａ１２３４５６７８９"}, "A123456789"),
        (field("email"), {"a": "mother@example.tw"}, "mother@example.tw"),
        (field("phone"), {"a": "0912-345 678"}, "0912345678"),
        (field("phone"), {"a": "+886 912 345 678"}, "0912345678"),
        (field("phone"), {"a": "(02) 2345-6789"}, "0223456789"),
        (
            field("bank_account"),
            {"a_bank": "700", "a_account": "0001-2345678901"},
            {"bank_code": "700", "account": "00012345678901"},
        ),
        (field("bank_account", required=False), {}, None),
    ],
)
def test_what_is_taken(given, posted, value):
    assert kinds.read(given, posted, {}) == value


@pytest.mark.parametrize(
    ("given", "posted", "en", "zh"),
    [
        (field("text"), {}, "Enter answer", "請填寫答案"),
        (field("text", max_length=3), {"a": "abcd"}, "Answer must be 3 characters or fewer", "答案不得超過3個字"),
        (field("text", pattern="[a-z]+", pattern_error=Text("Letters", "字母")), {"a": "1"}, "Letters", "字母"),
        (field("date"), {}, "Enter start date", "請填寫開始日期"),
        (field("date"), {"a_y": "115"}, "Start date must include a month and a day", "開始日期請填寫月、日"),
        (
            field("date"),
            {"a_y": "115", "a_m": "2", "a_d": "30"},
            *REAL,
        ),
        (
            field("date"),
            {"a_y": "abc", "a_m": "2", "a_d": "3"},
            *REAL,
        ),
        (
            field("date"),
            {"a_y": "0", "a_m": "2", "a_d": "3"},
            *REAL,
        ),
        (
            field("date"),
            {"a_y": "11500", "a_m": "2", "a_d": "3"},
            *REAL,
        ),
        (field("choice", choices=CHOICES), {}, "Select answer", "請選擇答案"),
        (field("choice", choices=CHOICES), {"a": "q"}, "Select an answer from the list", "請從選項中選擇"),
        (field("choice", choices=CHOICES), {"a": "y"}, "Select an answer from the list", "請從選項中選擇"),
        (field("choice", choices=CHOICES, multiple=True), {}, "Select answer", "請選擇答案"),
        (
            field("choice", choices=CHOICES, multiple=True),
            {"a": ["x", "q"]},
            *LISTED,
        ),
        (field("yesno"), {"a": "maybe"}, "Select yes or no", "請選擇是或否"),
        (field("yesno"), {}, "Select yes or no: answer", "請選擇是或否：答案"),
        (field("fact"), {}, "Select whether this is right", "請選擇資料是否正確"),
        (field("consent"), {}, "Tick the box to confirm", "請勾選以表示同意"),
        (field("national_id"), {}, "Enter answer", "請填寫答案"),
        (
            field("national_id"),
            {"a": "A12"},
            *FORM,
        ),
        (
            field("national_id"),
            {"a": "A123456788"},
            "Check answer: its last digit does not fit the others",
            "請檢查答案，檢查碼不符",
        ),
        (
            field("email"),
            {"a": "x@y"},
            *MAIL,
        ),
        (
            field("email"),
            {"a": "a@b.tw\nBcc: c@d.tw"},
            *MAIL,
        ),
        (field("phone"), {"a": "12345"}, "Enter a phone number, like 0912 345 678", "請填寫電話號碼，例如0912345678"),
        (
            field("bank_account"),
            {"a_account": "0001234567"},
            "Bank code must be 3 digits, like 700",
            "銀行代碼須為3個數字，例如700",
        ),
        (
            field("bank_account"),
            {"a_bank": "700", "a_account": "12"},
            *DIGITS,
        ),
        (
            field("bank_account"),
            {"a_bank": "700", "a_account": "１２３４５６７８９"},
            *DIGITS,
        ),
    ],
)
def test_what_is_said_about_the_rest(given, posted, en, zh):
    with pytest.raises(kinds.Wrong) as caught:
        kinds.read(given, posted, {})
    assert (caught.value.text.en, caught.value.text.zh) == (en, zh)


def test_a_choice_opens_with_its_fact():
    assert kinds.read(field("choice", choices=CHOICES), {"a": "y"}, {"p.f": "known"}) == "y"


def test_the_account_a_register_told_keeps_its_holder_and_another_does_not():
    given = field("bank_account", prefill=("p.account",))
    told = {"a_bank": "700", "a_account": ACCOUNT["account"]}
    assert kinds.read(given, told, {"p.account": ACCOUNT}) == ACCOUNT
    assert kinds.read(given, {**told, "a_bank": "004"}, {"p.account": ACCOUNT}) == {
        "bank_code": "004",
        "account": ACCOUNT["account"],
    }


@pytest.mark.parametrize(("day", "ok"), [("20", False), ("21", True), ("22", True), ("23", False)])
def test_dates_keep_their_bounds_in_taiwans_day(day, ok):
    given = field("date", earliest="2026-11-21", latest="today")
    posted = {"a_y": "2026", "a_m": "11", "a_d": day}
    with travelling(to=datetime(2026, 11, 22, 0, 30, tzinfo=TAIPEI)):
        if ok:
            assert kinds.read(given, posted, {}) == f"2026-11-{day}"
        else:
            with pytest.raises(kinds.Wrong, match=r"(today or earlier|21 November 2026 or later)$"):
                kinds.read(given, posted, {})


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (field("text"), "abc"),
        (field("date"), "2026-11-02"),
        (field("choice", choices=CHOICES, multiple=True), ["x", "z"]),
        (field("yesno"), False),
        (field("consent"), True),
        (field("bank_account", prefill=("p.account",)), ACCOUNT),
        (field("text", required=False), None),
    ],
)
def test_stored_values_are_read_again_as_they_were(given, value):
    assert kinds.read(given, kinds.write(given, value), {"p.account": ACCOUNT}) == value


def outcome(given, posted):
    try:
        return kinds.read(given, posted, {}), None
    except kinds.Wrong as wrong:
        return None, wrong.text


@given(st.text(max_size=30))
def test_no_text_breaks_any_kind(text):
    for kind in ("text", "national_id", "email", "phone", "yesno", "fact", "consent"):
        value, wrong = outcome(field(kind), {"a": text})
        assert (value is None) != (wrong is None)
        assert wrong is None or (wrong.en and wrong.zh)
        assert kind != "national_id" or value is None or national_id.is_valid(value)


@given(st.dates(min_value=date(1912, 1, 1), max_value=date(2100, 1, 1)))
def test_roc_and_common_years_mean_the_same_day(day):
    rest = {"a_m": str(day.month), "a_d": str(day.day)}
    roc = kinds.read(field("date"), {"a_y": str(day.year - 1911), **rest}, {})
    assert roc == kinds.read(field("date"), {"a_y": str(day.year), **rest}, {}) == day.isoformat()


def test_values_in_words():
    assert kinds.in_words(field("choice", choices=CHOICES, multiple=True), ["x", "z"]) == Text("X, Z", "甲、丙")
    assert kinds.in_words(field("date"), "2026-11-02") == Text("2 November 2026", "民國115年11月2日")
    assert kinds.in_words(field("yesno"), True) == Text("yes", "是")
    assert kinds.in_words(field("bank_account"), ACCOUNT).zh == "700-**********8901"
    assert kinds.fact_in_words({"township": "花蓮縣玉里鎮", "address": "中山路1號"}).zh == "花蓮縣玉里鎮中山路1號"
    assert kinds.fact_in_words("male", "sex").en == "Boy"
    assert kinds.fact_in_words("2026-11-02", "date").zh == "民國115年11月2日"
    assert kinds.fact_in_words(38200, "money").en == "NT$38,200"
