"""How much a store sold on a day against the same weekdays before it.

The median and the MAD of the logarithm are robust: half of the days may be wrong before they move (Leys et al. 2013,
"Detecting outliers: Do not use standard deviation around the mean, use absolute deviation around the median", J. Exp.
Soc. Psychol. 49). A few weekdays tell little of the tails: the spread is at least that by which nine of ten of the
store's days before, of any weekday, were off. Nor is it less than chance makes a thin store vary: a Poisson count of
half its rows, for sales come in baskets.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
# The MAD of a normal distribution is 1 / 1.4826 of its standard deviation.
_TO_DEVIATION = 1.4826
# What a day without a row counts as, in rows.
_NOTHING = 1.0
# Nine of ten such weekdays were open.
_OPEN = 0.9
# Nine of ten of a normal distribution lie within so many standard deviations; how many days tell of the tenth.
_TAIL, _IN_TAIL, _LEAST_DAYS = 0.9, 1.645, 14


class Volumes(NamedTuple):
    """Of each week and weekday (weeks, 7): rows against their usual number, units likewise, as ratios; how many spreads
    the farther of both is away from 1, signed; the usual rows and units; whether the store is usually open."""

    rows: FloatArray
    units: FloatArray
    spreads: FloatArray
    usual_rows: FloatArray
    usual_units: FloatArray
    is_open: NDArray[np.bool_]

    @property
    def ratio(self) -> FloatArray:
        """The one of both ratios that is farther from 1."""
        return np.where(np.abs(_log(self.rows)) >= np.abs(_log(self.units)), self.rows, self.units)


def compare(rows: FloatArray, units: FloatArray, history: int, least: int, min_spread: float) -> Volumes:
    """Each day against the same weekday of the `history` weeks before it, of which `least` were open or more.

    rows, units: (weeks, 7); 0 where nothing sold, NaN where nothing is known. In units it does not depend on the unit.
    """
    usual_rows, row_spread, weeks, known = _usual(rows, history)
    usual_units, unit_spread, _, _ = _usual(units, history)
    row_ratio = np.where(rows == 0, _NOTHING, rows) / usual_rows
    # Without a row there are no units: the rows tell.
    unit_ratio = np.where(units > 0, units / usual_units, row_ratio)
    noise = np.sqrt(min_spread**2 + 2 / np.maximum(usual_rows, 1.0))
    away, days = [], []
    for ratio, spread in ((row_ratio, row_spread), (unit_ratio, unit_spread)):
        tail, count = _tail(_log(ratio), history)
        with np.errstate(invalid="ignore"):
            away.append(_log(ratio) / np.fmax(np.maximum(spread, noise), tail))
        days.append(count)
    spreads = np.where(np.abs(away[0]) >= np.abs(away[1]), *away)
    is_open = (weeks >= least) & (weeks >= _OPEN * known) & (days[0] >= _LEAST_DAYS)
    sold_units = np.where(units > 0, unit_ratio, 0 * rows)
    return Volumes(rows / usual_rows, sold_units, spreads, usual_rows, usual_units, is_open)


def _usual(values: FloatArray, history: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Of the weekdays before each: the median, the spread of their logarithm, how many sold and how many are known."""
    windows = _before(values, history)
    logs = np.where(windows > 0, _log(windows), np.nan)
    weeks = np.isfinite(logs).sum(axis=-1)
    median = _median(logs, weeks)
    spread = _TO_DEVIATION * _median(np.abs(logs - median[..., None]), weeks)
    return np.exp(median), spread, weeks.astype(float), np.isfinite(windows).sum(axis=-1).astype(float)


def _tail(away: FloatArray, history: int) -> tuple[FloatArray, FloatArray]:
    """Of all days of the weeks before each: the spread by which nine of ten were off, NaN where there are none, and how
    many they are. Both (weeks, 1)."""
    off = np.sort(np.abs(_before(away, history)).reshape(len(away), -1), axis=-1)  # NaN last
    count = np.isfinite(off).sum(axis=-1, keepdims=True)
    place = np.ceil(_TAIL * np.maximum(count, 1)).astype(int) - 1
    return np.take_along_axis(off, place, axis=-1) / _IN_TAIL, count.astype(float)


def _before(values: FloatArray, history: int) -> FloatArray:
    """Of each week and weekday the values of the `history` weeks before: (weeks, 7, history)."""
    before = np.vstack([np.full((history, values.shape[1]), np.nan), values[:-1]])
    return sliding_window_view(before, history, axis=0)


def _median(values: FloatArray, counts: NDArray[np.int_]) -> FloatArray:
    """The median of the finite values along the last axis, of which there are `counts`; NaN where there are none."""
    ordered = np.sort(values, axis=-1)  # NaN last
    low, high = (np.maximum(counts - 1, 0) // 2)[..., None], (np.maximum(counts, 1) // 2)[..., None]
    middle = [np.take_along_axis(ordered, place, axis=-1)[..., 0] for place in (low, high)]
    return (middle[0] + middle[1]) / 2


def _log(values: FloatArray) -> FloatArray:
    """Minus infinity for 0, NaN for less."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(values)
