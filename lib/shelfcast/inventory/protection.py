"""Demand over the time that stock must last: simulated, for many series at once.

An order placed after closing comes after closing of the last day of its lead time. Until then the stock at hand must
last; where the next order can be placed a review period later, until that one comes.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfcast.inventory.predictive import Draws, nearest
from shelfcast.panel import FloatArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class LeadTimes:
    """The lead times in days of each series: `days` and the `chances` of at most so many, shape (n, kinds), padded
    with the last."""

    days: IntArray
    chances: FloatArray

    def draw(self, uniforms: FloatArray) -> IntArray:
        """Shape (n, samples). uniforms: shape (n, samples), or (samples,) for all series."""
        at = (np.atleast_2d(uniforms)[:, :, None] > self.chances[:, None, :]).sum(axis=2)
        return np.take_along_axis(self.days, np.minimum(at, self.days.shape[1] - 1), axis=1)

    def quantile(self, level: float) -> IntArray:
        """The least number of days that the lead time does not exceed with probability `level`, shape (n,)."""
        # Chances that sum to 1 do so but for rounding.
        at = (self.chances < level - 1e-9).sum(axis=1)
        return np.asarray(self.days[np.arange(len(self.days)), np.minimum(at, self.days.shape[1] - 1)])

    def mean(self) -> FloatArray:
        """Days, shape (n,)."""
        return np.asarray((self.days * self._shares()).sum(axis=1))

    def deviation(self) -> FloatArray:
        """The standard deviation in days, shape (n,)."""
        squares = (self.days.astype(np.float64) ** 2 * self._shares()).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(squares - self.mean() ** 2, 0.0)))

    def _shares(self) -> FloatArray:
        return np.diff(self.chances, axis=1, prepend=0.0)


@dataclass(frozen=True)
class Ahead:
    """The mean demand of the days ahead, units, shape (n, days); `first`: which day of the draws is the first of them;
    `dispersion`: position in DISPERSIONS of the draws, shape (n,)."""

    mean: FloatArray
    first: int
    dispersion: IntArray

    @classmethod
    def of(cls, weekly: FloatArray, profile: FloatArray, first: int, dispersion: FloatArray) -> "Ahead":
        """weekly: means, shape (n, weeks); profile: shares of Monday to Sunday, shape (n, 7); first: the first day
        ahead, from the Monday of the first week; dispersion: of a week, shape (n,).

        Independent days of unequal means add up to a week that varies more than one of equal days by the factor
        7 x sum of squared shares; the days' dispersion is so much higher that the week keeps its own.
        """
        days = np.arange(first, 7 * weekly.shape[1])
        of_days = dispersion * 7 * (profile**2).sum(axis=1)
        return cls(weekly[:, days // 7] * profile[:, days % 7], first, nearest(of_days))


class Protection(NamedTuple):
    """Simulated demand in units, shape (n, samples). lead: until an order of today comes; protected: until the next
    after it comes; undershoot: how far below the reorder point stock is found when it is reviewed."""

    lead: FloatArray
    protected: FloatArray
    undershoot: FloatArray


def simulate(ahead: Ahead, leads: LeadTimes, review: IntArray, draws: Draws, rng: np.random.Generator) -> Protection:
    """review: days from a review to the next, shape (n,). No path may be longer than the days ahead.

    The Poisson draws of the days of a path sum to one of their summed rates, which is what is drawn here.
    """
    lead_days = leads.draw(draws.uniforms)
    rate_lead, rate_all = _rates(ahead, draws, lead_days, lead_days + review[:, None])
    lead = rng.poisson(rate_lead).astype(np.float64)
    after = rng.poisson(np.maximum(rate_all - rate_lead, 0.0)).astype(np.float64)
    return Protection(lead, lead + after, undershoot(after, draws.undershoots))


def _rates(ahead: Ahead, draws: Draws, *ends: IntArray) -> list[FloatArray]:
    """The Poisson rates of the demand of the days before each of `ends`, shape (n, samples)."""
    found = [np.zeros(end.shape) for end in ends]
    so_far = np.zeros(ends[0].shape)
    for day in range(int(max(end.max() for end in ends))):
        so_far += ahead.mean[:, day, None] * draws.factors[ahead.dispersion, ahead.first + day]
        for rates, end in zip(found, ends, strict=True):
            np.copyto(rates, so_far, where=end == day + 1)
    return found


def undershoot(between: FloatArray, uniforms: FloatArray) -> FloatArray:
    """How far a position lies below a reorder point when a review first finds it there, units, shape (n, samples).

    between: samples of the demand between two reviews. In the long run the crossing lies anywhere in the demand that
    crosses it, and large ones cross more often: the equilibrium distribution of renewal theory (Tijms and Groenevelt
    1984, section 2). 0 where nothing is ever asked for.
    """
    total = np.cumsum(between, axis=1)
    spot = uniforms[None, :] * total[:, -1:]
    # All rows in one search: each is lifted above the one before.
    lift = np.arange(len(total))[:, None] * (total.max(initial=0.0) + 1.0)
    at = np.searchsorted((total + lift).ravel(), (spot + lift).ravel(), side="right").reshape(total.shape)
    at = np.minimum(at - np.arange(len(total))[:, None] * total.shape[1], total.shape[1] - 1)
    begun = np.take_along_axis(total - between, at, axis=1)
    return np.where(total[:, -1:] > 0, np.floor(np.maximum(spot - begun, 0.0)), 0.0)
