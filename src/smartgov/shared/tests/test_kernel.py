"""The kernel: ids, dates, money, text, problems, canonical JSON, settings, sealed values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgov.shared import canonical, clock, content, homes, ids, money, sealed, settings
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import accounts, names, national_id, roc


def test_the_clock_moves_only_within_the_block() -> None:
    before = clock.now()
    with clock.travelling(delta=timedelta(days=60)):
        assert clock.now() - before >= timedelta(days=60)
    assert clock.now() - before < timedelta(days=1)


def test_the_clock_moves_to_an_instant_and_taipei_is_eight_hours_ahead() -> None:
    with clock.travelling(to=datetime(2026, 1, 1, 16, 30, tzinfo=UTC)):
        assert clock.today() == date(2026, 1, 2)


def test_ids_sort_by_time_and_are_version_seven() -> None:
    made = [ids.uuid7() for _ in range(50)]
    assert len(set(made)) == 50
    assert [value[:18] for value in made] == sorted(value[:18] for value in made)
    assert all(value[14] == "7" and value[19] in "89ab" and ids.is_uuid(value) for value in made)
    assert not ids.is_uuid("1; drop table")


@given(st.integers(0, national_id.CAPACITY - 1), st.sampled_from([1, 2]))
def test_made_national_ids_are_valid_marked_and_survive_the_urn(serial: int, sex: int) -> None:
    value = national_id.make(serial, sex)
    assert national_id.is_valid(value)
    assert national_id.is_synthetic(value)
    assert national_id.from_urn(national_id.urn(value)) == value


@given(st.integers(0, national_id.CAPACITY - 1), st.integers(1, 9))
def test_a_wrong_check_digit_is_noticed(serial: int, step: int) -> None:
    # Only the check digit: the scheme's even weights let some other single errors pass.
    value = national_id.make(serial, 1)
    assert not national_id.is_valid(value[:-1] + str((int(value[-1]) + step) % 10))


def test_the_published_example_is_valid_and_not_marked() -> None:
    assert national_id.is_valid("A123456789")
    assert not national_id.is_synthetic("A123456789")


@pytest.mark.parametrize("value", ["", "a123456789", "A323456789", "A12345678", "A1234567890", "A123456788"])
def test_what_is_not_a_national_id(value: str) -> None:
    assert not national_id.is_valid(value)
    with pytest.raises(ValueError, match="URN"):
        national_id.from_urn("urn:tw:nid:" + value)


def test_ids_are_found_inside_text_but_not_inside_longer_words() -> None:
    assert national_id.FINDER.findall("x A123456789, xA123456789 A1234567890") == ["A123456789"]


def test_roc_dates() -> None:
    assert roc.roc_date(date(2026, 11, 22)) == "民國115年11月22日"
    assert roc.from_written(115, 11, 22) == roc.from_written(2026, 11, 22) == date(2026, 11, 22)
    with pytest.raises(ValueError, match="start at 1"):
        roc.from_roc(0, 1, 1)


def test_accounts_and_names_are_masked() -> None:
    assert accounts.is_valid_account("700", "00012345678901")
    assert not accounts.is_valid_account("70", "12345")
    assert accounts.masked("1234567890") == "******7890"
    assert [names.masked(n) for n in ("王小明", "王明", "歐陽小明", "王")] == ["王○明", "王○", "歐○○明", "○"]


@pytest.mark.parametrize("value", [1.5, True, -1, "5"])
def test_money_is_whole_dollars(value: object) -> None:
    with pytest.raises(ValueError, match="money"):
        money.require_ntd(value)


def test_money_is_written_with_its_currency() -> None:
    assert money.format_ntd(5000) == "NT$5,000"


def test_text_has_both_languages_and_fills_each_in_its_own() -> None:
    text = Text("{what} of {n}", "{n} 的 {what}").format(what=Text("Part", "部分"), n=3)
    assert (text.en, text.zh) == ("Part of 3", "3 的 部分")
    assert text.in_language("en-GB") == "Part of 3"
    assert Text.of(text.as_dict()) == text
    with pytest.raises(ValueError, match="en and zh"):
        Text.of({"en": "only"})


def test_a_problem_says_what_why_and_what_to_do() -> None:
    problem = Problem("a-b", 409, what=Text("W", "甲"), why=Text("Y", "乙"), todo=Text("T", "丙"), case="1")
    body = problem.as_dict("en")
    assert body == {
        "type": "urn:smartgov:problem:a-b",
        "title": "W",
        "status": 409,
        "detail": "Y T",
        "todo": "T",
        "case": "1",
    }
    assert problem.as_dict()["title"] == "甲"


def test_an_id_has_plain_digits_only() -> None:
    """Another spelling of the same id would be another person in every log."""
    value = national_id.make(7, 2)
    wide = value[0] + "".join(chr(ord(digit) + 0xFEE0) for digit in value[1:])
    arabic = value[:2] + "".join(chr(0x0660 + int(digit)) for digit in value[2:])
    for other in (wide, arabic, value[:-1] + wide[-1]):
        assert not national_id.is_valid(other)
        assert national_id.FINDER.search(other) is None


def test_canonical_json_has_one_form_and_no_floats() -> None:
    assert canonical.dumps({"b": [1, "字"], "a": None}) == '{"a":null,"b":[1,"字"]}'.encode()
    with pytest.raises(ValueError, match="float"):
        canonical.dumps({"a": [1.0]})


def test_unknown_settings_are_named() -> None:
    assert settings.unknown({"SMARTGOV_PROT": "1", "SMARTGOV_PORT": "1", "HOME": "/"}) == ["SMARTGOV_PROT"]


def test_a_setting_comes_from_environment_then_file_then_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("SMARTGOV_PORT: 9000\nSMARTGOV_DEMO: true\n")
    monkeypatch.delenv("SMARTGOV_PORT", raising=False)
    monkeypatch.setenv("SMARTGOV_CONFIG", str(file))
    assert settings.get("SMARTGOV_PORT") == "9000"
    assert settings.get_bool("SMARTGOV_DEMO")
    monkeypatch.setenv("SMARTGOV_PORT", "9100")
    assert settings.get("SMARTGOV_PORT") == "9100"
    monkeypatch.setenv("SMARTGOV_DEMO", "maybe")
    with pytest.raises(ValueError, match="yes or no"):
        settings.get_bool("SMARTGOV_DEMO")


def test_sealed_values_open_only_in_their_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "data.key"
    sealed.create_data_key(key)
    assert key.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("SMARTGOV_DATA_KEY_FILE", str(key))
    token = sealed.seal("王小明", "identity.name")
    assert sealed.unseal(token, "identity.name") == "王小明"
    assert sealed.seal("王小明", "identity.name") != token
    with pytest.raises(Problem, match="seal-broken"):
        sealed.unseal(token, "identity.email")
    assert sealed.blind_index("x", "a") == sealed.blind_index("x", "a") != sealed.blind_index("x", "b")


@pytest.mark.parametrize("agency", ["../ris", "ris/..", "", "a b"])
def test_an_agency_code_cannot_leave_the_folder(agency: str) -> None:
    with pytest.raises(ValueError, match="agency"):
        homes.gateway_home(agency)


def test_content_is_read_from_the_jurisdiction() -> None:
    assert content.ROOT.name == "tw"
