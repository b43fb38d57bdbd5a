"""Whole weeks and cutoffs: the time axis of every panel."""

from datetime import date, timedelta

from shelfcast.errors import NotEnoughHistoryError

WEEK = timedelta(days=7)


def monday(day: date) -> date:
    """The Monday of the week of `day`."""
    return day - timedelta(days=day.weekday())


def whole_weeks(first_day: date, last_day: date) -> list[date]:
    """The Mondays of the weeks of which every day lies within first_day..last_day.

    >>> whole_weeks(date(2017, 1, 1), date(2017, 1, 16))
    [datetime.date(2017, 1, 2), datetime.date(2017, 1, 9)]
    """
    start = monday(first_day) if first_day.weekday() == 0 else monday(first_day) + WEEK
    count = ((last_day - start).days + 1) // 7
    return [start + n * WEEK for n in range(max(count, 0))]


def rolling_origins(weeks: int, horizon: int, origins: int, stride: int) -> list[int]:
    """How many weeks are known at each cutoff, oldest first, so that `horizon` weeks follow the last; none or fewer
    where there are not so many.

    >>> rolling_origins(20, horizon=8, origins=3, stride=8)
    [-4, 4, 12]
    """
    return [weeks - horizon - stride * n for n in reversed(range(origins))]


def backtest_cutoffs(weeks: int, horizon: int, origins: int, stride: int, least: int) -> list[int]:
    """The rolling origins of a backtest.

    Raises NotEnoughHistoryError where the oldest would know fewer than `least` weeks.

    >>> backtest_cutoffs(52, horizon=8, origins=3, stride=8, least=13)
    [28, 36, 44]
    """
    cutoffs = rolling_origins(weeks, horizon, origins, stride)
    if cutoffs[0] < least:
        raise NotEnoughHistoryError(
            f"backtest: {weeks} whole weeks give a first cutoff after {cutoffs[0]}; wanted {least} or more "
            f"({origins} origins, {stride} weeks apart, {horizon} ahead)"
        )
    return cutoffs
