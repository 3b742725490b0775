"""How values are written, in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils.translation import override

from smartgov.shared import clock
from smartgov.shared.text import Text
from smartgov.theme import words


@pytest.mark.parametrize(
    ("value", "chinese", "english"),
    [
        (date(2026, 11, 22), "民國115年11月22日", "22 November 2026"),
        ("2026-11-22", "民國115年11月22日", "22 November 2026"),
        # Late in the evening in London it is already the next day in Taipei.
        (datetime(2026, 11, 21, 23, 0, tzinfo=UTC), "民國115年11月22日", "22 November 2026"),
        ("2026-11-21T23:00:00+00:00", "民國115年11月22日", "22 November 2026"),
        (None, "", ""),
    ],
)
def test_date(value: object, chinese: str, english: str) -> None:
    with override("zh-hant"):
        assert words.write_date(value) == chinese
    with override("en"):
        assert words.write_date(value) == english


def test_time_is_taipeis() -> None:
    with override("zh-hant"):
        assert words.write_time("2026-11-21T23:05:00Z") == "115年11月22日 07:05"
    with override("en"):
        assert words.write_time(datetime(2026, 11, 21, 23, 5, tzinfo=UTC)) == "22 Nov 2026, 07:05"


@pytest.mark.parametrize(
    ("value", "written"), [(5000, "NT$5,000"), (0, "NT$0"), (-1200, "−NT$1,200"), (None, ""), ("", "")]
)
def test_money(value: int | None, written: str) -> None:
    assert words.write_money(value) == written


@pytest.mark.parametrize("value", [Text("Child", "兒童"), {"en": "Child", "zh": "兒童"}])
def test_bilingual(value: object) -> None:
    with override("en"):
        assert words.bilingual(value) == "Child"
    with override("zh-hant"):
        assert words.bilingual(value) == "兒童"


@pytest.mark.parametrize(
    ("language", "value", "written"),
    [
        ("zh-hant", "Stations <1>", '<span lang="en">Stations &lt;1&gt;</span>'),
        ("en", "Stations <1>", "Stations &lt;1&gt;"),
        ("en", "測站", '<span lang="zh-Hant">測站</span>'),
        ("zh-hant", "測站", "測站"),
        ("zh-hant", Text("Stations", "測站"), "測站"),
        ("en", None, ""),
    ],
)
def test_words_of_others_say_their_language_where_it_is_not_the_pages(
    language: str, value: object, written: str
) -> None:
    with override(language):
        assert words.marked(value) == written


def test_bilingual_leaves_other_mappings_alone() -> None:
    assert words.bilingual({"en": "x"}) == "{'en': 'x'}"
    assert words.bilingual(None) == ""


@pytest.mark.parametrize(
    ("day", "chinese", "english"),
    [
        (date(2026, 11, 22), "今天到期", "today"),
        (date(2026, 11, 23), "還有 1 天", "1 day left"),
        (date(2026, 11, 19), "逾期 3 天", "3 days late"),
    ],
)
def test_days_left(day: date, chinese: str, english: str) -> None:
    # 17:30 in London is already the 22nd in Taipei.
    with clock.travelling(to=datetime(2026, 11, 21, 17, 30, tzinfo=UTC)):
        days = words.days_left(day)
    with override("zh-hant"):
        assert words.write_days_left(days) == chinese
    with override("en"):
        assert words.write_days_left(days) == english


def test_value_of_any_kind() -> None:
    with override("en"):
        assert words.write_value([True, Text("a", "甲"), 7]) == "Yes, a, 7"
    with override("zh-hant"):
        assert words.write_value([False, Text("a", "甲"), date(2026, 1, 2)]) == "否、甲、民國115年1月2日"
