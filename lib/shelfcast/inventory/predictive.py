"""The distribution that a mean and some quantiles of weekly demand come from, and the draws that it is simulated with.

Demand of a week is negative binomial of mean m and dispersion k, variance m + m^2 / k: a Poisson draw whose rate is m
times a gamma variable of mean 1 and shape k. Split over days, the days share the week's gamma: each is negative
binomial, and their sum is the week. Weeks depend on one another through their gammas, by a Gaussian copula whose
neighbours correlate by `dependence` (Nelsen 2006, section 2.3).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, ndtr, ndtri

from shelfcast.negative_binomial import DISPERSIONS, distribution, fit_dispersion
from shelfcast.panel import FloatArray

__all__ = ["DISPERSIONS", "Draws", "distribution", "fit_dispersion"]


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
