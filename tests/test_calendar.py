from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from shelfcast.calendar import CalendarDay, calendar, calendar_days
from shelfcast.errors import ConfigError


def day(text: str, country: str = "US") -> CalendarDay:
    only = date.fromisoformat(text)
    (found,) = calendar_days(only, only, country)
    return found


def test_thanksgiving_of_2017_in_full() -> None:
    assert day("2017-11-23") == CalendarDay(
        day=date(2017, 11, 23),
        week=date(2017, 11, 20),
        month=date(2017, 11, 1),
        quarter=4,
        week_of_year=47,
        day_of_week=4,
        holiday="Thanksgiving Day",
        is_holiday=True,
        days_to_holiday=0,
        days_since_holiday=0,
    )


@pytest.mark.parametrize(
    ("text", "to_holiday", "since_holiday"),
    [
        pytest.param("2017-12-24", 1, 31, id="the-day-before-christmas"),
        pytest.param("2017-12-26", 6, 1, id="the-next-holiday-is-in-the-next-year"),
        pytest.param("2018-01-10", 5, 9, id="between-new-year-and-martin-luther-king"),
        pytest.param("2017-01-02", 0, 0, id="new-year-observed-on-monday"),
    ],
)
def test_counts_days_to_and_since_a_holiday(text: str, to_holiday: int, since_holiday: int) -> None:
    assert (day(text).days_to_holiday, day(text).days_since_holiday) == (to_holiday, since_holiday)


def test_a_week_begins_on_monday_and_may_belong_to_the_year_before() -> None:
    new_year = day("2017-01-01")
    assert (new_year.week, new_year.week_of_year, new_year.day_of_week) == (date(2016, 12, 26), 52, 7)


def test_holidays_are_those_of_the_country() -> None:
    assert day("2017-07-14", "FR").is_holiday
    assert not day("2017-07-14", "US").is_holiday


def test_names_of_holidays_are_english_everywhere() -> None:
    assert day("2017-10-03", "DE").holiday == "German Unity Day"


def test_a_country_without_known_holidays_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="'Atlantis'"):
        day("2017-01-01", "Atlantis")


def test_a_year_is_a_row_a_day_in_spark(spark: SparkSession) -> None:
    frame = calendar(spark, date(2017, 1, 1), date(2017, 12, 31), "US")
    assert frame.count() == 365
    assert frame.where("is_holiday").count() == 12  # eleven, and New Year's Day once more on Monday
    assert frame.where("holiday is not null and not is_holiday").count() == 0


@given(st.dates(date(1990, 1, 1), date(2050, 12, 31)), st.integers(0, 40))
def test_each_day_agrees_with_a_walk_to_the_nearest_holiday(first: date, length: int) -> None:
    days = {found.day: found for found in calendar_days(first - timedelta(days=200), first + timedelta(days=240), "US")}
    off = {found.day for found in days.values() if found.is_holiday}
    for found in calendar_days(first, first + timedelta(days=length), "US"):
        assert found.days_to_holiday == next(n for n in range(400) if found.day + timedelta(days=n) in off)
        assert found.days_since_holiday == next(n for n in range(400) if found.day - timedelta(days=n) in off)
        assert found.week <= found.day < found.week + timedelta(days=7)
        assert found.week.weekday() == 0
