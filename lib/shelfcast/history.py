"""What a series' past says, for all rows of a matrix of demand at once. NaN is demand that is not known: passed over."""

import numpy as np

from shelfcast.panel import FloatArray

GROWTH_WINDOW = 8
GROWTH_LIMITS = (0.5, 2.0)


def last_known(y: FloatArray) -> FloatArray:
    """The last value of each row that is not NaN; 0 where none is."""
    known = ~np.isnan(y)
    position = y.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), y[np.arange(len(y)), position], 0.0)


def known_mean(y: FloatArray) -> FloatArray:
    """The mean of what is known of each row; NaN where nothing is."""
    count = (~np.isnan(y)).sum(axis=1)
    return np.divide(np.nansum(y, axis=1), count, out=np.full(len(y), np.nan), where=count > 0)


def recent_mean(y: FloatArray, window: int) -> FloatArray:
    """The mean of what is known of each row's last `window` columns; of all of the row where nothing is; else 0."""
    return fill(known_mean(y[:, -window:]), fill(known_mean(y), np.zeros(len(y))))


def recent_median(y: FloatArray, window: int) -> FloatArray:
    """The median of what is known of each row's last `window` columns, else as `recent_mean`."""
    recent = y[:, -window:]
    known = ~np.isnan(recent).all(axis=1)
    middle = recent_mean(y, window)
    middle[known] = np.nanmedian(recent[known], axis=1)
    return middle


def same_period_last_season(y: FloatArray, season: int, horizon: int) -> FloatArray:
    """Shape (n, horizon): demand in the same period of the last season that lies before the cutoff; NaN where unknown."""
    steps = np.arange(horizon)
    source = y.shape[1] + steps - season * (steps // season + 1)
    return np.where(source >= 0, y[:, np.maximum(source, 0)], np.nan)


def recent_growth(y: FloatArray, season: int, window: int = GROWTH_WINDOW) -> FloatArray:
    """Demand of the last `window` periods / of the same ones a season ago, within GROWTH_LIMITS; 1 where unknown."""
    if y.shape[1] < season + window:
        return np.ones(len(y))
    recent, past = y[:, -window:], y[:, -window - season : y.shape[1] - season]
    both = ~np.isnan(recent) & ~np.isnan(past)
    now, then = (np.where(both, part, 0.0).sum(axis=1) for part in (recent, past))
    return np.clip(np.divide(now, then, out=np.ones(len(y)), where=then > 0), *GROWTH_LIMITS)


def fill(values: FloatArray, instead: FloatArray) -> FloatArray:
    """`values`, and `instead` where they are NaN."""
    return np.where(np.isnan(values), instead, values)
