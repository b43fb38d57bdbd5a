"""Models beside one another, and what they said beside what came true."""

from collections.abc import Sequence
from datetime import date
from math import sqrt

import numpy as np

from shelfcast.api.rows.models import LeaderboardRow
from shelfcast.reporting.formats import words
from shelfcast.web.charts.description import Bar, Bars, Bubble, Bubbles, Chart, Lines, Numbers, Row, Series, Tone
from shelfcast.web.charts.ticks import decade_ticks, week_ticks
from shelfcast.web.localized import Localized

SoldWeeks = Sequence[tuple[date, float, float]]
# Less than this, and weeks without sales, are in the lowest cell of their row or column.
_LEAST = 0.5
_CELLS_OF_A_DECADE = 4
_MOST_BARS = 15


def errors_chart(rows: Sequence[LeaderboardRow], say: Localized) -> Chart | None:
    """The error of each model as a bar, the smallest first, the champions' marked; None where no model has one."""
    scored = [(row, row.wape) for row in rows if row.wape is not None]
    if not scored:
        return None
    best = sorted(scored, key=lambda entry: entry[1])[:_MOST_BARS]
    named = [(_name(row), say.share(wape, 1), wape, bool(row.champion)) for row, wape in best]
    bars = [Bar(label=f"{name}: {told}", value=wape, marked=marked) for name, told, wape, marked in named]
    rows_told = [Row((name, name), [(told, wape)]) for name, told, wape, _ in named]
    label = "Error (WAPE) by model"
    return Chart(
        f"{label}. {'; '.join(bar.label for bar in bars)}",
        Bars(locale=say.tag, bars=bars),
        Numbers(label, "Model", ["WAPE"], rows_told),
    )


def _name(row: LeaderboardRow) -> str:
    return f"{words(row.model)}{', champion' if row.champion else ''}"


def pairs_chart(model: str, pairs: np.ndarray, say: Localized) -> Chart:
    """Forecasts counted in cells by what they said and what came true. pairs: rows of (said, came true), units."""
    places = np.floor(np.log10(np.maximum(pairs, _LEAST)) * _CELLS_OF_A_DECADE).astype(int)
    cells, counts = np.unique(places, axis=0, return_counts=True)
    counted = [(across, up, count) for (across, up), count in zip(cells.tolist(), counts.tolist(), strict=True)]
    low, high = _decades(int(cells.min()), int(cells.max()) + 1)
    label = f"{words(model)}: actual against predicted units, {say.number(len(pairs))} forecasts"
    drawing = Bubbles(
        locale=say.tag,
        x_title="predicted units",
        y_title="actual units",
        low=low,
        high=high,
        ticks=decade_ticks(low, high, say),
        bubbles=[_bubble(across, up, count, int(counts.max()), say) for across, up, count in counted],
    )
    rows = [
        Row((_span(across, say), _edge(across)), [(_span(up, say), _edge(up)), (say.number(count), count)])
        for across, up, count in counted
    ]
    return Chart(label, drawing, Numbers(label, "Predicted units", ["Actual units", "Forecasts"], rows))


def _bubble(across: int, up: int, count: int, most: int, say: Localized) -> Bubble:
    counted = f"{say.number(count)} forecast{'s' if count != 1 else ''}"
    told = f"{counted}: predicted {_span(across, say)}, actual {_span(up, say)}"
    return Bubble(x=_middle(across), y=_middle(up), weight=count / most, told=told)


def _span(place: int, say: Localized) -> str:
    return f"{say.number(_edge(place))} to {say.number(_edge(place + 1))}"


def _decades(first: int, last: int) -> tuple[float, float]:
    """The whole decades around edges of cells."""
    return 10.0 ** (first // _CELLS_OF_A_DECADE), 10.0 ** -(-last // _CELLS_OF_A_DECADE)


def _edge(place: int) -> float:
    return float(10 ** (place / _CELLS_OF_A_DECADE))


def _middle(place: int) -> float:
    """Of a cell, on a logarithmic axis."""
    return sqrt(_edge(place) * _edge(place + 1))


def weeks_chart(model: str, weeks: SoldWeeks, say: Localized) -> Chart:
    """What came true by week, and what was said of it. weeks: rows of (week, came true, said)."""
    days, real, said = (list(column) for column in zip(*weeks, strict=True))
    drawing = Lines(
        locale=say.tag,
        titles=[say.day(day) for day in days],
        ticks=week_ticks(days, say),
        series=[_series("sold", "ink", real, say), _series("predicted", "accent", said, say)],
    )
    rows = [Row((say.day(day), str(day)), [(say.number(units), units) for units in both]) for day, *both in weeks]
    label = f"Units by week: {say.number(sum(real))} sold in all, {say.number(sum(said))} predicted"
    return Chart(label, drawing, Numbers(f"{words(model)}: units by week", "Week", ["Sold", "Predicted"], rows))


def _series(name: str, tone: Tone, units: Sequence[float], say: Localized) -> Series:
    return Series(name=name, tone=tone, values=units, told=[say.number(value) for value in units])
