"""How long stock lasts: what is left of it day by day, beside the levels that orders are made by."""

from collections.abc import Sequence
from datetime import date, timedelta

from shelfcast.api.orders import forecast_day
from shelfcast.api.rows.plan import OrderRow, PolicyRow
from shelfcast.api.rows.series import ForecastWeek
from shelfcast.api.view import View
from shelfcast.web.charts.description import Chart, Level, Lines, Numbers, Row, Series, Tone
from shelfcast.web.charts.ticks import monday_ticks
from shelfcast.web.localized import Localized

Days = list[tuple[date, float]]
_DAY = timedelta(days=1)


def stock_chart(
    view: View, policy: PolicyRow | None, weeks: Sequence[ForecastWeek], orders: Sequence[OrderRow], say: Localized
) -> Chart | None:
    """The stock position at expected demand, without and with the suggested order; None where stock is not counted."""
    if policy is None or policy.position is None or policy.reorder_point is None or policy.order_up_to is None:
        return None
    today = forecast_day(view)
    order = next((row for row in orders if row.status == "suggested" and row.expected_on), None)
    without = left_over(policy.position, today, weeks, None)
    ordered = left_over(policy.position, today, weeks, order) if order else []
    return days_chart(without, ordered, policy.reorder_point, policy.order_up_to, say)


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


def days_chart(without: Days, ordered: Days, reorder_point: float, order_up_to: float, say: Localized) -> Chart:
    """What is left by day, and the levels of the policy. ordered: with the order, empty where there is none."""
    named = [("order-up-to level", order_up_to), ("reorder point", reorder_point)]
    levels = [Level(label=f"{name} {say.number(value)}", value=value) for name, value in named]
    days = [day for day, _ in without]
    series = [_line("left, at expected demand", "ink", without, say)]
    if ordered:
        series.append(_line("with the suggested order", "accent", ordered, say))
    drawing = Lines(
        locale=say.tag,
        titles=[say.day(day) for day in days],
        ticks=monday_ticks(days, say),
        series=series,
        levels=levels,
    )
    words = f"{_in_words(without, ordered, say)}; {', '.join(level.label for level in levels)}"
    return Chart(words, drawing, _in_numbers(without, ordered, say))


def _line(name: str, tone: Tone, days: Days, say: Localized) -> Series:
    values = [units for _, units in days]
    return Series(name=name, tone=tone, values=values, told=[say.number(units) for units in values])


def _in_words(without: Days, ordered: Days, say: Localized) -> str:
    empty = next((day for day, units in without if units <= 0), None)
    told = f"Stock position of {say.number(without[0][1])} units at expected demand: "
    told += f"nothing is left on {say.day(empty)}" if empty else f"{say.number(without[-1][1])} left at the end"
    return told + " without an order" + (f", {say.number(ordered[-1][1])} left at the end with it" if ordered else "")


def _in_numbers(without: Days, ordered: Days, say: Localized) -> Numbers:
    columns = ["Left", *(["With the order"] if ordered else [])]
    lines = [without, *([ordered] if ordered else [])]
    rows = [
        Row((say.day(days[0][0]), str(days[0][0])), [(say.number(units), units) for _, units in days])
        for days in zip(*lines, strict=True)
    ]
    return Numbers("Stock position by day, units", "Day", columns, rows)
