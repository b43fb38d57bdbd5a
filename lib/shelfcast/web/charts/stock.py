"""How long stock lasts: what is left of it day by day, beside the levels that orders are made by."""

from collections.abc import Sequence
from datetime import date, timedelta
from math import ceil

from markupsafe import Markup

from shelfcast.api.orders import forecast_day
from shelfcast.api.rows.plan import OrderRow, PolicyRow
from shelfcast.api.rows.series import ForecastWeek
from shelfcast.api.view import View
from shelfcast.reporting.charts.lines import hits
from shelfcast.reporting.charts.svg import (
    WIDE,
    Canvas,
    Scale,
    both_widths,
    line,
    path,
    text,
    ticks,
    x_axis,
    y_axis,
)
from shelfcast.web.localized import Localized

Days = list[tuple[date, float]]
_DAY = timedelta(days=1)
_LABEL = 64
# The upper level is named above its line and the lower below: they may be a unit apart.
_BESIDE = (-5, 14)


def draw_stock(
    view: View, policy: PolicyRow | None, weeks: Sequence[ForecastWeek], orders: Sequence[OrderRow], say: Localized
) -> Markup | None:
    """The stock position at expected demand, without and with the suggested order; None where stock is not counted."""
    if policy is None or policy.position is None or policy.reorder_point is None or policy.order_up_to is None:
        return None
    today = forecast_day(view)
    order = next((row for row in orders if row.status == "suggested" and row.expected_on), None)
    without = left_over(policy.position, today, weeks, None)
    ordered = left_over(policy.position, today, weeks, order) if order else []
    levels = [("order-up-to level", policy.order_up_to), ("reorder point", policy.reorder_point)]
    return both_widths(lambda width: _draw(width, without, ordered, levels, say), WIDE)


def left_over(position: float, today: date, weeks: Sequence[ForecastWeek], order: OrderRow | None) -> Days:
    """What is left of the position at each closing, where demand is as expected and even within its week, and the order
    comes on the day on which it is expected.

    position: units at the closing of today.
    """
    daily = {week.week + n * _DAY: week.mean / 7 for week in weeks for n in range(7)}
    found, left = [(today, position)], position
    for day in sorted(day for day in daily if day > today):
        left = max(left - daily[day], 0.0) + (order.quantity if order and day == order.expected_on else 0.0)
        found.append((day, left))
    return found


def _draw(width: int, without: Days, ordered: Days, levels: Sequence[tuple[str, float]], say: Localized) -> Markup:
    canvas = Canvas(width, 230, left=48, top=22)
    days = [day for day, _ in without]
    highest = max([1.0, *(units for _, units in [*without, *ordered]), *(level for _, level in levels)])
    x = Scale((days[0].toordinal(), days[-1].toordinal()), canvas.x_range)
    at = ticks(0, highest, 4)
    y = Scale((0, at[-1]), canvas.y_range)
    told = [
        (x(day.toordinal()), y(units), f"{say.day(day)}: {say.number(units)} left{_more(ordered, place, say)}")
        for place, (day, units) in enumerate(without)
    ]
    return canvas.draw(
        _in_words(without, ordered, levels, say),
        y_axis(canvas, y, at, say.number),
        x_axis(canvas, x, _mondays(days, width), lambda at: say.short_day(date.fromordinal(int(at)))),
        *(
            mark
            for (name, level), off in zip(levels, _BESIDE, strict=True)
            for mark in _level(canvas, y(level), f"{name} {say.number(level)}", off)
        ),
        path([(x(day.toordinal()), y(units)) for day, units in without], "line line-ink"),
        *([path([(x(day.toordinal()), y(units)) for day, units in ordered], "line line-accent")] if ordered else []),
        *hits(canvas, told),
    )


def _more(ordered: Days, place: int, say: Localized) -> str:
    return f", {say.number(ordered[place][1])} with the order" if ordered else ""


def _mondays(days: Sequence[date], width: int) -> list[float]:
    """Every Monday, or every second where there is no room for all."""
    mondays = [float(day.toordinal()) for day in days if day.weekday() == 0]
    return mondays[:: max(ceil(len(mondays) * _LABEL / width), 1)]


def _level(canvas: Canvas, at: float, name: str, off: int) -> list[Markup]:
    left, right = canvas.x_range
    return [line(left, at, right, at, "limit"), text(name, right, at + off, class_="corner", text_anchor="end")]


def _in_words(without: Days, ordered: Days, levels: Sequence[tuple[str, float]], say: Localized) -> str:
    empty = next((day for day, units in without if units <= 0), None)
    told = f"Stock position of {say.number(without[0][1])} units at expected demand: "
    told += f"nothing is left on {say.day(empty)}" if empty else f"{say.number(without[-1][1])} left at the end"
    told += " without an order" + (f", {say.number(ordered[-1][1])} left at the end with it" if ordered else "")
    return told + "; " + ", ".join(f"{name} {say.number(level)}" for name, level in levels)
