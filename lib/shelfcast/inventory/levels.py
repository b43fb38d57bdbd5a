"""Reorder points and order-up-to levels that keep a target, from simulated demand.

A periodic review orders up to S where the position is found at or below s, at s - U with the undershoot U. What is
left must last the lead time, so that with X = demand over the lead time + U:
- cycle service level: P(X <= s) is at least the target;
- fill rate: E[(X - s)+] is at most (1 - target) x (order quantity + E[U]), the demand of a cycle (Tijms and Groenevelt
  1984, equation 5).
Where a review period sells more than an order quantity each review orders, and S alone protects: S is at least what
does so for X = demand over lead time and review period.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfcast.inventory.protection import Protection
from shelfcast.panel import FloatArray

CYCLE_SERVICE, FILL_RATE = "cycle_service", "fill_rate"


class Levels(NamedTuple):
    """In whole units, shape (n,)."""

    reorder_point: FloatArray
    order_up_to: FloatArray
    safety_stock: FloatArray


def levels_for(
    demand: Protection, target: FloatArray, is_fill_rate: NDArray[np.bool_], order_quantity: FloatArray
) -> Levels:
    """target: shape (n,), below 1; order_quantity: units, shape (n,). Safety stock: s less the mean of X."""
    needed = demand.lead + demand.undershoot
    cycle = order_quantity + demand.undershoot.mean(axis=1)
    point = _least(needed, target, is_fill_rate, cycle)
    between = (demand.protected - demand.lead).mean(axis=1)
    enough = _least(demand.protected, target, is_fill_rate, np.maximum(between, order_quantity))
    return Levels(point, np.maximum(point + order_quantity, enough), point - needed.mean(axis=1))


def _least(samples: FloatArray, target: FloatArray, is_fill_rate: NDArray[np.bool_], cycle: FloatArray) -> FloatArray:
    ordered = np.sort(samples, axis=1)
    found = least_for_cycle_service(ordered, target)
    if is_fill_rate.any():
        found[is_fill_rate] = least_for_fill_rate(ordered[is_fill_rate], target[is_fill_rate], cycle[is_fill_rate])
    return found


def least_for_cycle_service(ordered: FloatArray, target: FloatArray) -> FloatArray:
    """The least stock in units that demand (rising samples, shape (n, samples)) does not exceed with probability
    `target` (n,)."""
    count = ordered.shape[1]
    rank = np.ceil(target * count - 1e-9).astype(np.int64)
    return np.asarray(np.take_along_axis(ordered, np.clip(rank - 1, 0, count - 1)[:, None], axis=1)[:, 0])


def least_for_fill_rate(ordered: FloatArray, target: FloatArray, cycle: FloatArray) -> FloatArray:
    """The least whole stock s >= 0 in units with E[(X - s)+] <= (1 - target) x cycle; ordered: rising samples of X,
    shape (n, samples); cycle: the mean demand of a cycle in units, shape (n,)."""
    n, count = ordered.shape
    above = np.pad(np.cumsum(ordered[:, ::-1], axis=1)[:, ::-1], ((0, 0), (0, 1)))[:, 1:]
    beyond = np.arange(count - 1, -1, -1)
    allowed = (1 - target) * cycle * count
    # The shortage at each sample, which falls along it: the first that is small enough, and back along its line.
    shortage = above - ordered * beyond
    first = np.argmax(shortage <= allowed[:, None], axis=1)
    row = np.arange(n)
    slope = (count - first).astype(np.float64)
    back = np.where(allowed > shortage[row, first], (allowed - shortage[row, first]) / slope, 0.0)
    return np.asarray(np.ceil(np.maximum(ordered[row, first] - back, 0.0) - 1e-9))
