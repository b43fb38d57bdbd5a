from datetime import date, timedelta

import pytest

from shelfcast.monitoring.freshness import overdue, stale
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
    (found,) = stale(EVERY_DAY, SUNDAY + timedelta(days=2), Monitoring(), set())
    assert (found.severity, found.held, found.store_id, found.day) == ("critical", True, None, date(2016, 12, 19))
    assert found.reason == ("2016-12-19: no store's sales have come; the newest day is 2016-12-18, 2 before 2016-12-20")
