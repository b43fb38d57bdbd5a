"""Which places of an axis are named."""

from collections.abc import Sequence
from datetime import date
from math import ceil, floor, log10

from shelfcast.web.charts.description import Tick
from shelfcast.web.localized import Localized

# Fewer weeks are named by their days: they may lie within one month.
_MONTHS_FROM = 14
_FIRST_DAYS = 7


def week_ticks(weeks: Sequence[date], say: Localized) -> list[Tick]:
    """The first week of each month; the first of all and January's tell the year. Of few weeks each by its day."""
    if len(weeks) < _MONTHS_FROM:
        return [Tick(at=place, label=say.short_day(week)) for place, week in enumerate(weeks)]
    begins = [place for place, week in enumerate(weeks) if week.day <= _FIRST_DAYS]
    years = {begins[0], *(place for place in begins if weeks[place].month == 1)}
    return [Tick(at=place, label=say.month(weeks[place], place in years)) for place in begins]


def monday_ticks(days: Sequence[date], say: Localized) -> list[Tick]:
    return [Tick(at=place, label=say.short_day(day)) for place, day in enumerate(days) if day.weekday() == 0]


def decade_ticks(low: float, high: float, say: Localized) -> list[Tick]:
    """The powers of ten of a logarithmic axis."""
    powers = range(ceil(log10(low) - 1e-9), floor(log10(high) + 1e-9) + 1)
    return [Tick(at=10.0**power, label=say.number(10.0**power)) for power in powers]
