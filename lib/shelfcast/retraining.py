"""When models are backtested anew: on a schedule, and sooner on drift."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Training:
    """The day whose models a day is forecast by. reason: why they are backtested on the day itself, else empty."""

    day: date
    reason: str = ""


def training_of(
    day: date, trained: Iterable[date], every_days: int, drifted: Mapping[date, Set[str]] | None = None
) -> Training:
    """Of the days that were trained on the newest up to `day`, or `day` itself where a training is due.

    drifted: what was found to drift on each day; what is found on a day of training, that training knew, and drift that
    stays is answered once.

    >>> training_of(date(2017, 8, 9), [date(2017, 8, 1), date(2017, 8, 20)], every_days=14)
    Training(day=datetime.date(2017, 8, 1), reason='')
    """
    last = max((each for each in trained if each <= day), default=None)
    if last is None:
        return Training(day, "no models yet")
    if (day - last).days >= every_days:
        return Training(day, f"{(day - last).days} days since {last}")
    found = drifted or {}
    known = found.get(last, frozenset())
    since = min((each for each, what in found.items() if last < each < day and what - known), default=None)
    return Training(last) if since is None else Training(day, f"drift on {since}")
