"""The newsvendor: how much to have for one period, where too much costs `over` and too little `under` a unit.

Demand is at most the best quantity with probability under / (under + over), the critical ratio. Source: Snyder and
Shen, "Fundamentals of Supply Chain Theory", 2nd ed. (2019), section 4.3, whose example 4.3 stands here. Quantities are
in units, costs in money a unit.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from shelfcast.inventory.safety_stock import standard_loss
from shelfcast.panel import FloatArray


def critical_ratio(over: ArrayLike, under: ArrayLike) -> FloatArray:
    """under / (under + over).

    >>> round(float(critical_ratio(0.18, 0.70)), 4)
    0.7955
    """
    over, under = np.asarray(over, dtype=np.float64), np.asarray(under, dtype=np.float64)
    return np.asarray(under / (under + over))


def of_normal(over: ArrayLike, under: ArrayLike, mean: ArrayLike, deviation: ArrayLike) -> FloatArray:
    """The best quantity for normal demand: mean + z(critical ratio) x deviation (equation 4.30).

    >>> round(float(of_normal(0.18, 0.70, 50, 8)), 4)
    56.604
    """
    z = ndtri(critical_ratio(over, under))
    return np.asarray(np.asarray(mean, dtype=np.float64) + z * np.asarray(deviation, dtype=np.float64))


def cost_of_normal(
    quantity: ArrayLike, over: ArrayLike, under: ArrayLike, mean: ArrayLike, deviation: ArrayLike
) -> FloatArray:
    """The expected cost in money of having `quantity` for normal demand: over x E[(Q - D)+] + under x E[(D - Q)+]
    (equation 4.24).

    >>> round(float(cost_of_normal(of_normal(0.18, 0.70, 50, 8), 0.18, 0.70, 50, 8)), 4)
    1.9976
    """
    size, over, under, mean, spread = (
        np.asarray(x, dtype=np.float64) for x in (quantity, over, under, mean, deviation)
    )
    short = spread * standard_loss((size - mean) / spread)
    return np.asarray(over * (size - mean + short) + under * short)


def of_samples(over: ArrayLike, under: ArrayLike, samples: ArrayLike) -> FloatArray:
    """The best quantity for demand of which `samples` (last axis) are equally likely: the least of them that demand
    does not exceed with the probability of the critical ratio (equation 4.31, of discrete demand).

    >>> float(of_samples(1.0, 3.0, [4.0, 1.0, 3.0, 2.0]))
    3.0
    """
    ordered = np.sort(np.asarray(samples, dtype=np.float64), axis=-1)
    count = ordered.shape[-1]
    # 0.3 x 10 is 3.0000000000000004: no rank more for a rounding error.
    rank = np.ceil(critical_ratio(over, under) * count - 1e-9).astype(np.int64)
    at = np.broadcast_to(np.clip(rank - 1, 0, count - 1), ordered.shape[:-1])
    return np.asarray(np.take_along_axis(ordered, at[..., None], axis=-1)[..., 0])


def of_quantiles(over: float, under: float, levels: ArrayLike, quantiles: ArrayLike) -> FloatArray:
    """The best quantity for demand of which the `quantiles` (..., levels) are known, rising `levels`: linear between
    them, NaN beyond the outermost, of which nothing is known.

    >>> of_quantiles(1.0, 3.0, [0.5, 0.9], [[8.0, 16.0]]).tolist()
    [13.0]
    """
    levels, known = np.asarray(levels, dtype=np.float64), np.asarray(quantiles, dtype=np.float64)
    ratio = float(critical_ratio(over, under))
    if not levels[0] <= ratio <= levels[-1]:
        return np.full(known.shape[:-1], np.nan)
    after = max(int(np.searchsorted(levels, ratio)), 1)
    share = (ratio - levels[after - 1]) / (levels[after] - levels[after - 1])
    return np.asarray((1 - share) * known[..., after - 1] + share * known[..., after])
