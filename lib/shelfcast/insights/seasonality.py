"""How strong season and trend are in weekly demand, and how fast it grows.

Each series is regressed on a line and on waves of the year (Hyndman and Athanasopoulos 2021, section 7.4). A strength
is the share of the variance left without the part that the part explains, as theirs of section 4.3, with both
variances per degree of freedom, so that of pure noise it is 0 in the mean.
"""

from typing import NamedTuple

import numpy as np

from shelfcast.panel import FloatArray

# Waves to a year: the shortest takes a quarter of one.
WAVES = 4
_NORMAL_95 = 1.959964


class Strengths(NamedTuple):
    """Of each series: strengths from 0 to 1, and growth a year as a share of the mean, with its 95 % interval."""

    season: FloatArray
    trend: FloatArray
    growth: FloatArray
    lower: FloatArray
    upper: FloatArray


def strengths(y: FloatArray, season: int) -> Strengths:
    """Of `n` series, shape (n, T), over two seasons or more; of one that is constant all are 0."""
    line, waves = _line(y.shape[1]), _waves(y.shape[1], season)
    ones = np.ones((y.shape[1], 1))
    whole = np.hstack([ones, line, waves])
    left = _unexplained(y, whole)
    growth, error = _slope(y, whole, season)
    return Strengths(
        _strength(left, _unexplained(y, np.hstack([ones, line]))),
        _strength(left, _unexplained(y, np.hstack([ones, waves]))),
        growth,
        growth - _NORMAL_95 * error,
        growth + _NORMAL_95 * error,
    )


def season_index(y: FloatArray, season: int) -> FloatArray:
    """Demand of each week of the year as a multiple of the trend, mean over the years: shape (n, season).

    The first week of `y` is the first of the year. Where the trend is not above 0 the mean stands for it.
    """
    weeks = y.shape[1]
    regressors = np.hstack([np.ones((weeks, 1)), _line(weeks), _waves(weeks, season)])
    level = _fit(y, regressors)[:, :2] @ regressors[:, :2].T
    mean = y.mean(axis=1, keepdims=True)
    level = np.where(level > 0, level, mean)
    ratio = np.divide(y, level, out=np.ones_like(y), where=level > 0)
    position = np.arange(weeks) % season
    return np.stack([ratio[:, position == at].mean(axis=1) for at in range(season)], axis=1)


def _line(weeks: int) -> FloatArray:
    """Shape (weeks, 1), centred, in weeks."""
    return (np.arange(weeks, dtype=np.float64) - (weeks - 1) / 2)[:, None]


def _waves(weeks: int, season: int) -> FloatArray:
    angle = 2 * np.pi * np.arange(weeks)[:, None] * np.arange(1, WAVES + 1) / season
    return np.hstack([np.sin(angle), np.cos(angle)])


def _fit(y: FloatArray, regressors: FloatArray) -> FloatArray:
    """Least squares: coefficients of shape (n, regressors)."""
    return np.asarray(y @ np.linalg.pinv(regressors).T, dtype=np.float64)


def _unexplained(y: FloatArray, regressors: FloatArray) -> FloatArray:
    """Variance of the residuals, per degree of freedom."""
    residuals = y - _fit(y, regressors) @ regressors.T
    return np.asarray((residuals**2).sum(axis=1) / (y.shape[1] - regressors.shape[1]), dtype=np.float64)


def _strength(left: FloatArray, without: FloatArray) -> FloatArray:
    scale = np.finfo(float).eps * np.maximum(without, 1.0)
    ratio = np.divide(left, without, out=np.ones_like(left), where=without > scale)
    return np.asarray(np.clip(1 - ratio, 0.0, 1.0), dtype=np.float64)


def _slope(y: FloatArray, regressors: FloatArray, season: int) -> tuple[FloatArray, FloatArray]:
    """Growth a year as a share of the mean, and its standard error by Newey and West (1987): weeks depend on the weeks
    before them, as far back as their rule of thumb 4 (T / 100)^(2/9) says."""
    weeks, inverse = y.shape[1], np.linalg.pinv(regressors)
    slope = y @ inverse[1]
    parts = (y - (y @ inverse.T) @ regressors.T) * inverse[1]
    variance = (parts**2).sum(axis=1)
    lags = int(4 * (weeks / 100) ** (2 / 9))
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (parts[:, lag:] * parts[:, :-lag]).sum(axis=1)
    variance = np.maximum(variance, 0.0) * weeks / (weeks - regressors.shape[1])
    year = np.divide(season, y.mean(axis=1), out=np.zeros(len(y)), where=y.mean(axis=1) > 0)
    return slope * year, np.sqrt(variance) * year
