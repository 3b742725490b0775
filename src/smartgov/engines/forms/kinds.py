"""Each kind of field: from what was posted to a JSON value or one sentence that says what to do; and back.

Names of inputs: the field's id; for dates `<id>_y`, `<id>_m`, `<id>_d`; for bank accounts `<id>_bank`, `<id>_account`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from smartgov.engines.forms.definition import Field
from smartgov.engines.rules.wording import show
from smartgov.shared import clock
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id
from smartgov.shared.tw.accounts import is_valid_account, masked
from smartgov.shared.tw.roc import from_written

Posted = Mapping[str, str | Sequence[str]]
_EMAIL = re.compile(r"[^\s@,;<>\"()\[\]\\]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
CONFIRMED = {True: Text("Yes, this is right", "是，資料正確"), False: Text("No, something is wrong", "否，資料有誤")}
_SEX = {"male": Text("Boy", "男"), "female": Text("Girl", "女")}


class Wrong(Exception):
    """What was posted cannot be taken; `text` is the sentence for the reader."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


def read(field: Field, posted: Posted, facts: Mapping[str, Any]) -> Any:
    """The JSON value of a field, None when an optional one was left empty; Wrong with a sentence otherwise."""
    return _READ[field.kind](field, posted, facts)


def write(field: Field, value: Any) -> dict[str, str | list[str]]:
    """The inputs that hold a stored value again: the reverse of `read`."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {field.id: "yes" if value else "no"}
    if field.kind == "date":
        year, month, day = str(value).split("-")
        return {f"{field.id}_y": year, f"{field.id}_m": month, f"{field.id}_d": day}
    if field.kind == "bank_account":
        return {f"{field.id}_bank": str(value["bank_code"]), f"{field.id}_account": str(value["account"])}
    return {field.id: [str(item) for item in value] if isinstance(value, list) else str(value)}


def in_words(field: Field, value: Any) -> Text:
    """A stored value as a page shows it; an account number shows its last digits only."""
    if field.kind == "choice":
        chosen = value if isinstance(value, list) else [value]
        labels = [choice.label for choice in field.choices if choice.value in chosen]
        return Text(", ".join(label.en for label in labels), "、".join(label.zh for label in labels))
    if field.kind == "fact" and isinstance(value, bool):
        return CONFIRMED[value]
    return fact_in_words(date.fromisoformat(value) if field.kind == "date" else value)


def fact_in_words(value: Any, kind: str = "", labels: Mapping[str, Text] | None = None) -> Text:
    """A fetched fact as a page shows it; `kind` and `labels` are the fact's own in the service definition."""
    if isinstance(value, Mapping):
        return _object_in_words(value)
    if kind == "sex":
        return _SEX.get(str(value), Text.of(str(value)))
    if kind == "date" and isinstance(value, str):
        value = date.fromisoformat(value)
    return show(value, kind, labels)


def _object_in_words(value: Mapping[str, Any]) -> Text:
    if "account" in value:
        return Text.of(f"{value.get('bank_code', '')}-{masked(str(value['account']))}")
    if "address" in value:
        return Text.of(f"{value.get('township', '')}{value['address']}")
    return Text.of(" ".join(str(part) for part in value.values() if part is not None))


def request(field: Field) -> Text:
    """The sentence that asks for a field that was never answered."""
    verb, zh = ("Select", "請選擇") if field.kind == "choice" else ("Enter", "請填寫")
    return Text(f"{verb} {_lower(field.name.en)}", f"{zh}{_bare(field.name.zh)}")


def _bare(name: str) -> str:
    return name.removesuffix("？").removesuffix("（選填）")


def _one(posted: Posted, name: str) -> str:
    """The input's text, normalised, without control characters and outer spaces; of several, the last."""
    value = posted.get(name, "")
    if not isinstance(value, str):
        value = value[-1] if value else ""
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n")
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs")).strip()


