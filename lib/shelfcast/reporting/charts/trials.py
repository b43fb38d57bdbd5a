"""The trials of a search: their parameters side by side, and the best loss so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import isfinite
from statistics import median

from markupsafe import Markup

from shelfcast.reporting.charts.lines import Label
from shelfcast.reporting.charts.svg import Canvas, Scale, group, line, path, tag, text, ticks, x_axis, y_axis

# Apart by such a factor, values are read by their ratios.
_LOGARITHMIC_FROM = 8.0
_ROW = 46.0
# Of the worst finished trial; the best one's is 1.
_FAINTEST = 0.3


@dataclass(frozen=True)
class Coordinate:
    """A parameter or the loss: its value in each trial, NaN where a trial has none."""

    name: str
    values: Sequence[float]
    label: Label

    def scale(self, across: tuple[float, float]) -> Scale:
        known = [value for value in self.values if isfinite(value)]
        low, high = min(known), max(known)
        return Scale((low, high), across, log=low > 0 and high >= _LOGARITHMIC_FROM * low)


def parallel_coordinates(
    width: int, coordinates: Sequence[Coordinate], losses: Sequence[float], told: Sequence[str]
) -> Markup:
    """A line for each trial through its value of each coordinate, one axis under the other.

    The better the stronger, the best on top, a failed one as far as it has values. told: of each trial.
    """
    canvas = Canvas(width, _ROW * len(coordinates), left=10, right=10, top=26, bottom=10)
    left, right = canvas.x_range
    scales = [own.scale((left, right)) for own in coordinates]
    heights = [canvas.y_range[1] + _ROW * row for row in range(len(coordinates))]
    # The failed ones, then from the worst to the best.
    order = sorted(range(len(losses)), key=lambda trial: (isfinite(losses[trial]), -_or_worst(losses[trial])))
    finished = sum(map(isfinite, losses))
    names = ", ".join(own.name for own in coordinates)
    return canvas.draw(
        f"{len(losses)} trials by {names}. {told[order[-1]] if finished else 'None was finished'}",
        *(line(left, y, right, y, "axis") for y in heights),
        *(
            _trial(
                [(x, own.values[trial], y) for own, x, y in zip(coordinates, scales, heights, strict=True)],
                told[trial],
                _standing(place - len(losses) + finished, finished),
            )
            for place, trial in enumerate(order)
        ),
        # Over the lines: most cross at the ends.
        *(_ends(canvas, *row) for row in zip(coordinates, scales, heights, strict=True)),
    )


def best_so_far(width: int, losses: Sequence[float], told: Sequence[str], label: Label) -> Markup:
    """The loss of each finished trial, in their order, and the least one until then. What is beyond twice the median is
    drawn at the upper edge."""
    canvas = Canvas(width, 260, left=58, top=20, bottom=44)
    finished = [(place, loss) for place, loss in enumerate(losses) if isfinite(loss)]
    known = [loss for _, loss in finished]
    y_ticks = ticks(min(known), min(max(known), 2 * median(known)), 4)
    low, high = min(y_ticks[0], min(known)), y_ticks[-1]
    x, y = Scale((0, max(len(losses) - 1, 1)), canvas.x_range), Scale((low, high), canvas.y_range)
    best = [(x(place), y(min(least, high))) for (place, _), least in zip(finished, accumulate(known, min), strict=True)]
    dots = [
        tag("circle", cx=x(place), cy=y(min(loss, high)), r=4, class_="dot", data_tip=told[place])
        for place, loss in finished
    ]
    return canvas.draw(
        f"Loss of {len(known)} finished trials: the first {label(known[0])}, the best {label(min(known))}",
        y_axis(canvas, y, y_ticks, label),
        x_axis(canvas, x, _whole(len(losses)), lambda trial: f"{trial:.0f}"),
        text("trial", sum(canvas.x_range) / 2, canvas.height - 6, class_="tick", text_anchor="middle"),
        text("validation loss", 0, 11, class_="tick"),
        group(*dots, class_="of-3"),
        path(_steps([*best, (x.range[1], best[-1][1])]), "line line-accent"),
    )


def _ends(canvas: Canvas, own: Coordinate, x: Scale, y: float) -> Markup:
    """An axis's name and the values at its ends."""
    (left, right), (low, high) = canvas.x_range, x.domain
    return group(
        text(f"{own.name}: {own.label(low)}", left, y - 6, class_="tick"),
        text(own.label(high), right, y - 6, class_="tick", text_anchor="end"),
        aria_hidden="true",
    )


def _trial(places: Sequence[tuple[Scale, float, float]], words: str, standing: float | None) -> Markup:
    points = [(x(value), y) for x, value, y in places if isfinite(value)]
    dots = [tag("circle", cx=at, cy=up, r=4, class_="dot", data_tip=words) for at, up in points]
    kind = "curve failed" if standing is None else "curve champion" if standing == 1 else "curve"
    strength = None if standing is None else f"{_FAINTEST + (1 - _FAINTEST) * standing:.2f}"
    return group(path(points, "line"), *dots, class_=kind, opacity=strength)


def _standing(place: int, finished: int) -> float | None:
    """1 of the best trial, near 0 of the worst, None of a failed one. place: from the worst, below 0 of the failed."""
    return None if place < 0 else (place + 1) / finished


def _or_worst(loss: float) -> float:
    return loss if isfinite(loss) else 0.0


def _steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Level until the next point, then straight to it."""
    corners = [corner for (_, y), (at, up) in pairwise(points) for corner in ((at, y), (at, up))]
    return [points[0], *corners]


def _whole(trials: int) -> list[float]:
    """Whole numbers of trials, thinned to what fits."""
    return [at for at in ticks(0, trials - 1, 6) if at % 1 == 0 and at < trials] if trials > 1 else [0.0]
