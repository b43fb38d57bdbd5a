"""The distribution that a mean and some quantiles of weekly demand come from, and the draws that it is simulated with.

Demand of a week is negative binomial of mean m and dispersion k, variance m + m^2 / k: a Poisson draw whose rate is m
times a gamma variable of mean 1 and shape k. Its days are independent: their gammas, of shape k / 7 each, add up to the
week's. Where the forecast itself is wrong it is so for all weeks ahead: they share a further gamma, the level.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from shelfcast.negative_binomial import DISPERSIONS
from shelfcast.panel import FloatArray


def nearest(dispersion: FloatArray) -> NDArray[np.int64]:
    """The position in DISPERSIONS of the nearest one, by ratio, shape (n,)."""
    return np.asarray(np.abs(np.log(dispersion)[:, None] - np.log(DISPERSIONS)).argmin(axis=1))


@dataclass(frozen=True)
class Draws:
    """What all series are simulated with; a series adds its own Poisson draws.

    factors: what each day's mean is multiplied by, shape (dispersions, days, samples), of mean 1. uniforms: shape
    (samples,), for lead times. undershoots: shape (samples,), likewise.
    """

    factors: FloatArray
    uniforms: FloatArray
    undershoots: FloatArray

    @classmethod
    def make(cls, samples: int, weeks: int, level_variance: float, seed: int) -> "Draws":
        """level_variance: of the factor by which all weeks ahead lie above their forecast, or below."""
        rng = np.random.default_rng(seed)
        chance = np.stack([_stratified(samples, rng) for _ in range(weeks)], axis=1)
        level = _gamma(1 / level_variance, _stratified(samples, rng)) if level_variance > 0 else np.ones(samples)
        shares = [_shares_of_days(k, samples, weeks, rng) for k in DISPERSIONS]
        weekly = [level[:, None] * _gamma(k, chance) for k in DISPERSIONS]
        factors = [7 * week[:, :, None] * share for week, share in zip(weekly, shares, strict=True)]
        uniforms, undershoots = (_stratified(samples, rng) for _ in range(2))
        # All samples of a day lie together, for they are asked for together.
        by_day = np.stack(factors).reshape(len(DISPERSIONS), samples, 7 * weeks).transpose(0, 2, 1)
        return cls(np.ascontiguousarray(by_day), uniforms, undershoots)


def _stratified(samples: int, rng: np.random.Generator) -> FloatArray:
    """A number of each n-th part of 0 to 1, in random order."""
    return (rng.permutation(samples) + rng.random(samples)) / samples


def _gamma(shape: float, chance: FloatArray) -> FloatArray:
    """The quantiles of a gamma variable of mean 1."""
    return np.asarray(gammaincinv(shape, chance) / shape)


def _shares_of_days(k: float, samples: int, weeks: int, rng: np.random.Generator) -> FloatArray:
    """What each day has of its week's gamma, shape (samples, weeks, 7), by the Dirichlet distribution of parameters
    k / 7: independent days whose gammas add up to the week's. By logarithms, for a day's share may be 1e-300: a gamma
    of shape a is one of shape a + 1 times U^(1/a) (Stuart 1962)."""
    shape = k / 7
    drawn = np.log(rng.gamma(shape + 1, size=(samples, weeks, 7))) + np.log(rng.random((samples, weeks, 7))) / shape
    weight = np.exp(drawn - drawn.max(axis=2, keepdims=True))
    return np.asarray(weight / weight.sum(axis=2, keepdims=True))
