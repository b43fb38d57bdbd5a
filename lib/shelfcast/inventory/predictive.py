"""The distribution that a mean and some quantiles of weekly demand come from, and the draws that it is simulated with.

Demand of a week is negative binomial of mean m and dispersion k, variance m + m^2 / k: a Poisson draw whose rate is m
times a gamma variable of mean 1 and shape k. Split over days, the days share the week's gamma: each is negative
binomial, and their sum is the week. Weeks depend on one another through their gammas, by a Gaussian copula whose
neighbours correlate by `dependence` (Nelsen 2006, section 2.3).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, gammaincinv, ndtr, ndtri

from shelfcast.panel import FloatArray

# From lumpy demand to the Poisson distribution but for a half of a percent of the variance at a mean of 1.
DISPERSIONS = np.geomspace(0.05, 200.0, 32)
# Among dispersions whose quantiles fit alike, the one whose middle fits best.
_MIDDLE = 0.01


def distribution(x: ArrayLike, mean: ArrayLike, dispersion: ArrayLike) -> FloatArray:
    """P(D <= x) of the negative binomial: the regularised incomplete beta function I_p(k, x + 1), p = k / (k + m).

    >>> round(float(distribution(0, 2.0, 1.0)), 4)
    0.3333
    """
    x, m, k = np.broadcast_arrays(*[np.asarray(value, dtype=np.float64) for value in (x, mean, dispersion)])
    known = betainc(k, np.maximum(np.floor(x), 0.0) + 1, k / (k + m))
    return np.where(x < 0, 0.0, known)


def fit_dispersion(mean: FloatArray, quantiles: FloatArray, levels: ArrayLike) -> NDArray[np.int64]:
    """The position in DISPERSIONS that fits best, shape (n,).

    mean: shape (n,), units; quantiles: shape (n, levels), units, NaN where not known. A quantile of counts, rounded to
    one, q, fits a level p where P(D < q) <= p <= P(D <= q); elsewhere it misses by the distance. The sum of squares
    decides.
    """
    count = np.rint(quantiles)
    misses = np.stack([_miss(count, mean[:, None], float(k), np.asarray(levels)) for k in DISPERSIONS], axis=1)
    return np.asarray(np.argmin(misses, axis=1))


def _miss(count: FloatArray, mean: FloatArray, dispersion: float, levels: FloatArray) -> FloatArray:
    at, below = distribution(count, mean, dispersion), distribution(count - 1, mean, dispersion)
    outside = np.maximum(below - levels, 0.0) + np.maximum(levels - at, 0.0)
    middle = (at + below) / 2 - levels
    return np.asarray(np.nansum(outside**2 + _MIDDLE * middle**2, axis=1))


@dataclass(frozen=True)
class Draws:
    """What all series are simulated with; a series adds its own Poisson draws.

    gammas: shape (dispersions, samples, weeks), of mean 1. uniforms: shape (samples,), for lead times. undershoots:
    shape (samples,), likewise. All are stratified: a sample of each n-th part of the distribution.
    """

    gammas: FloatArray
    uniforms: FloatArray
    undershoots: FloatArray

    @classmethod
    def make(cls, samples: int, weeks: int, dependence: float, seed: int) -> "Draws":
        """dependence: correlation of neighbouring weeks' normal scores, from 0 to less than 1."""
        rng = np.random.default_rng(seed)
        normal = ndtri(np.stack([_stratified(samples, rng) for _ in range(weeks)], axis=1))
        for week in range(1, weeks):
            normal[:, week] = dependence * normal[:, week - 1] + np.sqrt(1 - dependence**2) * normal[:, week]
        chance = ndtr(normal)
        gammas = np.stack([gammaincinv(k, chance) / k for k in DISPERSIONS])
        return cls(gammas, _stratified(samples, rng), _stratified(samples, rng))


def _stratified(samples: int, rng: np.random.Generator) -> FloatArray:
    return (rng.permutation(samples) + rng.random(samples)) / samples
