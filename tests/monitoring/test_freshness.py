from datetime import date, timedelta

import pytest
from pyspark.sql import SparkSession

from builders import frame
from shelfcast import schemas
from shelfcast.monitoring.freshness import days_until_known, newest_due, overdue, stale
from shelfcast.settings.monitoring import Monitoring

SUNDAY = date(2016, 12, 18)
EVERY_DAY = {SUNDAY - timedelta(days=n) for n in range(120)}
NOT_ON_SUNDAYS = {day for day in EVERY_DAY if day.weekday() != 6}
FRIDAYS = {day for day in EVERY_DAY if day.weekday() == 4}


@pytest.mark.parametrize(
    ("sold_on", "as_of", "late"),
    [
        pytest.param(EVERY_DAY, SUNDAY, [], id="the-newest-day-is-there"),
        pytest.param(EVERY_DAY, SUNDAY + timedelta(days=1), [SUNDAY + timedelta(days=1)], id="a-day-is-missing"),
        pytest.param(NOT_ON_SUNDAYS, SUNDAY, [], id="closed-on-sundays"),
        pytest.param(FRIDAYS, SUNDAY + timedelta(days=4), [], id="weekly-sales-that-are-not-due"),
        pytest.param(FRIDAYS, SUNDAY + timedelta(days=5), [SUNDAY + timedelta(days=5)], id="weekly-sales-that-are-due"),
        pytest.param({SUNDAY}, SUNDAY + timedelta(days=9), [], id="nothing-is-known-of-a-weekday"),
    ],
)
def test_a_day_is_overdue_where_its_weekday_usually_sells(sold_on: set[date], as_of: date, late: list[date]) -> None:
    assert overdue(sold_on, as_of, 4, set()) == late


def test_a_holiday_is_waited_for_by_nobody() -> None:
    assert overdue(EVERY_DAY, SUNDAY + timedelta(days=1), 4, {SUNDAY + timedelta(days=1)}) == []


def test_the_alert_names_the_day_and_holds_all_stores() -> None:
    tuesday = SUNDAY + timedelta(days=2)
    (found,) = stale(EVERY_DAY, tuesday, tuesday, Monitoring(), set())
    assert (found.severity, found.held, found.store_id, found.day) == ("critical", True, None, date(2016, 12, 19))
    assert found.reason == ("2016-12-19: no store's sales have come; the newest day is 2016-12-18, 2 before 2016-12-20")


@pytest.mark.parametrize(
    ("known_after", "days"),
    [
        pytest.param([[0]] * 7, 0, id="on-the-day-itself"),
        pytest.param([[1, 4]] * 7, 1, id="the-first-of-them-on-the-day-after"),
        pytest.param([[1]] * 6 + [[5]], 1, id="one-day-came-late"),
        pytest.param([[0]] * 3 + [[1]] * 7, 1, id="of-late-on-the-day-after"),
        pytest.param([[-2]] * 7, 0, id="never-before-they-are-sold"),
    ],
)
def test_how_long_after_it_a_day_is_known_the_last_week_tells(
    spark: SparkSession, known_after: list[list[int]], days: int
) -> None:
    sold = [SUNDAY - timedelta(days=len(known_after) - 1 - n) for n in range(len(known_after))]
    rows = [
        {"sold_on": day, "known_from": day + timedelta(days=after)}
        for day, delays in zip(sold, known_after, strict=True)
        for after in delays
    ]
    assert days_until_known(frame(spark, schemas.SALES, *rows), SUNDAY) == days


@pytest.mark.parametrize(
    ("until_known", "after", "due"),
    [
        pytest.param(0, 3, SUNDAY, id="the-as-of-date-itself"),
        pytest.param(1, 3, SUNDAY - timedelta(days=1), id="where-sales-are-posted-on-the-day-after-the-one-before"),
        pytest.param(0, 0, SUNDAY - timedelta(days=1), id="never-the-day-that-is-going-on"),
    ],
)
def test_the_newest_day_that_is_waited_for(until_known: int, after: int, due: date) -> None:
    assert newest_due(SUNDAY, until_known, SUNDAY + timedelta(days=after)) == due
