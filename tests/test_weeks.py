from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfcast.errors import NotEnoughHistoryError
from shelfcast.weeks import backtest_cutoffs, monday, whole_weeks

days = st.dates(date(1990, 1, 1), date(2050, 12, 31))


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        pytest.param("2017-01-02", "2017-01-08", ["2017-01-02"], id="monday-to-sunday-is-a-whole-week"),
        pytest.param("2017-01-02", "2017-01-07", [], id="a-week-without-its-sunday-is-not-whole"),
        pytest.param("2017-01-03", "2017-01-08", [], id="a-week-without-its-monday-is-not-whole"),
        pytest.param(
            "2017-01-01", "2017-01-15", ["2017-01-02", "2017-01-09"], id="a-sunday-belongs-to-the-week-before"
        ),
        pytest.param("2017-01-09", "2017-01-02", [], id="no-week-where-the-last-day-is-before-the-first"),
    ],
)
def test_a_week_is_whole_from_monday_to_sunday(first: str, last: str, expected: list[str]) -> None:
    found = whole_weeks(date.fromisoformat(first), date.fromisoformat(last))
    assert found == [date.fromisoformat(day) for day in expected]


def test_the_year_2017_has_52_whole_weeks() -> None:
    weeks = whole_weeks(date(2017, 1, 1), date(2017, 12, 31))
    assert (len(weeks), weeks[0], weeks[-1]) == (52, date(2017, 1, 2), date(2017, 12, 25))


@given(days)
def test_a_day_lies_in_the_week_of_its_monday(day: date) -> None:
    assert monday(day).weekday() == 0
    assert timedelta(0) <= day - monday(day) < timedelta(days=7)


@given(days, st.integers(-10, 60))
def test_whole_weeks_agree_with_a_walk_over_the_days(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    within = [first + timedelta(days=n) for n in range(length + 1)]
    mondays = [day for day in within if day.weekday() == 0 and day + timedelta(days=6) <= last]
    assert whole_weeks(first, last) == mondays


@given(st.integers(20, 200), st.integers(1, 12), st.integers(1, 5), st.integers(1, 12))
def test_cutoffs_rise_by_the_stride_to_the_last_one_with_a_whole_horizon(
    weeks: int, horizon: int, origins: int, stride: int
) -> None:
    least = weeks - horizon - stride * (origins - 1)
    cutoffs = backtest_cutoffs(weeks, horizon, origins, stride, least)
    assert (cutoffs[0], cutoffs[-1], len(cutoffs)) == (least, weeks - horizon, origins)
    assert {later - earlier for earlier, later in pairwise(cutoffs)} <= {stride}


def test_too_few_weeks_for_the_oldest_cutoff_are_refused() -> None:
    with pytest.raises(NotEnoughHistoryError, match="52 whole weeks give a first cutoff after 28; wanted 29 or more"):
        backtest_cutoffs(52, horizon=8, origins=3, stride=8, least=29)
