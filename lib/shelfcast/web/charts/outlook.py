"""What sold, and what is expected: a line, then a fan."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from shelfcast.api.rows.series import ForecastWeek, HistoryRow
from shelfcast.reporting.charts.lines import hits
from shelfcast.reporting.charts.svg import WIDE, Canvas, Scale, both_widths, month_axis, path, ticks, y_axis
from shelfcast.web.localized import Localized
from shelfcast.weeks import WEEK

Weeks = list[tuple[date, float]]
_SHOWN = 52
# Of these a table beside the chart tells.
SOLD_WEEKS = 8


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


def draw_outlook(name: str, outlook: Outlook, say: Localized) -> Markup:
    """The last year's sales, then p10 to p90 as a band, the mean as a line and the p98 above."""
    return both_widths(lambda width: _draw(width, name, outlook, say), WIDE)


def _draw(width: int, name: str, outlook: Outlook, say: Localized) -> Markup:
    canvas = Canvas(width, 280 if width == WIDE else 230, left=48)
    past = outlook.past()
    fans = [outlook.weeks, *([outlook.supposed] if outlook.supposed else [])]
    highest = max([1.0, *(units for _, units in past), *(_top(week) for fan in fans for week in fan)])
    days = [*(day for day, _ in past), *(week.week for week in outlook.weeks)]
    x = Scale((min(days).toordinal(), max(days).toordinal()), canvas.x_range)
    at = ticks(0, highest, 4)
    y = Scale((0, at[-1]), canvas.y_range)
    return canvas.draw(
        _in_words(name, outlook, say),
        y_axis(canvas, y, at, say.number),
        month_axis(canvas, x, min(days), max(days), say.month),
        path([(x(day.toordinal()), y(units)) for day, units in past], "line line-ink"),
        *(mark for number, fan in enumerate(fans) for mark in _fan(fan, x, y, "supposed" if number else "")),
        *hits(canvas, _told(past, fans, x, y, say)),
    )


def _fan(weeks: Sequence[ForecastWeek], x: Scale, y: Scale, kind: str) -> list[Markup]:
    def line(value: Callable[[ForecastWeek], float | None]) -> list[tuple[float, float]]:
        return [(x(week.week.toordinal()), y(of)) for week in weeks if (of := value(week)) is not None]

    high, low = line(lambda week: week.p90), line(lambda week: week.p10)
    return [
        path([*high, *reversed(low)], f"band {kind}".strip(), closed=True),
        path(line(lambda week: week.p98), f"line line-extreme {kind}".strip()),
        path(line(lambda week: week.mean), f"line line-accent {kind}".strip()),
    ]


def _top(week: ForecastWeek) -> float:
    return max(value for value in (week.mean, week.p90, week.p98) if value is not None)


def _told(
    past: Weeks, fans: Sequence[Sequence[ForecastWeek]], x: Scale, y: Scale, say: Localized
) -> list[tuple[float, float, str]]:
    told = [(x(day.toordinal()), y(units), f"{say.day(day)}: {say.number(units)} sold") for day, units in past]
    for weeks in zip(*fans, strict=True):
        words = "; supposed ".join(_of_week(week, say) for week in weeks)
        told.append((x(weeks[0].week.toordinal()), y(weeks[-1].mean), f"{say.day(weeks[0].week)}: expected {words}"))
    return told


def _of_week(week: ForecastWeek, say: Localized) -> str:
    return f"{say.number(week.mean)}, p10 to p90 {say.number(week.p10)} to {say.number(week.p90)}"


def _in_words(name: str, outlook: Outlook, say: Localized) -> str:
    """What a reader hears who does not see it."""
    first, last = outlook.weeks[0], outlook.weeks[-1]
    told = f"{name}: units sold by week, then the forecast of {len(outlook.weeks)} weeks from {say.day(first.week)}: "
    told += f"expected {say.number(first.mean)} in the first and {say.number(last.mean)} in the last"
    if outlook.supposed:
        told += f"; as supposed {say.number(outlook.supposed[0].mean)} and {say.number(outlook.supposed[-1].mean)}"
    return told
