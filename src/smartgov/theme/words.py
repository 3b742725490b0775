"""How values are written on pages: language, dates, times, money."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from smartgov.shared import clock
from smartgov.shared.money import format_ntd
from smartgov.shared.text import Text
from smartgov.shared.tw.roc import roc_date, written

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def english() -> bool:
    """Whether the page at hand is in English."""
    return (get_language() or "zh-hant").startswith("en")


def bilingual(value: Any) -> str:
    """A Text or `{en, zh}` in the page's language; None is empty, anything else is written as it is."""
    if value is None:
        return ""
    if isinstance(value, Mapping) and set(value) == {"en", "zh"}:
        value = Text(value["en"], value["zh"])
    if isinstance(value, Text):
        return value.in_language("en" if english() else "zh-hant")
    return str(value)


def with_code(value: Any, code: str) -> SafeString:
    """A text for reading, and under it the code by which programs and logs know the thing."""
    if not code:
        return conditional_escape(bilingual(value))
    return format_html("{}<small><code>{}</code></small>", bilingual(value), code)


_HAN = re.compile(r"[\u3400-\u9fff]")


def marked(value: Any) -> SafeString:
    """A text of the house in the page's language; somebody else's own words as they are, marked when of the other one.

    A document does not say in which language its title is: what has a Chinese character is read as Chinese.
    """
    own = bilingual(value)
    chinese = bool(_HAN.search(own))
    if not isinstance(value, str) or not own or chinese != english():
        return conditional_escape(own)
    return format_html('<span lang="{}">{}</span>', "zh-Hant" if chinese else "en", own)


def as_date(value: date | datetime | str | None) -> date | None:
    """A civil date in Taiwan from a date, an aware instant or its ISO text; None when there is none."""
    if not value:
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value or " " in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        return as_taipei(value).date()
    return value


def as_taipei(value: datetime) -> datetime:
    """An instant on Taiwan's clock; one without a zone is read as Taiwan's."""
    return value.replace(tzinfo=clock.TAIPEI) if value.tzinfo is None else value.astimezone(clock.TAIPEI)


def write_date(value: date | datetime | str | None) -> str:
    """`民國115年11月22日`, and in English `22 November 2026`."""
    day = as_date(value)
    if day is None:
        return ""
    if english():
        return written(day).en
    return roc_date(day)


def write_time(value: datetime | str | None) -> str:
    """An instant in Taiwan with its minute: `115年11月22日 14:05`, and in English `22 Nov 2026, 14:05`."""
    if not value:
        return ""
    moment = as_taipei(datetime.fromisoformat(value) if isinstance(value, str) else value)
    if english():
        return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M}"
    return f"{moment.year - 1911}年{moment.month}月{moment.day}日 {moment:%H:%M}"


def colon() -> str:
    """What stands between a name and what is said of it, in the language of the page."""
    return ": " if english() else "："


def write_clock(value: datetime | str | None) -> str:
    """Hour and minute in Taiwan, for lists that name the day above."""
    if not value:
        return ""
    return f"{as_taipei(datetime.fromisoformat(value) if isinstance(value, str) else value):%H:%M}"


def write_money(value: int | str | None) -> str:
    """`NT$5,000`; nothing for None. A negative amount keeps its sign in front."""
    if value is None or value == "":
        return ""
    amount = int(value)
    return f"−{format_ntd(-amount)}" if amount < 0 else format_ntd(amount)


def days_left(day: date) -> int:
    """Whole days from today in Taiwan; negative when the day has passed."""
    return (day - clock.today()).days


def write_days_left(days: int) -> str:
    """How far away a date is, in words."""
    if days == 0:
        return gettext("today")
    if days > 0:
        return ngettext("%(days)s day left", "%(days)s days left", days) % {"days": days}
    return ngettext("%(days)s day late", "%(days)s days late", -days) % {"days": -days}


def days_unit(days: int) -> str:
    """The words beside a large number of days."""
    if days >= 0:
        return ngettext("day left", "days left", days)
    return ngettext("day late", "days late", -days)


def write_value(value: Any) -> str:
    """A fact of any kind as a person reads it: yes and no in words, dates in ROC years, lists with commas."""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, date):
        return write_date(value)
    if isinstance(value, list | tuple):
        return (", " if english() else "、").join(write_value(item) for item in value)
    return bilingual(value)
