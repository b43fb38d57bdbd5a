"""Whether the newest day has come: of the region as a whole, by the weekdays on which it usually sells."""

from collections.abc import Collection
from datetime import date, timedelta
from statistics import median_low

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.monitoring.alerts import CRITICAL, Finding
from shelfcast.settings.monitoring import Monitoring

CHECK = "freshness"
_OPEN = 0.9


def overdue(sold_on: Collection[date], as_of: date, least: int, holidays: Collection[date]) -> list[date]:
    """The days after the newest and up to `as_of` whose weekday is usually there, and that are no holidays.

    sold_on: the days of the last weeks on which any store sold, the newest among them. least: weeks that tell of a
    weekday.

    >>> days = [date(2016, 12, 1) + timedelta(days=n) for n in range(20)]
    >>> overdue(days, date(2016, 12, 22), 2, {date(2016, 12, 22)})
    [datetime.date(2016, 12, 21)]
    """
    newest, oldest = max(sold_on), min(sold_on)
    known = [oldest + timedelta(days=n) for n in range((newest - oldest).days + 1)]
    after = [newest + timedelta(days=n) for n in range(1, (as_of - newest).days + 1)]
    return [day for day in after if day not in holidays and _is_usual(day, known, sold_on, least)]


def _is_usual(day: date, known: Collection[date], sold_on: Collection[date], least: int) -> bool:
    alike = [each in sold_on for each in known if each.weekday() == day.weekday()]
    return len(alike) >= least and sum(alike) >= _OPEN * len(alike)


def days_until_known(sales: DataFrame, newest: date) -> int:
    """How many days after it the first sales of a day are known, usually in the week to `newest`: 1 where tills post
    after midnight. sales: as known, with known_from."""
    of_week = sales.where(F.col("sold_on") > F.lit(newest - timedelta(weeks=1)))
    of_days = of_week.groupBy("sold_on").agg(F.datediff(F.min("known_from"), "sold_on").alias("days"))
    days: list[int] = [row.days for row in of_days.collect()]
    return max(median_low(days), 0)


def newest_due(as_of: date, until_known: int, today: date) -> date:
    """The newest day whose sales are waited for. A correction that is posted after midnight makes an as-of date of a
    day that has hardly begun."""
    return min(as_of - timedelta(days=until_known), today - timedelta(days=1))


def stale(
    sold_on: Collection[date], as_of: date, due: date, settings: Monitoring, holidays: Collection[date]
) -> list[Finding]:
    """One finding where a day of the region up to `due` is overdue."""
    late = overdue(sold_on, due, settings.min_weeks, holidays)
    if not late:
        return []
    day, newest = late[0], max(sold_on)
    reason = f"{day}: no store's sales have come; the newest day is {newest}, {(as_of - newest).days} before {as_of}"
    return [Finding(CRITICAL, CHECK, str(day), None, day, float(len(late)), 0.0, True, reason)]
