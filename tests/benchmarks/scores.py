"""Scores of the benchmarks that no job needs: differences with their intervals, what is known of the truth, counts
against their quantiles. Demand and forecasts in units, arrays of equal shape."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfcast.metrics import Interval, bootstrap_of_sums, pinball, rmse
from shelfcast.panel import FloatArray

TOLERANCE = 0.02
# A mean of nothing makes any sale impossible; what sells once in twenty years is as good.
LEAST_MEAN = 0.001
LARGE_MEAN = 20.0


def combine(forecasts: Mapping[str, FloatArray], weights: Mapping[str, float], counts: bool = False) -> FloatArray:
    """The weighted average of the forecasts, as shelfcast.ensembles makes it in Spark; the nearest whole number where
    demand `counts` in whole units."""
    average = np.asarray(sum(weight * forecasts[name] for name, weight in sorted(weights.items())), dtype=np.float64)
    return np.round(average) if counts else average


def paired_bootstrap(
    y: FloatArray, a: FloatArray, b: FloatArray, clusters: NDArray[np.generic], seed: int, draws: int = 2000
) -> Interval:
    """wape(y, a) - wape(y, b) and its 95 % interval, from drawing whole clusters (stores) with replacement.

    clusters: the shape of `y`, or its first axis where each row belongs to one cluster.
    """
    labels = clusters if clusters.shape == y.shape else np.repeat(clusters, y[0].size).reshape(y.shape)
    known = ~np.isnan(y)
    _, cluster = np.unique(labels[known], return_inverse=True)
    of_a, of_b, whole = (
        np.bincount(cluster, weights=np.abs(part[known])).astype(np.float64) for part in (a - y, b - y, y)
    )
    return bootstrap_of_sums(of_a, of_b, whole, seed, draws=draws)


def paired_rmse(
    y: FloatArray, a: FloatArray, b: FloatArray, clusters: NDArray[np.generic], seed: int, draws: int = 2000
) -> Interval:
    """rmse(y, a) - rmse(y, b) and its 95 % interval, from drawing whole clusters (of the rows) with replacement."""
    _, cluster = np.unique(clusters, return_inverse=True)
    of_a, of_b = (np.bincount(cluster, weights=((part - y) ** 2).sum(axis=1)) for part in (a, b))
    cells = np.bincount(cluster).astype(np.float64) * y.shape[1]
    drawn = np.random.default_rng(seed).multinomial(len(cells), np.full(len(cells), 1 / len(cells)), size=draws)
    differences = np.sqrt(drawn @ of_a / (drawn @ cells)) - np.sqrt(drawn @ of_b / (drawn @ cells))
    lower, upper = np.quantile(differences, [0.025, 0.975])
    return Interval(rmse(y, a) - rmse(y, b), float(lower), float(upper))


def share_of_naive_rmse(true_mean: FloatArray, mean: FloatArray, naive: FloatArray) -> float:
    """How far the mean is from the true one, as a share of how far seasonal naive is."""
    return rmse(true_mean, mean) / rmse(true_mean, naive)


def poisson_deviance(y: FloatArray, mean: FloatArray) -> float:
    """The mean of 2 (y log(y / mean) - y + mean), of means of LEAST_MEAN or more (McCullagh and Nelder 1989, 2.3)."""
    expected = np.maximum(mean, LEAST_MEAN)
    logs = np.log(np.where(y > 0, y, expected) / expected)
    return float(np.mean(2 * (y * logs - y + expected)))


def pinball_ratio(y: FloatArray, said: FloatArray, true: FloatArray, levels: tuple[float, ...]) -> float:
    """The pinball loss over all quantiles, (rows, levels), as a multiple of that of the true ones."""
    ours, theirs = (
        sum(pinball(y, part[:, place], level) for place, level in enumerate(levels)) for part in (said, true)
    )
    return ours / theirs


def scaled_rmse(y: FloatArray, mean: FloatArray, naive_mse: FloatArray, series: NDArray[np.generic]) -> float:
    """RMSSE of rows: the mean over series of root(MSE / MSE of the naive forecast in its history); series without one
    are left out."""
    _, place = np.unique(series, return_inverse=True)
    rows = np.bincount(place)
    mse = np.bincount(place, weights=(mean - y) ** 2) / rows
    scale = np.bincount(place, weights=naive_mse) / rows
    return float(np.sqrt(mse[scale > 0] / scale[scale > 0]).mean())


def kept_quantiles(y: FloatArray, said: FloatArray, levels: tuple[float, ...]) -> dict[str, dict[str, Any]]:
    """By quantile its pinball loss, the shares of demand below it and at or below it, and whether it keeps its word:
    share(y < q) <= level + TOLERANCE and share(y <= q) >= level - TOLERANCE. said: (..., levels)."""
    told = {}
    for place, level in enumerate(levels):
        q = said[..., place]
        below, at_most = float((y < q).mean()), float((y <= q).mean())
        kept = below <= level + TOLERANCE and at_most >= level - TOLERANCE
        told[f"p{100 * level:.0f}"] = {
            "pinball": pinball(y, q, level),
            "below": below,
            "at_most": at_most,
            "kept": kept,
        }
    return told


def covered(y: FloatArray, lower: FloatArray, upper: FloatArray, mean: FloatArray) -> tuple[int, float]:
    """How many forecasts have a mean of LARGE_MEAN or more, and what share of their demand lies within the interval."""
    large = mean >= LARGE_MEAN
    return int(large.sum()), float(((y >= lower) & (y <= upper))[large].mean()) if large.any() else np.nan


def pit_shares(below: FloatArray, at_most: FloatArray, seed: int) -> FloatArray:
    """The randomized PIT histogram of ten bins, as shares (Czado, Gneiting and Held 2009): P(D < y) + U P(D = y)."""
    draw = np.random.default_rng(seed).random(below.shape)
    places = np.floor(10 * (below + draw * (at_most - below))).clip(0, 9).astype(int)
    return np.bincount(places, minlength=10) / places.size
