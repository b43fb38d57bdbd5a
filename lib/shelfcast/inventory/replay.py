"""Real demand replayed, day by day, under the rules: what each would have kept, sold and cost."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from shelfcast.inventory.lot_size import rounded_order
from shelfcast.inventory.protection import IntArray
from shelfcast.inventory.rules import Pair
from shelfcast.inventory.shelves import Outcome, Shelves, order_of
from shelfcast.panel import FloatArray

_YEAR = 365.0
_GOLDEN = (5**0.5 - 1) / 2


class Shop(NamedTuple):
    """What happens whatever the rule: demand in units and the lead times in days of orders of each day, both shape
    (days, n), whole weeks from a Monday; packs and minima in units."""

    demand: FloatArray
    lead: IntArray
    pack: FloatArray
    minimum: FloatArray


def replay(shop: Shop, levels: Sequence[Pair], warm_up: int) -> Outcome:
    """What comes of weekly planning: levels[w] holds from the closing before week w to that of the next. A review is on
    every seventh closing. The first `warm_up` weeks are run and not counted: in them a rule's first levels wear off."""
    longest = int(shop.lead.max(initial=0))
    shelves = Shelves.with_stock(opening(levels[0]), longest)
    for day, demand in enumerate(shop.demand):
        if day == 7 * warm_up:
            shelves.forget()
        shelves.serve(demand)
        week = (day + 1) // 7
        if (day + 1) % 7 == 0 and week < len(levels):
            order = order_of(shelves.position, *levels[week], lambda need: rounded_order(need, shop.pack, shop.minimum))
            shelves.order(order, shop.lead[day])
    return shelves.outcome()


def opening(levels: Pair) -> FloatArray:
    """Stock somewhere between s and S, evenly over the series, as shelves are that do not begin all at once: the
    fractional parts of multiples of the golden ratio (Weyl 1916)."""
    point, up_to = levels
    share = np.modf(_GOLDEN * np.arange(1, len(point) + 1))[0]
    return np.asarray(np.ceil(np.maximum(point, 0.0) + share * (up_to - np.maximum(point, 0.0))))


def score(
    outcome: Outcome, days: int, unit_cost: FloatArray, margin: FloatArray, order_cost: float, rate: float
) -> dict[str, float]:
    """Sums over the series, to be added to those of others. cost: holding (`rate` of a unit's cost a year) + ordering +
    the margin of what was not there, all money."""
    lost = outcome.wanted - outcome.served
    sums = {
        "series": float(len(outcome.wanted)),
        "series_days": float(len(outcome.wanted) * days),
        "wanted": outcome.wanted.sum(),
        "served": outcome.served.sum(),
        "short_days": outcome.short_days.sum(),
        "stock_days": outcome.stock_days.sum(),
        "stock_value_days": (outcome.stock_days * unit_cost).sum(),
        "holding": (outcome.stock_days * unit_cost).sum() * rate / _YEAR,
        "ordering": outcome.orders.sum() * order_cost,
        "lost_margin": (lost * margin).sum(),
    }
    return {name: float(value) for name, value in sums.items()}


def at_equal(curve: pd.DataFrame, given: str, value: float, wanted: str) -> float:
    """What a rule's curve has of `wanted` where it has `value` of `given`, by linear interpolation; NaN beyond its
    ends."""
    points = curve.sort_values(given)
    return float(np.interp(value, points[given], points[wanted], left=np.nan, right=np.nan))
