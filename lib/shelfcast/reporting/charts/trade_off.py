"""What service costs: curves of service against stock, and what each part of a cost comes to."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from shelfcast.reporting.charts.lines import Label
from shelfcast.reporting.charts.svg import Canvas, Scale, group, path, tag, text, ticks, x_axis, y_axis

_ROW = 46
_LETTER = 7.0


@dataclass(frozen=True)
class Curve:
    """A rule, and (stock, service, what is told of it) for each of its parameters."""

    name: str
    points: Sequence[tuple[float, float, str]]


def trade_off(width: int, curves: Sequence[Curve], stock: Label, service: Label) -> Markup:
    """Service against stock, a curve a rule, the first drawn last: higher is better, and further left."""
    legend = _legend([curve.name for curve in curves], width, 16)
    canvas = Canvas(width, 340 + 20 * legend.rows, top=14 + 20 * legend.rows, bottom=44)
    stocks = [at for curve in curves for at, _, _ in curve.points]
    served = [up for curve in curves for _, up, _ in curve.points]
    x_ticks, y_ticks = ticks(0, max(stocks), 6 if width > 400 else 4), ticks(min(served), max(served), 5)
    x = Scale((0, x_ticks[-1]), canvas.x_range)
    y = Scale((min(y_ticks[0], *served), y_ticks[-1]), canvas.y_range)
    told = "; ".join(
        f"{curve.name} {service(c[0][1])} to {service(c[-1][1])}" for curve in curves if (c := curve.points)
    )
    return canvas.draw(
        f"Service against stock: {told}",
        *legend.marks,
        y_axis(canvas, y, y_ticks, service),
        x_axis(canvas, x, x_ticks, stock),
        text(
            "units in stock a series", sum(canvas.x_range) / 2, canvas.height - 6, class_="tick", text_anchor="middle"
        ),
        *(_curve(curves[place], place, x, y) for place in reversed(range(len(curves)))),
    )


def _curve(curve: Curve, place: int, x: Scale, y: Scale) -> Markup:
    dots = [
        tag("circle", cx=x(at), cy=y(up), r=4, class_="dot", data_tip=f"{curve.name}: {told}")
        for at, up, told in curve.points
    ]
    return group(path([(x(at), y(up)) for at, up, _ in curve.points], "line"), *dots, class_=f"of-{place}")


def stacked(
    width: int, rows: Sequence[tuple[str, Sequence[float]]], parts: Sequence[str], label: Label, name: str
) -> Markup:
    """A bar a row, of its parts one behind the other, with the sum at its end."""
    legend = _legend(parts, width, 16)
    canvas = Canvas(width, 20 * legend.rows + 26 + _ROW * len(rows), left=16, top=14 + 20 * legend.rows, bottom=12)
    most = max(sum(values) for _, values in rows)
    x = Scale((0, most or 1.0), (canvas.left, canvas.width - 80))
    told = "; ".join(f"{row} {label(sum(values))}" for row, values in rows)
    return canvas.draw(
        f"{name}: {told}",
        *legend.marks,
        *(_bar(canvas, x, place, row, parts, label) for place, row in enumerate(rows)),
    )


def _bar(
    canvas: Canvas, x: Scale, place: int, row: tuple[str, Sequence[float]], parts: Sequence[str], label: Label
) -> Markup:
    name, values = row
    top = canvas.top + _ROW * place
    marks, start = [text(name, canvas.left, top + 14, class_="name")], 0.0
    for number, (part, value) in enumerate(zip(parts, values, strict=True)):
        span = x(start + value) - x(start)
        bar = tag("rect", x=x(start), y=top + 20, width=span, height=16, class_="dot",
                  data_tip=f"{name}: {part} {label(value)}")  # fmt: skip
        marks.append(group(bar, class_=f"of-{number}"))
        start += value
    return group(*marks, text(label(start), x(start) + 8, top + 33, class_="tick"))


@dataclass(frozen=True)
class _Legend:
    """Coloured dots with their names, in as many rows as the width wants."""

    rows: int
    marks: Sequence[Markup]


def _legend(names: Sequence[str], width: int, left: float) -> _Legend:
    marks, at, row = [], left, 0
    for place, name in enumerate(names):
        wide = 30 + _LETTER * len(name)
        if at + wide > width and at > left:
            at, row = left, row + 1
        dot = tag("circle", cx=at + 5, cy=10.0 + 20 * row, r=5, class_="dot")
        marks.append(group(dot, text(name, at + 16, 14.0 + 20 * row, class_="tick"), class_=f"of-{place}"))
        at += wide
    return _Legend(row + 1, marks)
