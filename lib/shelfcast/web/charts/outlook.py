"""What sold, and what is expected: a line, then a fan."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from shelfcast.api.rows.series import ForecastWeek, HistoryRow
from shelfcast.web.charts.description import Chart, Lines, Numbers, Row, Series, Tone
from shelfcast.web.charts.ticks import week_ticks
from shelfcast.web.localized import Localized
from shelfcast.weeks import WEEK

Weeks = list[tuple[date, float]]
_SHOWN = 52
_COLUMNS = ("Sold", "Expected", "p10", "p50", "p90", "p98")
_BESIDE = ("Sold", "Published", "p10", "p90", "Supposed", "p10", "p90")


@dataclass(frozen=True)
class Outlook:
    """sold: units by week, without those in which nothing did. supposed: a second forecast, beside the published."""

    sold: Weeks
    weeks: Sequence[ForecastWeek]
    supposed: Sequence[ForecastWeek] = ()

    def past(self) -> Weeks:
        """Each week of the last year, from the first sale on: one without a sale sold nothing."""
        first_ahead = self.weeks[0].week
        known = dict(self.sold)
        first = max(min(known, default=first_ahead), first_ahead - _SHOWN * WEEK)
        count = (first_ahead - first).days // 7
        return [(first + n * WEEK, known.get(first + n * WEEK, 0.0)) for n in range(count)]


def summed(rows: Iterable[HistoryRow]) -> Weeks:
    """What the series sold together, by week."""
    units: dict[date, float] = {}
    for row in rows:
        for week in row.weeks:
            units[week.week] = units.get(week.week, 0.0) + week.quantity
    return sorted(units.items())


def outlook_chart(name: str, outlook: Outlook, say: Localized) -> Chart:
    """The last year's sales, then the mean as a line, the p98 above and p10 to p90 as a band."""
    past = outlook.past()
    weeks = [*(week for week, _ in past), *(week.week for week in outlook.weeks)]
    drawing = Lines(
        locale=say.tag,
        titles=[say.day(week) for week in weeks],
        ticks=week_ticks(weeks, say),
        series=[_sold(past, len(outlook.weeks), say), *_fans(outlook, len(past), say)],
    )
    return Chart(_in_words(name, outlook, say), drawing, _in_numbers(name, outlook, say))


def _sold(past: Weeks, ahead: int, say: Localized) -> Series:
    told = [*(say.number(units) for _, units in past), *[""] * ahead]
    return Series(name="sold", tone="ink", values=[*(units for _, units in past), *[None] * ahead], told=told)


def _fans(outlook: Outlook, past: int, say: Localized) -> list[Series]:
    if not outlook.supposed:
        return _fan(outlook.weeks, past, "accent", "", say)
    published = _fan(outlook.weeks, past, "accent", ", as published", say)
    return [*published, *_fan(outlook.supposed, past, "other", ", as supposed", say)]


def _fan(weeks: Sequence[ForecastWeek], past: int, tone: Tone, of: str, say: Localized) -> list[Series]:
    def behind(value: Callable[[ForecastWeek], float | None]) -> list[float | None]:
        return [*[None] * past, *map(value, weeks)]

    def told(words: Callable[[ForecastWeek], str]) -> list[str]:
        return [*[""] * past, *map(words, weeks)]

    mean, p98 = told(lambda week: say.number(week.mean)), told(lambda week: say.number(week.p98))
    band = told(lambda week: f"{say.number(week.p10)} to {say.number(week.p90)}")
    low, high = behind(lambda week: week.p10), behind(lambda week: week.p90)
    return [
        Series(name=f"expected{of}", tone=tone, values=behind(lambda week: week.mean), told=mean),
        Series(name=f"p98{of}", tone=tone, values=behind(lambda week: week.p98), told=p98, dashed=True),
        Series(name=f"p10 to p90{of}", tone=tone, values=high, told=band, low=low),
    ]


def _in_words(name: str, outlook: Outlook, say: Localized) -> str:
    first, last = outlook.weeks[0], outlook.weeks[-1]
    told = f"{name}: units sold by week, then the forecast of {len(outlook.weeks)} weeks from {say.day(first.week)}: "
    told += f"expected {say.number(first.mean)} in the first and {say.number(last.mean)} in the last"
    if outlook.supposed:
        told += f"; as supposed {say.number(outlook.supposed[0].mean)} and {say.number(outlook.supposed[-1].mean)}"
    return told


def _in_numbers(name: str, outlook: Outlook, say: Localized) -> Numbers:
    columns = _BESIDE if outlook.supposed else _COLUMNS
    nothing = [("", None)]
    sold = [
        Row(_week(week, say), [(say.number(units), units), *nothing * (len(columns) - 1)])
        for week, units in outlook.past()
    ]
    ahead = [
        Row(_week(week, say), [*nothing, *((say.number(value), value) for value in values)])
        for week, values in _ahead(outlook)
    ]
    return Numbers(f"{name}: units by week", "Week", columns, [*sold, *ahead])


def _week(week: date, say: Localized) -> tuple[str, str]:
    return say.day(week), str(week)


def _ahead(outlook: Outlook) -> list[tuple[date, list[float | None]]]:
    if not outlook.supposed:
        return [(week.week, [week.mean, week.p10, week.p50, week.p90, week.p98]) for week in outlook.weeks]
    return [
        (week.week, [week.mean, week.p10, week.p90, other.mean, other.p10, other.p90])
        for week, other in zip(outlook.weeks, outlook.supposed, strict=True)
    ]
