"""Counts in cells: actual against predicted, ADI against CV2; and the calibration of quantiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p

import pandas as pd
from markupsafe import Markup

from shelfcast.reporting import formats
from shelfcast.reporting.charts.svg import Canvas, Scale, group, line, log_ticks, path, tag, text, ticks, x_axis, y_axis


@dataclass(frozen=True)
class Cell:
    """A rectangle of the plane, what lies in it, and how that is said."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    count: float
    words: str


def cells(frame: pd.DataFrame, x: str, y: str, counted: str, names: tuple[str, str, str]) -> list[Cell]:
    """The rows of a frame with columns `<x>_low`, `<x>_high`, `<y>_low`, `<y>_high` and `counted`.

    names: of what is counted, of x and of y.
    """
    edges = [f"{axis}_{end}" for axis in (x, y) for end in ("low", "high")]
    return [
        Cell(x_low, x_high, y_low, y_high, count, _words(names, (x_low, x_high, y_low, y_high), count))
        for x_low, x_high, y_low, y_high, count in frame[[*edges, counted]].astype(float).itertuples(index=False)
    ]


def _words(names: tuple[str, str, str], edges: tuple[float, float, float, float], count: float) -> str:
    x_low, x_high, y_low, y_high = map(formats.amount, edges)
    what, x, y = names
    return f"{formats.count(count)} {what}: {x} {x_low} to {x_high}, {y} {y_low} to {y_high}"


@dataclass(frozen=True)
class Plane:
    """How a grid of cells is titled: both axes, the words for the whole, and lines of the plane to draw."""

    x_title: str
    y_title: str
    label: str
    diagonal: bool = False
    x_limit: float | None = None
    y_limit: float | None = None
    corners: tuple[str, str, str, str] | None = None  # low left, high left, low right, high right


def cell_grid(width: int, cells: Sequence[Cell], plane: Plane) -> Markup:
    """Cells on two logarithmic axes, the fuller the stronger (by the logarithm of their counts)."""
    canvas = Canvas(width, min(width, 420), left=58, top=26, bottom=46)
    x = Scale((min(c.x_low for c in cells), max(c.x_high for c in cells)), canvas.x_range, log=True)
    y = Scale((min(c.y_low for c in cells), max(c.y_high for c in cells)), canvas.y_range, log=True)
    most = max(cell.count for cell in cells)
    return canvas.draw(
        plane.label,
        y_axis(canvas, y, log_ticks(*y.domain), formats.amount),
        x_axis(canvas, x, log_ticks(*x.domain), formats.amount),
        *(_cell(cell, x, y, most) for cell in cells),
        *_lines(canvas, x, y, plane),
        text(plane.x_title, sum(canvas.x_range) / 2, canvas.height - 8, class_="tick", text_anchor="middle"),
        text(plane.y_title, 0, 11, class_="tick"),
    )


def calibration(width: int, curves: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> Markup:
    """Stated against observed shares; on the diagonal the quantiles keep their word."""
    canvas = Canvas(width, min(width, 420), left=58, top=26, bottom=46)
    x, y = Scale((0, 1), canvas.x_range), Scale((0, 1), canvas.y_range)
    at = ticks(0, 1, 5)
    told = "; ".join(
        f"{name}: " + ", ".join(f"stated {formats.share(s, 0)}, observed {formats.share(o)}" for s, o in points)
        for name, points in curves
    )
    return canvas.draw(
        f"Calibration. {told}",
        y_axis(canvas, y, at, lambda v: formats.share(v, 0)),
        x_axis(canvas, x, at, lambda v: formats.share(v, 0)),
        line(x(0), y(0), x(1), y(1), "diagonal"),
        *(_promises(name, points, i, x, y) for i, (name, points) in enumerate(curves)),
        text("stated quantile", sum(canvas.x_range) / 2, canvas.height - 8, class_="tick", text_anchor="middle"),
        text("observed", 0, 11, class_="tick"),
    )


def _promises(name: str, points: Sequence[tuple[float, float]], order: int, x: Scale, y: Scale) -> Markup:
    """A level's curve, its points, and its name in the free lower right corner."""
    dots = [
        tag(
            "circle",
            cx=x(s),
            cy=y(o),
            r=5,
            class_="dot",
            data_tip=f"{name}: stated {formats.share(s, 0)}, observed {formats.share(o)}",
        )
        for s, o in points
    ]
    right, up = x(1), y(0) - 16 - 18 * order
    key = [
        tag("circle", cx=right - 6, cy=up - 4, r=5, class_="dot"),
        text(name, right - 18, up, class_="name", text_anchor="end"),
    ]
    return group(path([(x(s), y(o)) for s, o in points], "line"), *dots, *key, class_=f"of-{order % 5}")


def _cell(cell: Cell, x: Scale, y: Scale, most: float) -> Markup:
    return tag(
        "rect",
        x=x(cell.x_low),
        y=y(cell.y_high),
        width=x(cell.x_high) - x(cell.x_low) - 0.6,
        height=y(cell.y_low) - y(cell.y_high) - 0.6,
        class_="cell",
        fill_opacity=f"{0.1 + 0.9 * log1p(cell.count) / log1p(most):.2f}",
        data_tip=cell.words,
    )


def _lines(canvas: Canvas, x: Scale, y: Scale, plane: Plane) -> list[Markup]:
    (left, right), (bottom, top) = canvas.x_range, canvas.y_range
    lines = []
    if plane.diagonal:
        low, high = max(x.domain[0], y.domain[0]), min(x.domain[1], y.domain[1])
        lines.append(line(x(low), y(low), x(high), y(high), "diagonal"))
    if plane.x_limit is not None:
        lines.append(line(x(plane.x_limit), bottom, x(plane.x_limit), top, "limit"))
    if plane.y_limit is not None:
        lines.append(line(left, y(plane.y_limit), right, y(plane.y_limit), "limit"))
    places = [
        (left + 6, bottom - 8, "start"),
        (left + 6, top + 14, "start"),
        (right - 6, bottom - 8, "end"),
        (right - 6, top + 14, "end"),
    ]
    for name, (at, up, anchor) in zip(plane.corners or (), places, strict=False):
        lines.append(text(name, at, up, class_="corner", text_anchor=anchor))
    return lines
