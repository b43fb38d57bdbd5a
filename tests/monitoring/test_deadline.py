from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from shelfcast import config
from shelfcast.errors import ConfigError
from shelfcast.monitoring.deadline import day_due, missed, newest_awaited

CONFIG = Path(__file__).parents[2] / "conf" / "complete_journey.yaml"
DAY = date(2017, 8, 1)
# A Saturday.
PUBLISHED = date(2017, 8, 5)
EVERY_DAY = {PUBLISHED - timedelta(days=n) for n in range(120)}
NOT_ON_SUNDAYS = {day for day in EVERY_DAY if day.weekday() != 6}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(datetime(2017, 8, 3, 0, 0), DAY, id="before-the-hour-the-day-before-yesterday-is-due"),
        pytest.param(datetime(2017, 8, 3, 6, 29, 59), DAY, id="a-second-before"),
        pytest.param(datetime(2017, 8, 2, 6, 30), DAY, id="at-the-hour-yesterday"),
        pytest.param(datetime(2017, 8, 2, 23, 59), DAY, id="until-midnight"),
    ],
)
def test_a_day_is_due_at_the_hour_of_the_next(now: datetime, expected: date) -> None:
    assert day_due(now, time(6, 30)) == expected


@pytest.mark.parametrize(
    ("sold_on", "due", "expected"),
    [
        pytest.param(EVERY_DAY, PUBLISHED, PUBLISHED, id="what-is-published"),
        pytest.param(EVERY_DAY, date(2017, 8, 6), date(2017, 8, 6), id="a-sunday-of-a-chain-that-sells-on-it"),
        pytest.param(NOT_ON_SUNDAYS, date(2017, 8, 6), PUBLISHED, id="no-sunday-of-a-chain-that-does-not"),
        pytest.param(NOT_ON_SUNDAYS, date(2017, 8, 7), date(2017, 8, 7), id="its-monday"),
        pytest.param(NOT_ON_SUNDAYS, date(2017, 8, 8), date(2017, 8, 7), id="no-holiday"),
        pytest.param(NOT_ON_SUNDAYS, date(2017, 8, 13), date(2017, 8, 12), id="the-saturday-before-a-sunday"),
        pytest.param({PUBLISHED}, date(2017, 8, 6), date(2017, 8, 6), id="a-weekday-of-which-nothing-is-known"),
        pytest.param(set(), date(2017, 8, 6), date(2017, 8, 6), id="any-day-where-nothing-is-known"),
    ],
)
def test_due_is_the_newest_day_of_which_sales_are_waited_for(sold_on: set[date], due: date, expected: date) -> None:
    assert newest_awaited(PUBLISHED, due, sold_on, {date(2017, 8, 8)}) == expected


@pytest.mark.parametrize(
    ("newest", "found", "told"),
    [
        pytest.param(date(2017, 7, 30), 2.0, "readers see that of 2017-07-30", id="an-older-day-is-published"),
        pytest.param(None, None, "nothing is published", id="nothing-is"),
    ],
)
def test_a_late_day_is_critical_and_says_what_readers_see(newest: date | None, found: float | None, told: str) -> None:
    finding = missed(DAY, time(6, 30), newest)
    assert (finding.severity, finding.check, finding.day, finding.found) == ("critical", "deadline", DAY, found)
    assert finding.reason == f"2017-08-01: not published by 06:30 of the next day; {told}"


def test_a_bare_time_which_yaml_takes_for_a_number_is_refused() -> None:
    assert config.load(CONFIG, ["daily.deadline='10:30'"]).daily.deadline == time(10, 30)
    with pytest.raises(ConfigError, match=r"daily\.deadline: found 630, wanted: .*in quotes"):
        config.load(CONFIG, ["daily.deadline=10:30"])
