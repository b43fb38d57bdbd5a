"""Whether a day is published by the hour by which it is wanted."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from shelfcast.monitoring.alerts import CRITICAL, Finding
from shelfcast.monitoring.freshness import overdue

CHECK = "deadline"


def day_due(now: datetime, deadline: time) -> date:
    """The newest day that is to be published by now: a day is due at `deadline` of the next, in the stores' time.

    >>> day_due(datetime(2017, 8, 2, 6, 29), time(6, 30)), day_due(datetime(2017, 8, 2, 6, 30), time(6, 30))
    (datetime.date(2017, 7, 31), datetime.date(2017, 8, 1))
    """
    return now.date() - timedelta(days=1 if now.time() >= deadline else 2)


def newest_awaited(published: date, due: date, sold_on: Collection[date], holidays: Collection[date]) -> date:
    """The newest day up to `due` of which sales are waited for; where there is none after `published`, that.

    sold_on: the days of the weeks up to `published` on which any store sold. Of a weekday that they do not tell of
    sales are waited for.
    """
    return max([published, *overdue(sold_on, due, 0, holidays)]) if sold_on else due


def missed(day: date, deadline: time, newest: date | None) -> Finding:
    """The finding that a day is late. newest: the newest day that is published, if any."""
    instead = f"readers see that of {newest}" if newest else "nothing is published"
    reason = f"{day}: not published by {deadline:%H:%M} of the next day; {instead}"
    late = float((day - newest).days) if newest else None
    return Finding(CRITICAL, CHECK, str(day), None, day, late, 0.0, False, reason)
