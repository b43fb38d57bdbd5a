"""How demand varies around its mean: the dispersion that a series' own history shows.

The size of the mean does not tell it: of two products that sell two a week the one sells singly, the other by the
case. So each series is judged by its own weeks, and few weeks by what is usual among the others too: over the grid of
DISPERSIONS, the posterior of its negative binomial under a prior that the others show (empirical Bayes; Robbins 1956;
the prior by the EM algorithm, Laird 1978).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from shelfcast.negative_binomial import DISPERSIONS
from shelfcast.panel import FloatArray

# Weeks on either side that a week's level is the mean of, and the weeks' worth of the whole mean that steadies it.
_BESIDE, _STEADY = 6, 2.0
_LEAST_LEVEL = 1e-3
_STEPS = 60
# The newest weeks tell of it.
VARIATION_WEEKS = 104


def recent_dispersion(past: FloatArray, hidden: NDArray[np.bool_]) -> FloatArray:
    """The dispersion of a week of each series, shape (n,), by its newest weeks since its first sale. past: units a day,
    shape (days, n), whole weeks; hidden: the weeks that tell nothing, shape (days / 7, n)."""
    weeks = past[-7 * VARIATION_WEEKS :]
    weekly = weeks.reshape(-1, 7, weeks.shape[1]).sum(axis=1)
    return dispersion_of(np.where((np.cumsum(weekly, axis=0) > 0) & ~hidden[-VARIATION_WEEKS:], weekly, np.nan))


def dispersion_of(weekly: FloatArray) -> FloatArray:
    """The dispersion k of each series, shape (n,): 1 / the posterior mean of 1 / k. weekly: units, shape (weeks, n),
    NaN where a week is not known."""
    return np.asarray(1 / (posteriors(weekly) @ (1 / DISPERSIONS)))


def posteriors(weekly: FloatArray) -> FloatArray:
    """The probability of each of DISPERSIONS, shape (n, dispersions)."""
    likelihood = log_likelihood(weekly, levels_around(weekly))
    relative = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    prior = np.full(len(DISPERSIONS), 1 / len(DISPERSIONS))
    for _ in range(_STEPS):
        weight = relative * prior
        weight /= weight.sum(axis=1, keepdims=True)
        prior = (weight.sum(axis=0) + 1 / len(DISPERSIONS)) / (len(weight) + 1)
    return np.asarray(weight)


def levels_around(weekly: FloatArray) -> FloatArray:
    """The mean of the weeks beside each week, itself left out: seasons and trends are no variation."""
    known = ~np.isnan(weekly)
    units = np.where(known, weekly, 0.0)
    whole = units.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    total, count = (_beside(part) for part in (units, known.astype(np.float64)))
    return np.asarray(np.maximum((total + _STEADY * whole) / (count + _STEADY), _LEAST_LEVEL))


def _beside(values: FloatArray) -> FloatArray:
    padded = np.pad(np.cumsum(values, axis=0), ((_BESIDE + 1, _BESIDE), (0, 0)), mode="edge")
    padded[: _BESIDE + 1] = 0.0
    return np.asarray(padded[2 * _BESIDE + 1 :] - padded[: -2 * _BESIDE - 1] - values)


def log_likelihood(weekly: FloatArray, level: FloatArray) -> FloatArray:
    """Of each of DISPERSIONS, shape (n, dispersions): the sum over weeks of the logarithm of the negative binomial
    (its part that depends on k)."""
    known = ~np.isnan(weekly)
    units = np.where(known, np.rint(np.maximum(weekly, 0.0)), 0.0).astype(np.int64)
    counts = np.arange(units.max(initial=0) + 1)
    found = np.empty((weekly.shape[1], len(DISPERSIONS)))
    for place, k in enumerate(DISPERSIONS):
        of_count = gammaln(counts + k) - gammaln(k) - counts * np.log(k)
        each = of_count[units] - (units + k) * np.log1p(level / k)
        found[:, place] = np.where(known, each, 0.0).sum(axis=0)
    return found