def _lower(text: str) -> str:
    """A name inside a sentence: a first capital goes unless the word is an abbreviation."""
    word = text.removesuffix("?").removesuffix(" (optional)")
    return word if word[:2].isupper() else word[:1].lower() + word[1:]


def _empty(field: Field, verb: str = "Enter", zh: str = "請填寫") -> None:
    """An empty optional field is None; an empty required one is asked for."""
    if field.required:
        raise Wrong(f"{verb} {_lower(field.name.en)}", f"{zh}{_bare(field.name.zh)}")


def _text(field: Field, posted: Posted, _facts: Mapping[str, Any]) -> Any:
    text = _one(posted, field.id)
    if not field.multiline:
        text = " ".join(text.split())
    if not text:
        return _empty(field)
    if field.pattern and not re.fullmatch(field.pattern, text):
        assert field.pattern_error is not None
        raise Wrong(field.pattern_error.en, field.pattern_error.zh)
    if len(text) > field.max_length:
        raise Wrong(
            f"{field.name.en} must be {field.max_length} characters or fewer",
            f"{field.name.zh}不得超過{field.max_length}個字",
        )
    return text


def _date(field: Field, posted: Posted, _facts: Mapping[str, Any]) -> Any:
    """Three inputs; a year below 1000 counts from 1912 (ROC)."""
    parts = {name: _one(posted, f"{field.id}_{name[0]}") for name in ("year", "month", "day")}
    if not any(parts.values()):
        return _empty(field)
    zh = {"year": "年", "month": "月", "day": "日"}
    absent = [name for name, text in parts.items() if not text]
    if absent:
        raise Wrong(
            f"{field.name.en} must include a {' and a '.join(absent)}",
            f"{field.name.zh}請填寫{'、'.join(zh[name] for name in absent)}",
        )
    day = _real_date(field, parts)
    _within(field, day)
    return day.isoformat()


def _real_date(field: Field, parts: Mapping[str, str]) -> date:
    try:
        digits = [int(text) for text in parts.values() if re.fullmatch(r"\d{1,4}", text, re.ASCII)]
        year, month, day = digits
        return from_written(year, month, day)
    except ValueError as error:
        raise Wrong(f"{field.name.en} must be a real date", f"{field.name.zh}須為實際存在的日期") from error


def _within(field: Field, day: date) -> None:
    earliest, latest = _bound(field.earliest), _bound(field.latest)
    if earliest and day < earliest:
        shown = show(earliest)
        raise Wrong(f"{field.name.en} must be {shown.en} or later", f"{field.name.zh}不得早於{shown.zh}")
    if latest and day > latest:
        shown = Text("today", "今天") if field.latest == "today" else show(latest)
        raise Wrong(f"{field.name.en} must be {shown.en} or earlier", f"{field.name.zh}不得晚於{shown.zh}")


def _bound(text: str | None) -> date | None:
    if text is None:
        return None
    return clock.today() if text == "today" else date.fromisoformat(str(text))


def _choice(field: Field, posted: Posted, facts: Mapping[str, Any]) -> Any:
    offered = [choice.value for choice in field.offered(facts)]
    if field.multiple:
        return _choices(field, posted, offered)
    value = _one(posted, field.id)
    if not value:
        return _empty(field, "Select", "請選擇")
    if value not in offered:
        raise Wrong("Select an answer from the list", "請從選項中選擇")
    return value


def _choices(field: Field, posted: Posted, offered: list[str]) -> Any:
    given = posted.get(field.id, [])
    wanted = {given} if isinstance(given, str) else set(given)
    wanted = (wanted - {""}) | set(field.always)
    if wanted - set(offered):
        raise Wrong("Select answers from the list", "請從選項中選擇")
    if not wanted:
        _empty(field, "Select", "請選擇")
    return [value for value in offered if value in wanted]


def _yesno(field: Field, posted: Posted, _facts: Mapping[str, Any]) -> Any:
    value = _one(posted, field.id)
    if value in ("yes", "no"):
        return value == "yes"
    if value:
        raise Wrong("Select yes or no", "請選擇是或否")
    return _empty(field, "Select yes or no:", "請選擇是或否：")


