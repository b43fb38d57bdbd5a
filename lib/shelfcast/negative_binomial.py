"""The negative binomial distribution of a period's demand, and the dispersion that fits some of its quantiles.

Mean m and dispersion k give the variance m + m^2 / k: a Poisson draw whose rate is m times a gamma variable of mean 1
and shape k.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

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
