"""One fill rate for many series together, kept with the fewest units.

A unit of stock is put where it saves most: s of each series is the least with P(X > s) x worth x cycles a day at most
one number, the same for all, which is found by bisection (the system approach; Thonemann, Brown and Hausman 2002; X is
the demand that s must last for, as in levels.py). Steady series are then served better than those which sell a dozen at
a time once a month, and which one fill rate for each would stock by the dozen.
"""

from typing import NamedTuple

import numpy as np

from shelfcast.inventory.levels import Needs
from shelfcast.inventory.protection import IntArray
from shelfcast.panel import FloatArray

_HALVINGS = 40
_LEAST, _MOST = -30.0, 10.0


class Pooled(NamedTuple):
    """reorder_point: whole units; fill_rate: what each series is expected to keep. Shape (n,)."""

    reorder_point: FloatArray
    fill_rate: FloatArray


class Pool:
    """The series that share a fill rate. demand: mean units a day; order: units that a cycle sells; worth: of a unit
    that is not there. Shape (n,)."""

    def __init__(self, needs: Needs, demand: FloatArray, order: FloatArray, worth: FloatArray) -> None:
        self._demand, self._cycles, self._worth = demand, demand / np.maximum(order, 1.0), worth
        # With nothing in stock all is missing: one place before the first sample.
        self._points = np.pad(needs.needed, ((0, 0), (1, 0)))
        count = needs.needed.shape[1]
        above = np.pad(np.cumsum(self._points[:, ::-1], axis=1)[:, ::-1], ((0, 0), (0, 1)))[:, 1:]
        self._missing = (above - self._points * np.arange(count, -1, -1)) / count
        self._row = np.arange(len(demand))

    def keep(self, total: float) -> Pooled:
        """total: the fill rate of all, below 1."""
        low, high = _LEAST, _MOST
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            is_enough = self._missing_a_day(self._places(middle)).sum() <= (1 - total) * self._demand.sum()
            low, high = (middle, high) if is_enough else (low, middle)
        return self.at(low)

    def at(self, log_price: float) -> Pooled:
        """log_price: of a unit of stock and day, in what a unit that is not there is worth; its logarithm."""
        at = self._places(log_price)
        share = np.divide(
            self._missing_a_day(at), self._demand, out=np.zeros_like(self._demand), where=self._demand > 0
        )
        return Pooled(self._points[self._row, at], np.clip(1 - share, 0.0, 1.0))

    def _places(self, log_price: float) -> IntArray:
        """The place of each series' s among its samples where a unit of stock costs so much."""
        value = np.maximum(self._worth * self._cycles, 1e-300)
        chance = np.clip(np.exp(log_price) / value, 0.0, 1.0)
        count = self._points.shape[1] - 1
        return np.asarray(np.clip(np.ceil((1 - chance) * count - 1e-9).astype(np.int64), 0, count))

    def _missing_a_day(self, at: IntArray) -> FloatArray:
        return np.asarray(self._missing[self._row, at] * self._cycles)


def worth_of(demand: FloatArray, dispersion: FloatArray) -> FloatArray:
    """What a missing unit counts: 1 / root of the units that a selling day sells. In units alone a day on which one
    customer misses a dozen would count twelve days; in days alone, one. demand: mean units a day; dispersion: of a day,
    whose demand is negative binomial. Shape (n,)."""
    none = (dispersion / (dispersion + demand)) ** dispersion
    sold = np.divide(demand, 1 - none, out=np.ones_like(demand), where=none < 1)
    return np.asarray(1 / np.sqrt(np.maximum(sold, 1.0)))
