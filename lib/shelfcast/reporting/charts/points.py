"""Points in a plane: one group before the shadow of all; and a curve of shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from shelfcast.reporting import formats
from shelfcast.reporting.charts.svg import (
    Canvas,
    Scale,
    line,
    log_ticks,
    path,
    tag,
    text,
    ticks,
    x_axis,
    y_axis,
)


@dataclass(frozen=True)
class Point:
    """Both above 0, for their logarithms; words: what the pointer tells."""

    x: float
    y: float
    words: str


def among(
    own: Sequence[Point], everything: Sequence[Point], axes: tuple[str, str], limits: Sequence[float], name: str
) -> Markup:
    """The points of one group, those of all as a shadow; both axes are logarithmic and the same for every group.

    axes: the titles; limits: values of y that are dashed.
    """
    canvas = Canvas(300, 210, left=38, right=8, top=22, bottom=34)
    x, y = (Scale(_span(values), span, log=True) for values, span in (
        ([point.x for point in everything], canvas.x_range),
        ([*(point.y for point in everything), *limits], canvas.y_range),
    ))  # fmt: skip
    left, right = canvas.x_range
    shadow = "".join(f"M{x(p.x):.1f} {y(p.y):.1f}h1.8v1.8h-1.8z" for p in everything)
    return canvas.draw(
        f"{name}: {formats.count(len(own))} of {formats.count(len(everything))} drawn, {axes[1]} against {axes[0]}",
        y_axis(canvas, y, log_ticks(*y.domain), formats.amount),
        x_axis(canvas, x, log_ticks(*x.domain), formats.amount),
        *(line(left, y(limit), right, y(limit), "limit") for limit in limits),
        tag("path", d=shadow, class_="shadow"),
        *(tag("circle", cx=x(p.x), cy=y(p.y), r=3.2, class_="dot", data_tip=p.words) for p in own),
        text(axes[0], right, canvas.height - 2, class_="tick", text_anchor="end"),
        text(axes[1], 0, 10, class_="tick"),
    )


def _span(values: Sequence[float]) -> tuple[float, float]:
    known = [value for value in values if isfinite(value) and value > 0]
    low, high = min(known), max(known)
    return (low / 1.15, high * 1.15) if high > low else (low / 2, high * 2)


def shares(
    width: int, curve: Sequence[tuple[float, float]], marks: Sequence[tuple[str, float, float]], axes: tuple[str, str]
) -> Markup:
    """A curve of shares of y over shares of x, from 0 to 1 each; marks: named places on it."""
    canvas = Canvas(width, min(width, 330), left=52, top=26, bottom=46)
    x, y = Scale((0, 1), canvas.x_range), Scale((0, 1), canvas.y_range)
    at = ticks(0, 1, 5)
    places = [(x(across), y(up)) for across, up in curve]
    told = "; ".join(
        f"{name}: {formats.share(across)} of {axes[0]}, {formats.share(up)} of {axes[1]}" for name, across, up in marks
    )
    return canvas.draw(
        f"{axes[1]} against {axes[0]}. {told}",
        y_axis(canvas, y, at, lambda v: formats.share(v, 0)),
        x_axis(canvas, x, at, lambda v: formats.share(v, 0)),
        path([*places, (places[-1][0], y(0)), (places[0][0], y(0))], "area", closed=True),
        path(places, "line line-accent"),
        *(_mark(x, y, name, across, up, axes) for name, across, up in marks),
        text(axes[0], sum(canvas.x_range) / 2, canvas.height - 8, class_="tick", text_anchor="middle"),
        text(axes[1], 0, 11, class_="tick"),
    )


def _mark(x: Scale, y: Scale, name: str, across: float, up: float, axes: tuple[str, str]) -> Markup:
    words = f"{name}: {formats.share(across)} of {axes[0]}, {formats.share(up)} of {axes[1]}"
    side = 12 if across < 0.75 else -12
    return Markup("").join(
        [
            tag("circle", cx=x(across), cy=y(up), r=5, class_="dot", data_tip=words),
            text(name, x(across) + side, y(up) + 16, class_="corner", text_anchor="start" if side > 0 else "end"),
        ]
    )
