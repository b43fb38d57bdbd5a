"""Lines over time or steps: totals, small multiples, forecast fans, error by horizon."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from shelfcast.reporting.charts.svg import (
    Canvas,
    Scale,
    group,
    line,
    month_axis,
    path,
    tag,
    text,
    ticks,
    x_axis,
    y_axis,
)

Label = Callable[[float], str]


@dataclass(frozen=True)
class Fan:
    """A series: what it sold by week, and per future week its p10, p50 and p90."""

    history: Sequence[tuple[date, float]]
    forecast: Sequence[tuple[date, float, float, float]]


def over_time(width: int, points: Sequence[tuple[date, float]], label: Label, name: str) -> Markup:
    """One measure by week as a line over its area, from zero."""
    canvas = Canvas(width, 260)
    x, y, marks = _time_plot(canvas, points, max(value for _, value in points), label)
    return canvas.draw(
        f"{name} by week, {_extremes(points, label)}",
        *marks,
        *_area_and_line(points, x, y),
        *_hits(canvas, [(x(at.toordinal()), y(v), f"{_week(at)}: {label(v)}") for at, v in points]),
    )


def sparkline(points: Sequence[tuple[date, float]], label: Label, name: str) -> Markup:
    """A small multiple: its own scale from zero, the highest value named."""
    canvas = Canvas(300, 96, left=4, right=4, top=18, bottom=4)
    top = max(value for _, value in points) or 1.0
    x = _time_scale(canvas, points)
    y = Scale((0, top), canvas.y_range)
    peak_at, peak = max(points, key=lambda point: point[1])
    anchor = "start" if x(peak_at.toordinal()) < 60 else "end" if x(peak_at.toordinal()) > 240 else "middle"
    return canvas.draw(
        f"{name} by week, {_extremes(points, label)}",
        *_area_and_line(points, x, y),
        text(label(peak), x(peak_at.toordinal()), y(peak) - 6, class_="tick", text_anchor=anchor),
        *_hits(canvas, [(x(at.toordinal()), y(v), f"{_week(at)}: {label(v)}") for at, v in points]),
    )


def fan(width: int, series: Fan, label: Label, name: str) -> Markup:
    """Sales so far as a line, then the median in a band from p10 to p90."""
    canvas = Canvas(width, 230, left=44)
    points = [*series.history, *((at, high) for at, _, _, high in series.forecast)]
    x, y, marks = _time_plot(canvas, points, max(value for _, value in points), label)
    future = [(x(at.toordinal()), y(low), y(mid), y(high)) for at, low, mid, high in series.forecast]
    band = [(at, high) for at, _, _, high in future] + [(at, low) for at, low, _, _ in reversed(future)]
    told = [(x(at.toordinal()), y(v), f"{_week(at)}: sold {label(v)}") for at, v in series.history]
    told += [
        (x(at.toordinal()), y(mid), f"{_week(at)}: p50 {label(mid)}, p10 to p90 {label(low)} to {label(high)}")
        for at, low, mid, high in series.forecast
    ]
    return canvas.draw(
        f"{name}: units sold by week, then the forecast for {len(series.forecast)} weeks as median and p10 to p90",
        *marks,
        path(band, "band", closed=True),
        path([(x(at.toordinal()), y(v)) for at, v in series.history], "line line-ink"),
        path([(at, mid) for at, _, mid, _ in future], "line line-accent"),
        *_hits(canvas, told),
    )


def by_step(width: int, curves: Sequence[tuple[str, bool, Sequence[tuple[int, float]]]], label: Label) -> Markup:
    """A curve per model over the weeks ahead, (name, is it the champion, points); names at the right end."""
    longest = max(len(name) for name, _, _ in curves)
    canvas = Canvas(width, 300, right=min(24 + 7 * longest, width * 0.4), bottom=44)
    values = [value for _, _, points in curves for _, value in points]
    steps = sorted({step for _, _, points in curves for step, _ in points})
    y_ticks = ticks(min(values), max(values), 5)
    low = min(y_ticks[0], min(values))
    x = Scale((steps[0], steps[-1]), canvas.x_range)
    y = Scale((low, y_ticks[-1]), canvas.y_range)
    middle = sum(canvas.x_range) / 2
    return canvas.draw(
        "Error by weeks ahead: " + "; ".join(f"{name} {label(p[0][1])} to {label(p[-1][1])}" for name, _, p in curves),
        y_axis(canvas, y, y_ticks, label),
        x_axis(canvas, x, steps, lambda step: f"{step:.0f}"),
        text("weeks ahead", middle, canvas.height - 6, class_="tick", text_anchor="middle"),
        *(
            _curve(points, x, y, is_champion, name, label)
            for name, is_champion, points in sorted(curves, key=_champion)
        ),
        *_end_names(curves, y, canvas),
    )


def _champion(curve: tuple[str, bool, Sequence[tuple[int, float]]]) -> bool:
    return curve[1]  # drawn last, on top


def _curve(points: Sequence[tuple[int, float]], x: Scale, y: Scale, strong: bool, name: str, label: Label) -> Markup:
    places = [(x(step), y(value)) for step, value in points]
    dots = [
        tag("circle", cx=at, cy=up, r=4, class_="dot", data_tip=f"{name}, week {step}: {label(value)}")
        for (at, up), (step, value) in zip(places, points, strict=True)
    ]
    return group(path(places, "line"), *dots, class_="curve champion" if strong else "curve")


def _end_names(
    curves: Sequence[tuple[str, bool, Sequence[tuple[int, float]]]], y: Scale, canvas: Canvas
) -> list[Markup]:
    """Names beside the last points, moved down where they would overlap."""
    names = []
    free = 0.0
    for name, strong, points in sorted(curves, key=lambda curve: y(curve[2][-1][1])):
        at = max(y(points[-1][1]) + 4, free)
        free = at + 14
        names.append(text(name, canvas.x_range[1] + 10, at, class_="name champion" if strong else "name"))
    return names


def _time_plot(
    canvas: Canvas, points: Sequence[tuple[date, float]], top: float, label: Label
) -> tuple[Scale, Scale, list[Markup]]:
    y_ticks = ticks(0, top or 1.0, 4)
    x = _time_scale(canvas, points)
    y = Scale((0, y_ticks[-1]), canvas.y_range)
    days = [at for at, _ in points]
    return x, y, [y_axis(canvas, y, y_ticks, label), month_axis(canvas, x, min(days), max(days))]


def _time_scale(canvas: Canvas, points: Sequence[tuple[date, float]]) -> Scale:
    days = [at.toordinal() for at, _ in points]
    return Scale((min(days), max(days)), canvas.x_range)


def _area_and_line(points: Sequence[tuple[date, float]], x: Scale, y: Scale) -> list[Markup]:
    places = [(x(at.toordinal()), y(value)) for at, value in points]
    foot = [(places[-1][0], y(0)), (places[0][0], y(0))]
    return [path([*places, *foot], "area", closed=True), path(places, "line line-accent")]


def _hits(canvas: Canvas, told: Sequence[tuple[float, float, str]]) -> list[Markup]:
    """A column per point that shows a rule, a dot and its words under the pointer."""
    bottom, top = canvas.y_range
    half = (told[-1][0] - told[0][0]) / max(1, len(told) - 1) / 2 if len(told) > 1 else 10.0
    return [
        group(
            line(at, bottom, at, top, "rule"),
            tag("circle", cx=at, cy=up, r=4, class_="dot"),
            tag("rect", x=at - half, y=top, width=2 * half, height=bottom - top, class_="hit", data_tip=words),
            class_="point",
        )
        for at, up, words in told
    ]


def _extremes(points: Sequence[tuple[date, float]], label: Label) -> str:
    (low_at, low), (high_at, high) = (choose(points, key=lambda point: point[1]) for choose in (min, max))
    return f"lowest {label(low)} in the {_week(low_at)}, highest {label(high)} in the {_week(high_at)}"


def _week(at: date) -> str:
    return f"week of {at.day} {at:%b %Y}"
