"""The order of one series: target levels for its demand, and what its stock leaves to be wished for.

As a plan makes it (shelfcast.inventory), of this series alone: its weekdays alike, and without the doubt whether the
whole forecast is too high or too low. What differs between two lines is what was supposed.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from shelfcast.inventory.levels import FILL_RATE, Needs, levels_for
from shelfcast.inventory.lot_size import rounded_order
from shelfcast.inventory.predictive import Draws
from shelfcast.inventory.protection import Ahead, LeadTimes, simulate
from shelfcast.negative_binomial import DISPERSIONS
from shelfcast.panel import FloatArray

_SAMPLES, _SEED = 1000, 27


@dataclass(frozen=True)
class Terms:
    """position: on hand + on order - promised, units; days, chances: of the lead time; review: days; target, is_fill:
    what is kept; pack, minimum, order_quantity: units; may_order: whether the vendor takes an order today."""

    position: float
    days: tuple[int, ...]
    chances: tuple[float, ...]
    review: int
    target: float
    is_fill: bool
    pack: float
    minimum: float
    order_quantity: float
    may_order: bool


@dataclass(frozen=True)
class Line:
    """In units; stock_out: the chance of a shortage before an order of today comes."""

    reorder_point: float
    order_up_to: float
    safety_stock: float
    order: float
    stock_out: float


def order_line(mean: FloatArray, dispersion: float, first_day: int, terms: Terms) -> Line:
    """mean: of the weeks ahead, units; first_day: the first day ahead, from the Monday of the first week. Lead times
    are cut where the forecast ends."""
    most = 7 * len(mean) - first_day - terms.review
    days = np.minimum(np.array([terms.days], dtype=np.int64), max(most, 0))
    leads = LeadTimes(days, np.array([terms.chances], dtype=np.float64))
    even, review = np.full((1, 7), 1 / 7), np.array([min(terms.review, 7 * len(mean) - first_day)], dtype=np.int64)
    ahead = Ahead.of(mean[None, :], even, first_day, np.array([dispersion]))
    demand = simulate(ahead, leads, review, _draws(len(mean)), np.random.default_rng(_SEED))
    target, pack = np.array([terms.target]), np.array([terms.pack])
    levels = levels_for(Needs.of(demand), target, np.array([terms.is_fill]), np.array([terms.order_quantity]), pack)
    point, up_to, safety = (float(values[0]) for values in levels)
    room = up_to - terms.position if terms.may_order and terms.position <= point else 0.0
    order = float(rounded_order(room, terms.pack, terms.minimum))
    return Line(point, up_to, safety, order, float((demand.lead > terms.position).mean()))


def is_fill_rate(kind: str) -> bool:
    return kind == FILL_RATE


def bounded(dispersion: float | None) -> float:
    """A dispersion that demand may have: that of the largest where none is known."""
    least, most = float(DISPERSIONS[0]), float(DISPERSIONS[-1])
    return most if dispersion is None or np.isnan(dispersion) else float(np.clip(dispersion, least, most))


@lru_cache(maxsize=8)
def _draws(weeks: int) -> Draws:
    return Draws.make(_SAMPLES, weeks, 0.0, _SEED)
