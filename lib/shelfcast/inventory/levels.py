"""Reorder points and order-up-to levels that keep a target, from simulated demand.

A periodic review orders up to S where the position is found at or below s, at s - U with the undershoot U. What is
left must last the lead time, so that with X = demand over the lead time + U:
- cycle service level: P(X <= s) is the target;
- fill rate: E[(X - s)+] is (1 - target) x (order quantity + E[U]), the demand of a cycle (Tijms and Groenevelt 1984,
  equation 5);
each as near as whole units come to it: always above it would be a point or more above it for all of them together.
Where a review period sells more than an order quantity each review orders, and S alone protects: S is at least what
does so for X = demand over lead time and review period.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfcast.inventory.protection import Protection
from shelfcast.panel import FloatArray

BoolArray = NDArray[np.bool_]
CYCLE_SERVICE, FILL_RATE = "cycle_service", "fill_rate"


class Levels(NamedTuple):
    """In whole units, shape (n,)."""

    reorder_point: FloatArray
    order_up_to: FloatArray
    safety_stock: FloatArray


class Needs(NamedTuple):
    """What stock must last for, rising samples in units, shape (n, samples): needed, X of the reorder point; protected,
    X of the order-up-to level. undershoot: mean; between: mean demand of a review period; shape (n,)."""

    needed: FloatArray
    protected: FloatArray
    undershoot: FloatArray
    between: FloatArray

    @classmethod
    def of(cls, demand: Protection) -> "Needs":
        return cls(
            np.sort(demand.lead + demand.undershoot, axis=1),
            np.sort(demand.protected, axis=1),
            demand.undershoot.mean(axis=1),
            (demand.protected - demand.lead).mean(axis=1),
        )


def levels_for(
    needs: Needs, target: FloatArray, is_fill_rate: BoolArray, order_quantity: FloatArray, pack: FloatArray
) -> Levels:
    """target: shape (n,), below 1; order_quantity, pack: units, shape (n,). Safety stock: s less the mean of X."""
    gap = gap_of(needs, order_quantity, pack)
    point = _chosen(needs.needed, target, is_fill_rate, gap + needs.undershoot)
    return _levels(needs, point, gap, target, is_fill_rate)


def gap_of(needs: Needs, order_quantity: FloatArray, pack: FloatArray) -> FloatArray:
    """S - s in units with which an order comes to the order quantity: it makes good the undershoot too, and half a pack
    on average in rounding up (Silver, Pyke and Thomas 2017, section 7.4)."""
    return np.maximum(np.rint(order_quantity - needs.undershoot - (pack - 1) / 2), 1.0)


def _levels(needs: Needs, point: FloatArray, gap: FloatArray, target: FloatArray, is_fill_rate: BoolArray) -> Levels:
    enough = _chosen(needs.protected, target, is_fill_rate, np.maximum(needs.between, gap + needs.undershoot))
    return Levels(point, np.maximum(point + gap, enough), point - needs.needed.mean(axis=1))


def _chosen(ordered: FloatArray, target: FloatArray, is_fill_rate: BoolArray, cycle: FloatArray) -> FloatArray:
    found, is_cycle = np.empty(len(ordered)), ~is_fill_rate
    if is_cycle.any():
        found[is_cycle] = nearest_for_cycle_service(ordered[is_cycle], target[is_cycle])
    if is_fill_rate.any():
        found[is_fill_rate] = nearest_for_fill_rate(ordered[is_fill_rate], target[is_fill_rate], cycle[is_fill_rate])
    return found


def least_for_cycle_service(ordered: FloatArray, target: FloatArray) -> FloatArray:
    """The least stock in units that demand (rising samples, shape (n, samples)) does not exceed with probability
    `target` (n,)."""
    count = ordered.shape[1]
    rank = np.ceil(target * count - 1e-9).astype(np.int64)
    return np.asarray(np.take_along_axis(ordered, np.clip(rank - 1, 0, count - 1)[:, None], axis=1)[:, 0])


def nearest_for_cycle_service(ordered: FloatArray, target: FloatArray) -> FloatArray:
    """Of that least stock and the next lower value of demand the one whose probability is nearer to `target`."""
    least, count = least_for_cycle_service(ordered, target), ordered.shape[1]
    below, at = (ordered < least[:, None]).sum(axis=1), (ordered <= least[:, None]).sum(axis=1)
    lower = np.take_along_axis(ordered, np.maximum(below - 1, 0)[:, None], axis=1)[:, 0]
    is_nearer = (below > 0) & (np.abs(below / count - target) < np.abs(at / count - target))
    return np.where(is_nearer, lower, least)


def least_for_fill_rate(ordered: FloatArray, target: FloatArray, cycle: FloatArray) -> FloatArray:
    """The least whole stock s >= 0 in units with E[(X - s)+] <= (1 - target) x cycle; ordered: rising samples of X,
    shape (n, samples); cycle: the mean demand of a cycle in units, shape (n,)."""
    n, count = ordered.shape
    so_far = np.cumsum(ordered, axis=1)
    above = so_far[:, -1:] - so_far
    beyond = np.arange(count - 1, -1, -1)
    allowed = (1 - target) * cycle * count
    # The shortage at each sample, which falls along it: the first that is small enough, and back along its line.
    shortage = above - ordered * beyond
    first = np.argmax(shortage <= allowed[:, None], axis=1)
    row = np.arange(n)
    slope = (count - first).astype(np.float64)
    back = np.where(allowed > shortage[row, first], (allowed - shortage[row, first]) / slope, 0.0)
    return np.asarray(np.ceil(np.maximum(ordered[row, first] - back, 0.0) - 1e-9))


def nearest_for_fill_rate(ordered: FloatArray, target: FloatArray, cycle: FloatArray) -> FloatArray:
    """Of that least stock and one unit less the one whose mean shortage is nearer to what `target` allows."""
    least = least_for_fill_rate(ordered, target, cycle)
    fewer = np.maximum(least - 1, 0.0)
    beyond = [np.abs(_mean_shortage(ordered, stock) - (1 - target) * cycle) for stock in (fewer, least)]
    return np.where(beyond[0] < beyond[1], fewer, least)


def _mean_shortage(ordered: FloatArray, stock: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(ordered - stock[:, None], 0.0).mean(axis=1))
