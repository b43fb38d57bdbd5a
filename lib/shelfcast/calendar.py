"""The calendar of a region: a row a day, with its week, month, quarter and public holidays."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession

from shelfcast.events import public_holidays

__all__ = ["COLUMNS", "CalendarDay", "calendar", "calendar_days"]

COLUMNS = (
    "day date, week date, month date, quarter int, week_of_year int, day_of_week int, holiday string, "
    "is_holiday boolean, days_to_holiday int, days_since_holiday int"
)


class CalendarDay(NamedTuple):
    """A day: its week begins on Monday; week_of_year is ISO 8601's; day_of_week runs from 1, Monday, to 7.

    holiday: names of its public holidays, joined by "; ", None on other days. days_to_holiday and days_since_holiday
    count to the nearest one on or after it, and on or before it: 0 on a holiday.
    """

    day: date
    week: date
    month: date
    quarter: int
    week_of_year: int
    day_of_week: int
    holiday: str | None
    is_holiday: bool
    days_to_holiday: int
    days_since_holiday: int


def calendar(spark: SparkSession, first: date, last: date, country: str) -> DataFrame:
    """The days from `first` to `last`, both in, as a frame of COLUMNS. A day is a row: 366 a year."""
    return spark.createDataFrame(list(calendar_days(first, last, country)), COLUMNS)


def calendar_days(first: date, last: date, country: str) -> Iterator[CalendarDay]:
    """The days from `first` to `last`, both in, in order.

    country: ISO 3166 code of the public holidays, such as "US". Raises ConfigError for one without known holidays.
    """
    # The years around, too: the last days of December are near New Year's Day.
    named = public_holidays(country, range(first.year - 1, last.year + 2))
    dates = sorted(named)
    for offset in range((last - first).days + 1):
        yield _describe(first + timedelta(days=offset), named, dates)


def _describe(day: date, named: dict[date, str], dates: list[date]) -> CalendarDay:
    following = bisect_left(dates, day)
    is_holiday = day in named
    last_before = dates[following] if is_holiday else dates[following - 1]
    return CalendarDay(
        day=day,
        week=day - timedelta(days=day.weekday()),
        month=day.replace(day=1),
        quarter=(day.month + 2) // 3,
        week_of_year=day.isocalendar().week,
        day_of_week=day.isoweekday(),
        holiday=named.get(day),
        is_holiday=is_holiday,
        days_to_holiday=(dates[following] - day).days,
        days_since_holiday=(day - last_before).days,
    )
