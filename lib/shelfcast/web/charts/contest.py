"""Models beside one another, and what they said beside what came true."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from markupsafe import Markup

from shelfcast.api.rows.models import LeaderboardRow
from shelfcast.reporting.charts import bars
from shelfcast.reporting.charts.grids import Cell, Plane, cell_grid
from shelfcast.reporting.charts.lines import hits
from shelfcast.reporting.charts.svg import HALF, WIDE, Canvas, Scale, both_widths, month_axis, path, ticks, y_axis
from shelfcast.reporting.formats import words
from shelfcast.web.localized import Localized

# Less than this, and weeks without sales, are in the lowest cell of their row or column.
_LEAST = 0.5
_CELLS_OF_A_DECADE = 4


def draw_errors(rows: Sequence[LeaderboardRow], say: Localized) -> Markup | None:
    """The error of each model as a bar, the smallest first; the champion's is the line."""
    scored = sorted((row for row in rows if row.wape is not None), key=lambda row: row.wape or 0.0)
    if not scored:
        return None
    told = [(f"{words(row.model)}{', champion' if row.champion else ''}", row.wape or 0.0) for row in scored[:15]]
    limits = [row.wape or 0.0 for row in scored if row.champion and "mean" in row.champion]
    if not limits:
        limits = [scored[0].wape or 0.0]
    return both_widths(
        lambda width: bars.bars(width, told, limits, lambda value: say.share(value, 1), "Error (WAPE) by model"), WIDE
    )


def draw_scatter(model: str, pairs: np.ndarray, say: Localized) -> Markup:
    """Forecasts counted in cells by what they said and what came true. pairs: rows of (said, came true), units."""
    cells = _cells(np.maximum(pairs, _LEAST), say)
    label = f"{words(model)}: actual against predicted units, {say.number(len(pairs))} forecasts"
    plane = Plane("predicted units", "actual units", label, diagonal=True, say=say.number)
    return both_widths(lambda width: cell_grid(width, cells, plane), HALF)


def draw_weeks(weeks: Sequence[tuple[date, float, float]], say: Localized) -> Markup:
    """What came true by week, and what was said of it. weeks: rows of (week, came true, said)."""
    return both_widths(lambda width: _weeks(width, weeks, say), HALF)


def _weeks(width: int, weeks: Sequence[tuple[date, float, float]], say: Localized) -> Markup:
    canvas = Canvas(width, 240, left=56)
    first, last = weeks[0][0], weeks[-1][0]
    x = Scale((first.toordinal(), last.toordinal()), canvas.x_range)
    at = ticks(0, max(max(real, said) for _, real, said in weeks) or 1.0, 4)
    y = Scale((0, at[-1]), canvas.y_range)
    told = [(x(day.toordinal()), y(said), f"{say.day(day)}: {say.number(real)} sold, {say.number(said)} predicted")
            for day, real, said in weeks]  # fmt: skip
    total, said_total = sum(real for _, real, _ in weeks), sum(said for _, _, said in weeks)
    return canvas.draw(
        f"Units by week: {say.number(total)} sold in all, {say.number(said_total)} predicted",
        y_axis(canvas, y, at, say.number),
        month_axis(canvas, x, first, last, say.month),
        path([(x(day.toordinal()), y(real)) for day, real, _ in weeks], "line line-ink"),
        path([(x(day.toordinal()), y(said)) for day, _, said in weeks], "line line-accent"),
        *hits(canvas, told),
    )


def _cells(pairs: np.ndarray, say: Localized) -> list[Cell]:
    places = np.floor(np.log10(pairs) * _CELLS_OF_A_DECADE).astype(int)
    found, counts = np.unique(places, axis=0, return_counts=True)
    cells = []
    for (across, up), count in zip(found.tolist(), counts.tolist(), strict=True):
        x_low, x_high, y_low, y_high = (_edge(place) for place in (across, across + 1, up, up + 1))
        said, real = f"{say.number(x_low)} to {say.number(x_high)}", f"{say.number(y_low)} to {say.number(y_high)}"
        words = f"{say.number(count)} forecasts: predicted {said}, actual {real}"
        cells.append(Cell(x_low, x_high, y_low, y_high, count, words))
    return cells


def _edge(place: int) -> float:
    return float(10 ** (place / _CELLS_OF_A_DECADE))
