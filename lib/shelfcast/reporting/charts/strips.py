"""Heat strips: a row each, a cell a week, darker the farther from its average."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import log

from markupsafe import Markup

from shelfcast.reporting import formats
from shelfcast.reporting.charts.svg import Canvas, Scale, group, month_axis, tag, text

_ROW, _GAP = 22, 4
# Three times the average, or a third of it, is the darkest.
_DARKEST = log(3)


@dataclass(frozen=True)
class Strip:
    """A name, and of each week what it is a multiple of its average."""

    name: str
    weeks: Sequence[tuple[date, float]]


def strips(width: int, rows: Sequence[Strip], what: str) -> Markup:
    """The rows under one another on one axis of time; what: the words for the whole."""
    named = width >= 500
    canvas = Canvas(
        width, 34 + (_ROW + _GAP + (0 if named else 16)) * len(rows), left=190 if named else 4, right=4, top=4
    )
    days = [at for row in rows for at, _ in row.weeks]
    first, last = min(days), max(days)
    x = Scale((first.toordinal(), last.toordinal() + 7), canvas.x_range)
    told = "; ".join(f"{row.name}: highest {_peak(row)}" for row in rows if row.weeks)
    return canvas.draw(
        f"{what}. {told}",
        *(_strip(canvas, x, place, row, named) for place, row in enumerate(rows)),
        month_axis(canvas, x, first, last),
    )


def _strip(canvas: Canvas, x: Scale, place: int, row: Strip, named: bool) -> Markup:
    """Its name stands beside it, or above it where there is no room."""
    top = canvas.top + place * (_ROW + _GAP + (0 if named else 16)) + (0 if named else 16)
    short = row.name if len(row.name) <= 26 else f"{row.name[:25]}…"
    name = (
        text(short, canvas.left - 10, top + 15, class_="name", text_anchor="end")
        if named
        else text(short, canvas.left, top - 4, class_="name")
    )
    return group(name, *(_cell(x, top, row.name, at, value) for at, value in row.weeks))


def _cell(x: Scale, top: float, name: str, at: date, value: float) -> Markup:
    left, right = x(at.toordinal()), x(at.toordinal() + 7)
    away = log(max(value, 1e-3))
    return tag(
        "rect",
        x=left,
        y=top,
        width=right - left - 0.8,
        height=float(_ROW),
        class_="above" if away >= 0 else "below",
        fill_opacity=f"{0.06 + 0.94 * min(abs(away) / _DARKEST, 1.0):.2f}",
        data_tip=f"{name}, week of {formats.day(at)}: {formats.amount(value)} times the average",
    )


def _peak(row: Strip) -> str:
    at, value = max(row.weeks, key=lambda week: week[1])
    return f"{formats.amount(value)} times the average in the week of {formats.day(at)}"
