"""Working days of Taiwan's government agencies, and the day on which a period ends that would end on a day of rest.

The days of rest are those of the Act on Memorial Days and Holidays (紀念日及節日實施條例) with the days given in their
place, as the library `holidays` reckons them for every year, and the Saturdays that were worked instead.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

_DAY = timedelta(days=1)


def is_working(day: date) -> bool:
    """Whether agencies work on this day. A day off for a typhoon is announced on the eve and is not known here."""
    return _calendar(day.year).is_working_day(day)


def end_of_period(last: date) -> date:
    """The day on which a period ends that is given to a person and whose last day would be `last`.

    A period that would end on a Sunday, a holiday or another day of rest ends on the next working day (Administrative
    Procedure Act art. 48 para. 4, Civil Code art. 122). One that would end on a Saturday ends on Monday morning by the
    letter of the Act; we count days, and give the whole of it. Not for punishments and burdens, whose days all count
    (para. 5).
    """
    while not is_working(last):
        last += _DAY
    return last


@lru_cache(maxsize=16)
def _calendar(year: int) -> HolidayBase:
    from holidays import country_holidays  # a quarter of a second that only who counts days should pay

    return country_holidays("TW", years=year)
