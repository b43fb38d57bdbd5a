"""What a series' past says, for all rows of a matrix of demand at once. NaN is demand that is not known: passed
over."""

import numpy as np
from numpy.typing import NDArray

from shelfcast.panel import FloatArray

GROWTH_WINDOWS = (4, 8, 13)
GROWTH_LIMITS = (0.5, 2.0)
# Two average weeks are added to both sides of a growth: a few odd weeks then say little.
GROWTH_PRIOR = 2.0
PROFILE_LIMIT = 20.0


def last_known(y: FloatArray) -> FloatArray:
    """The last value of each row that is not NaN; 0 where none is."""
    known = ~np.isnan(y)
    position = y.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), y[np.arange(len(y)), position], 0.0)


def selling_weeks(y: FloatArray) -> NDArray[np.int64]:
    """In how many periods each row had sold by the end of each: shape of `y`."""
    weeks: NDArray[np.int64] = np.cumsum(np.nan_to_num(y) > 0, axis=1)
    return weeks


def known_mean(y: FloatArray) -> FloatArray:
    """The mean of what is known of each row; NaN where nothing is."""
    count = (~np.isnan(y)).sum(axis=1)
    mean: FloatArray = np.divide(np.nansum(y, axis=1), count, out=np.full(len(y), np.nan), where=count > 0)
    return mean


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


def season_ago(y: FloatArray, season: int, horizon: int, shift: int = 0) -> FloatArray:
    """Demand in the same period of the last season that lies before the cutoff, or `shift` periods after that one.

    Shape (n, horizon), units; NaN where not known at the cutoff.
    """
    steps, periods = np.arange(horizon), y.shape[1]
    source = periods + steps - season * (steps // season + 1) + shift
    return np.where((source >= 0) & (source < periods), y[:, np.clip(source, 0, periods - 1)], np.nan)


def season_near(y: FloatArray, season: int, horizon: int) -> FloatArray:
    """The mean of the same period of last season and of its two neighbours, as far as they are known; as season_ago."""
    around = np.stack([season_ago(y, season, horizon, shift) for shift in (-1, 0, 1)], axis=-1)
    return known_mean(around.reshape(-1, 3)).reshape(len(y), horizon)


def grown_season(y: FloatArray, season: int, horizon: int) -> FloatArray:
    """The demand a season ago x how the last weeks compare with the same weeks a season ago.

    The growth is averaged over those of GROWTH_WINDOWS of which both seasons are there. Shape (n, horizon), units; NaN
    where demand a season ago is not known, or none of the windows is there.
    """
    size = fill(known_mean(np.abs(y[:, -season:])), np.zeros(len(y))) * GROWTH_PRIOR
    growths = [np.full(len(y), np.nan)]
    for window in _growth_windows(y, season):
        now, then = _both_seasons(y, season, window)
        past = then.sum(axis=1) + size
        growth = np.divide(now.sum(axis=1) + size, past, out=np.ones(len(y)), where=past > 0)
        growths.append(np.clip(growth, *GROWTH_LIMITS))
    return season_ago(y, season, horizon) * known_mean(np.stack(growths, axis=1))[:, None]


def sum_by_group(y: FloatArray, groups: NDArray[np.int64]) -> FloatArray:
    """What is known of each group's rows, summed by period: shape (groups, T). groups: shape (n,), 0.."""
    totals = np.zeros((int(groups.max(initial=0)) + 1, y.shape[1]))
    np.add.at(totals, groups, np.nan_to_num(y))
    return totals


def pooled_season(
    y: FloatArray, season: int, horizon: int, totals: FloatArray, groups: NDArray[np.int64]
) -> FloatArray:
    """The recent level of a series x the seasonal profile of its group, averaged over the windows that are there.

    The profile is the group's demand a season ago / the group's mean over the same weeks a season ago: what one series
    is too noisy to tell, all of the stores that sell the same item tell together. totals: the demand of each group,
    shape (groups, T). groups: that of each series, shape (n,), 0..; else as grown_season.
    """
    ago = season_ago(totals, season, horizon)
    forecasts = [np.full((len(y), horizon), np.nan)]
    for window in _growth_windows(y, season):
        _, then = _both_seasons(totals, season, window)
        base = then.mean(axis=1)[:, None]
        profile = np.divide(ago, base, out=np.full_like(ago, np.nan), where=base > 0)
        forecasts.append(recent_mean(y, window)[:, None] * np.clip(profile, 0.0, PROFILE_LIMIT)[groups])
    return known_mean(np.stack(forecasts, axis=-1).reshape(-1, len(forecasts))).reshape(len(y), horizon)


def fill(values: FloatArray, instead: FloatArray) -> FloatArray:
    """`values`, and `instead` where they are NaN."""
    return np.where(np.isnan(values), instead, values)


def _growth_windows(y: FloatArray, season: int) -> list[int]:
    return [window for window in GROWTH_WINDOWS if y.shape[1] >= season + window]


def _both_seasons(y: FloatArray, season: int, window: int) -> tuple[FloatArray, FloatArray]:
    """The last `window` columns and those a season before; 0 in both where either is unknown."""
    end = y.shape[1]
    now, then = y[:, end - window :], y[:, end - window - season : end - season]
    both = ~np.isnan(now) & ~np.isnan(then)
    return np.where(both, now, 0.0), np.where(both, then, 0.0)