def _fact(field: Field, posted: Posted, _facts: Mapping[str, Any]) -> Any:
    """What was fetched is confirmed (true) or called wrong (false); a blank answer is asked for."""
    value = _one(posted, field.id)
    if value in ("yes", "no"):
        return value == "yes"
    raise Wrong("Select whether this is right", "請選擇資料是否正確")


def _consent(field: Field, posted: Posted, _facts: Mapping[str, Any]) -> Any:
    if _one(posted, field.id) in ("yes", "on", "true"):
        return True
    if field.required:
        raise Wrong("Tick the box to confirm", "請勾選以表示同意")
    return False


def _national_id(field: Field, posted: Posted, _facts: Mapping[str, Any]) -> Any:
    value = unicodedata.normalize("NFKC", _one(posted, field.id)).upper().replace(" ", "")
    if not value:
        return _empty(field)
    if not re.fullmatch(r"[A-Z]\d{9}", value, re.ASCII):
        raise Wrong(
            f"{field.name.en} must be a letter and 9 digits, like A123456789",
            f"{field.name.zh}須為1個英文字母及9個數字，例如A123456789",
        )
    if not national_id.is_valid(value):
        raise Wrong(
            f"Check {_lower(field.name.en)}: its last digit does not fit the others",
            f"請檢查{field.name.zh}，檢查碼不符",
        )
    return value


def _bank_account(field: Field, posted: Posted, facts: Mapping[str, Any]) -> Any:
    bank, account = (_digits(posted, f"{field.id}_{name}") for name in ("bank", "account"))
    if not bank and not account:
        return _empty(field)
    if not re.fullmatch(r"\d{3}", bank, re.ASCII):
        raise Wrong("Bank code must be 3 digits, like 700", "銀行代碼須為3個數字，例如700")
    if not is_valid_account(bank, account):
        raise Wrong("Account number must be 10 to 16 digits", "帳號須為10至16個數字")
    holder = _holder(field, bank, account, facts)
    return {"bank_code": bank, "account": account, **({"holder": holder} if holder else {})}


def _holder(field: Field, bank: str, account: str, facts: Mapping[str, Any]) -> str:
    """The holder's name when the account is the one that a register told."""
    for name in field.prefill:
        known = facts.get(name)
        if isinstance(known, Mapping) and (known.get("bank_code"), known.get("account")) == (bank, account):
            return str(known.get("holder") or "").strip()
    return ""


def _digits(posted: Posted, name: str) -> str:
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", _one(posted, name)))


def _email(field: Field, posted: Posted, _facts: Mapping[str, Any]) -> Any:
    value = unicodedata.normalize("NFKC", _one(posted, field.id))
    if not value:
        return _empty(field)
    if not _EMAIL.fullmatch(value) or len(value) > 254:
        raise Wrong(
            "Enter an e-mail address in the right form, like name@example.com",
            "請填寫格式正確的電子郵件，例如name@example.com",
        )
    return value


def _phone(field: Field, posted: Posted, _facts: Mapping[str, Any]) -> Any:
    """Taiwan's numbers in national form; +886 is taken as well."""
    value = re.sub(r"[()#.]", "", _digits(posted, field.id))
    if not value:
        return _empty(field)
    value = re.sub(r"^\+8860?", "0", value)
    if not re.fullmatch(r"0\d{8,9}", value, re.ASCII):
        raise Wrong("Enter a phone number, like 0912 345 678", "請填寫電話號碼，例如0912345678")
    return value


_READ: dict[str, Callable[[Field, Posted, Mapping[str, Any]], Any]] = {
    "text": _text,
    "date": _date,
    "choice": _choice,
    "yesno": _yesno,
    "fact": _fact,
    "consent": _consent,
    "national_id": _national_id,
    "bank_account": _bank_account,
    "email": _email,
    "phone": _phone,
}
