"""Safety stock, reorder point and order-up-to level where demand is normal.

Quantities are in units, times in periods of one length (days, say), by element of arrays of like shape. Sources: Chopra
and Meindl, "Supply Chain Management", 5th ed. (2013), chapter 12, whose worked examples stand here; Silver, Pyke and
Thomas, "Inventory and Production Management in Supply Chains", 4th ed. (2017), chapter 6, for the fill rate.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from shelfcast.panel import FloatArray

# The normal density beyond is 0 in double precision.
_FARTHEST = 38.0
_HALVINGS = 80


def standard_loss(z: ArrayLike) -> FloatArray:
    """G(z) = E[(Z - z)+] = phi(z) - z (1 - Phi(z)) of a standard normal Z: the expected shortage in standard
    deviations (the unit normal loss function; Silver, Pyke and Thomas 2017, appendix II.1).

    >>> [round(float(g), 4) for g in standard_loss([0.0, 1.0, 2.0])]
    [0.3989, 0.0833, 0.0085]
    """
    z = np.asarray(z, dtype=np.float64)
    return np.asarray(np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) - z * ndtr(-z))


def inverse_loss(loss: ArrayLike) -> FloatArray:
    """The z with G(z) = loss, by bisection: G falls in z. loss: above 0; NaN for others.

    >>> round(float(inverse_loss(0.0833)), 3)
    1.0
    """
    loss = np.asarray(loss, dtype=np.float64)
    # G(z) > -z, so that -loss lies below the root.
    low, high = np.minimum(-loss, 0.0), np.full_like(loss, _FARTHEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_low = standard_loss(middle) > loss
        low, high = np.where(is_low, middle, low), np.where(is_low, high, middle)
    return np.where(loss > 0, (low + high) / 2, np.nan)


def deviation_over(periods: ArrayLike, mean: ArrayLike, deviation: ArrayLike, lead_deviation: ArrayLike) -> FloatArray:
    """Standard deviation in units of the demand over `periods` (lead time, or lead time + review period), whose own
    standard deviation is `lead_deviation`; demand of a period has `mean` and `deviation` and is independent of others:
    sqrt(periods deviation^2 + mean^2 lead_deviation^2) (Hadley and Whitin
    1963).

    Chopra and Meindl's example of an uncertain lead time: 2,500 computers a day with deviation 500, a lead time of 7
    days with deviation 7.

    >>> round(float(deviation_over(7, 2500, 500, 7)))
    17550
    """
    periods, mean, deviation, lead = (
        np.asarray(x, dtype=np.float64) for x in (periods, mean, deviation, lead_deviation)
    )
    return np.asarray(np.sqrt(periods * deviation**2 + mean**2 * lead**2))


def stock_for_cycle_service(level: ArrayLike, deviation: ArrayLike) -> FloatArray:
    """Safety stock in units with which a replenishment cycle ends without a shortage with probability `level`:
    z(level) x deviation, that of demand over the time that it protects.

    Chopra and Meindl's example of a desired cycle service level: 2,500 boxes a week with deviation 500, two weeks of
    lead time, a level of 0.9.

    >>> round(float(stock_for_cycle_service(0.9, deviation_over(2, 2500, 500, 0))))
    906
    """
    return np.asarray(ndtri(np.asarray(level, dtype=np.float64)) * np.asarray(deviation, dtype=np.float64))


def stock_for_fill_rate(level: ArrayLike, order_quantity: ArrayLike, deviation: ArrayLike) -> FloatArray:
    """Safety stock in units with which the share `level` of demand is met from the shelf, ordering `order_quantity`
    units at a time: k x deviation, where deviation x G(k) = (1 - level) x order_quantity (Silver, Pyke and Thomas
    2017, section 6.7). Negative where the order alone serves more than asked for.

    Chopra and Meindl's example of a desired fill rate: orders of 10,000, a rate of 0.975, demand as above.

    >>> round(float(stock_for_fill_rate(0.975, 10_000, deviation_over(2, 2500, 500, 0))))
    67
    """
    level, quantity, spread = (np.asarray(x, dtype=np.float64) for x in (level, order_quantity, deviation))
    # Without uncertainty nothing is to be kept safe from.
    shortage = np.divide((1 - level) * quantity, spread, out=np.ones_like(level + quantity + spread), where=spread > 0)
    return np.where(spread > 0, inverse_loss(shortage) * spread, 0.0)


def fill_rate(safety_stock: ArrayLike, order_quantity: ArrayLike, deviation: ArrayLike) -> FloatArray:
    """The share of demand met from the shelf: 1 - deviation x G(safety_stock / deviation) / order_quantity.

    Chopra and Meindl's example of a policy's fill rate: 1,000 of safety stock, orders of 10,000, a deviation of 707.

    >>> round(float(fill_rate(1000, 10_000, deviation_over(2, 2500, 500, 0))), 4)
    0.9975
    """
    stock, quantity, spread = (np.asarray(x, dtype=np.float64) for x in (safety_stock, order_quantity, deviation))
    return np.asarray(1 - spread * standard_loss(stock / spread) / quantity)


def reorder_point(mean: ArrayLike, lead_time: ArrayLike, safety_stock: ArrayLike) -> FloatArray:
    """Stock on hand and on order in units at which an order is due: the mean demand over the lead time + safety stock
    (Chopra and Meindl's example of a policy's safety stock: 1,000 where orders are due at 6,000).

    >>> float(reorder_point(2500, 2, 1000))
    6000.0
    """
    return _level(mean, lead_time, safety_stock)


def order_up_to_level(mean: ArrayLike, lead_time: ArrayLike, review: ArrayLike, safety_stock: ArrayLike) -> FloatArray:
    """What each review orders up to, in units: the mean demand over review period + lead time + safety stock.

    Chopra and Meindl's example of a periodic review: every four weeks, else as that of a cycle service level.

    >>> round(float(order_up_to_level(2500, 2, 4, stock_for_cycle_service(0.9, deviation_over(2 + 4, 2500, 500, 0)))))
    16570
    """
    return _level(mean, np.asarray(lead_time, dtype=np.float64) + np.asarray(review, dtype=np.float64), safety_stock)


def _level(mean: ArrayLike, periods: ArrayLike, safety_stock: ArrayLike) -> FloatArray:
    mean, periods, stock = (np.asarray(x, dtype=np.float64) for x in (mean, periods, safety_stock))
    return np.asarray(mean * periods + stock)
