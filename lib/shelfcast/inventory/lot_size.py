"""How much to order at a time: the economic order quantity, and whole packs of at least the minimum."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from shelfcast.panel import FloatArray


def economic_order_quantity(order_cost: ArrayLike, holding_cost: ArrayLike, rate: ArrayLike) -> FloatArray:
    """sqrt(2 K d / h) in units: least ordering + holding cost. order_cost: money an order; holding_cost: money a unit
    and period; rate: units a period (Harris 1913; Snyder and Shen, "Fundamentals of Supply Chain Theory", 2nd ed. 2019,
    equation 3.4, whose example 3.1 stands here).

    >>> round(float(economic_order_quantity(8, 0.225, 1300)), 4)
    304.0468
    """
    cost, holding, rate = (np.asarray(x, dtype=np.float64) for x in (order_cost, holding_cost, rate))
    return np.asarray(np.sqrt(2 * cost * rate / holding))


def lot_cost(quantity: ArrayLike, order_cost: ArrayLike, holding_cost: ArrayLike, rate: ArrayLike) -> FloatArray:
    """Ordering + holding cost of a period, in money: K d / Q + h Q / 2 (Snyder and Shen 2019, example 3.1).

    >>> round(float(lot_cost(economic_order_quantity(8, 0.225, 1300), 8, 0.225, 1300)), 4)
    68.4105
    """
    size, cost, holding, rate = (np.asarray(x, dtype=np.float64) for x in (quantity, order_cost, holding_cost, rate))
    return np.asarray(cost * rate / size + holding * size / 2)


def discounted_order_quantity(
    order_cost: float, holding_rate: float, rate: float, breaks: Sequence[float], prices: Sequence[float]
) -> tuple[float, float]:
    """The order quantity in units and the cost of a period in money (purchases, orders and holding), where all units of
    an order of breaks[j] or more, and less than the next break, cost prices[j] each. breaks: rising, the first 0;
    holding_rate: share of a unit's price a period (Chopra and Meindl 2013, "all unit quantity discounts",
    whose example orders 10,000 bottles for 354,520 a year).

    >>> discounted_order_quantity(100, 0.2, 120_000, [0, 5_000, 10_000], [3.0, 2.96, 2.92])
    (10000.0, 354520.0)
    """
    price, start = np.array(prices), np.array(breaks)
    below = np.append(start[1:], np.inf)
    best = np.maximum(economic_order_quantity(order_cost, holding_rate * price, rate), start)
    cost = rate * price + lot_cost(best, order_cost, holding_rate * price, rate)
    # Beyond its bracket a quantity is had at the next price.
    cheapest = int(np.argmin(np.where(best < below, cost, np.inf)))
    return float(best[cheapest]), float(cost[cheapest])


def rounded_order(need: ArrayLike, pack: ArrayLike, minimum: ArrayLike) -> FloatArray:
    """Units to order for a need in units: whole packs, at least the minimum, and nothing where nothing is needed.

    >>> rounded_order([-3.0, 0.0, 1.0, 13.0], 6, 12).tolist()
    [0.0, 0.0, 12.0, 18.0]
    """
    need, pack, minimum = (np.asarray(x, dtype=np.float64) for x in (need, pack, minimum))
    return np.asarray(np.where(need > 0, np.ceil(np.maximum(need, minimum) / pack) * pack, 0.0))


def whole_order_quantity(
    wanted: ArrayLike, rate: ArrayLike, longest: float, pack: ArrayLike, minimum: ArrayLike = 0.0
) -> FloatArray:
    """The wanted quantity as units that can be ordered: whole packs, one at least and the minimum, and so far no more
    than `longest` periods sell.

    >>> whole_order_quantity([0.2, 304.0], [0.01, 1300], 0.1, 12).tolist()
    [12.0, 132.0]
    """
    return rounded_order(np.maximum(np.rint(np.minimum(wanted, np.asarray(rate) * longest)), 1.0), pack, minimum)
