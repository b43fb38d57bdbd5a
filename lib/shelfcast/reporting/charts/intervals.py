"""Differences with their intervals, one under the other, about a line at nothing."""

from collections.abc import Sequence

from markupsafe import Markup

from shelfcast.metrics import Interval
from shelfcast.reporting.charts.lines import Label
from shelfcast.reporting.charts.svg import Canvas, Scale, group, line, path, tag, text, ticks, x_axis

_ROW = 46


def differences(width: int, rows: Sequence[tuple[str, Interval]], label: Label, name: str) -> Markup:
    """A row for each (what differs, by how much): its name, a dot, and a bar over the interval."""
    canvas = Canvas(width, 40 + _ROW * len(rows), left=16)
    ends = [end for _, interval in rows for end in (0.0, interval.lower, interval.upper)]
    at = ticks(min(ends), max(ends), 5)
    x = Scale((min(at[0], *ends), max(at[-1], *ends)), canvas.x_range)
    bottom, top = canvas.y_range
    return canvas.draw(
        f"{name}. " + "; ".join(f"{what}: {_told(interval, label)}" for what, interval in rows),
        x_axis(canvas, x, at, label),
        line(x(0), bottom, x(0), top, "limit"),
        *(_row(canvas, x, top + _ROW * place, what, _told(by, label), by) for place, (what, by) in enumerate(rows)),
    )


def _row(canvas: Canvas, x: Scale, top: float, what: str, told: str, interval: Interval) -> Markup:
    middle = top + 30
    return group(
        text(what, canvas.left + 8, top + 14, class_="name"),
        path([(x(interval.lower), middle), (x(interval.upper), middle)], "line"),
        tag("circle", cx=x(interval.difference), cy=middle, r=5, class_="dot", data_tip=f"{what}: {told}"),
        class_="of-0",
    )


def _told(interval: Interval, label: Label) -> str:
    return f"{label(interval.difference)}, {label(interval.lower)} to {label(interval.upper)}"
