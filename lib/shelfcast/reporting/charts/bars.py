"""Values as bars, one under the other, with the limits that they are judged by."""

from collections.abc import Sequence

from markupsafe import Markup

from shelfcast.reporting.charts.lines import Label
from shelfcast.reporting.charts.svg import Canvas, Scale, group, line, tag, text, ticks, x_axis

_ROW = 46


def bars(width: int, rows: Sequence[tuple[str, float]], limits: Sequence[float], label: Label, name: str) -> Markup:
    """A row for each (what it is of, value), from 0."""
    canvas = Canvas(width, 40 + _ROW * len(rows), left=16)
    at = ticks(0.0, max(*limits, *(value for _, value in rows)), 5)
    x = Scale((0.0, at[-1]), canvas.x_range)
    bottom, top = canvas.y_range
    return canvas.draw(
        f"{name}. " + "; ".join(f"{what}: {label(value)}" for what, value in rows),
        x_axis(canvas, x, at, label),
        *(line(x(limit), bottom, x(limit), top, "limit") for limit in limits),
        *(_row(canvas, x, top + _ROW * place, what, value, label) for place, (what, value) in enumerate(rows)),
    )


def _row(canvas: Canvas, x: Scale, top: float, what: str, value: float, label: Label) -> Markup:
    bar = tag("rect", x=x(0.0), y=top + 20, width=max(x(value) - x(0.0), 1.0), height=12.0, class_="cell",
              data_tip=f"{what}: {label(value)}")  # fmt: skip
    return group(text(f"{what}: {label(value)}", canvas.left, top + 14, class_="name"), bar)
