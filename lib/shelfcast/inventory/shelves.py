"""Shelves under review, day by day: what (s, S) policies make of demand, for many items at once.

A day: demand is served; what is due arrives after closing; then who is reviewed and whose stock and open orders are at
or below s orders up to S. An order of lead time L arrives after closing of the L-th day after it: L days of demand pass
before it, none where L is 0.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfcast.panel import FloatArray

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
Rounding = Callable[[FloatArray], FloatArray]


class Outcome(NamedTuple):
    """What an item went through, shape (n,): units wanted, units served at once, days on which it ran short, stock and
    backorders summed over closings (unit-days), orders, units ordered."""

    wanted: FloatArray
    served: FloatArray
    short_days: FloatArray
    stock_days: FloatArray
    backorder_days: FloatArray
    orders: FloatArray
    ordered: FloatArray

    @property
    def fill_rate(self) -> FloatArray:
        """Units served at once / units wanted; NaN where nothing was wanted."""
        return np.divide(self.served, self.wanted, out=np.full_like(self.wanted, np.nan), where=self.wanted > 0)


@dataclass
class Shelves:
    """The shelves of `n` items. stock: units on hand, below 0 what is owed; due: units that arrive after closing of
    each of the next days, shape (days, n), the first of them today's. backorders: what is short is owed, else lost."""

    stock: FloatArray
    due: FloatArray
    backorders: bool = False
    _sums: dict[str, FloatArray] = field(default_factory=dict)

    @classmethod
    def with_stock(cls, stock: FloatArray, longest_lead: int, backorders: bool = False) -> "Shelves":
        """Shelves with nothing on order; no lead time may be longer than `longest_lead` days."""
        return cls(stock.astype(np.float64), np.zeros((longest_lead + 1, len(stock))), backorders)

    @property
    def position(self) -> FloatArray:
        """Stock and open orders less what is owed, in units."""
        return np.asarray(self.stock + self.due.sum(axis=0))

    def serve(self, demand: FloatArray) -> None:
        """A day's demand in units, then what arrives after closing."""
        served = np.minimum(demand, np.maximum(self.stock, 0.0))
        self.stock = self.stock - (demand if self.backorders else served)
        self._add("wanted", demand)
        self._add("served", served)
        self._add("short_days", served < demand)
        self._add("stock_days", np.maximum(self.stock, 0.0))
        self._add("backorder_days", np.maximum(-self.stock, 0.0))
        self.stock = self.stock + self.due[0]
        self.due = np.roll(self.due, -1, axis=0)
        self.due[-1] = 0.0

    def order(self, quantity: FloatArray, lead: IntArray) -> None:
        """Order after closing: `quantity` units that come after `lead` days; nothing where it is 0."""
        at_once = np.where(lead == 0, quantity, 0.0)
        self.stock = self.stock + at_once
        items = np.flatnonzero((quantity > 0) & (lead > 0))
        np.add.at(self.due, (lead[items] - 1, items), quantity[items])
        self._add("orders", quantity > 0)
        self._add("ordered", quantity)

    def outcome(self) -> Outcome:
        """What has happened so far."""
        nothing = np.zeros(len(self.stock))
        return Outcome(*[self._sums.get(name, nothing) for name in Outcome._fields])

    def forget(self) -> None:
        """Count from here on; stock and what is due stay."""
        self._sums.clear()

    def _add(self, name: str, values: FloatArray | BoolArray) -> None:
        self._sums[name] = self._sums.get(name, np.zeros(len(self.stock))) + values


def order_of(
    position: FloatArray, reorder_point: FloatArray, order_up_to: FloatArray, rounding: Rounding
) -> FloatArray:
    """Units that an (s, S) policy orders: from `position` up to S where it is at or below s, in the roundings of packs
    and minima."""
    return np.where(position <= reorder_point, rounding(order_up_to - position), 0.0)
