"""Rules by which shelves may be kept, each swept by a parameter of its own: what a replay compares.

All order the same quantity at a time, so that they differ in when they order alone: S = s + order quantity, or more
where the target asks for it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from shelfcast.inventory.levels import levels_for
from shelfcast.inventory.predictive import DISPERSIONS, Draws
from shelfcast.inventory.protection import Ahead, IntArray, LeadTimes, simulate
from shelfcast.inventory.safety_stock import deviation_over
from shelfcast.panel import FloatArray

# The weeks that a level, a spread or a dispersion is measured on.
RECENT_WEEKS = 26


class Known(NamedTuple):
    """What is known of n series after a week's closing. past: units a day, shape (days, n), whole weeks from a Monday;
    weekly: forecast means of the weeks ahead, shape (n, weeks); profile: shares of Monday to Sunday, shape (n, 7);
    season: weeks; review: days."""

    past: FloatArray
    weekly: FloatArray
    profile: FloatArray
    leads: LeadTimes
    review: int
    order_quantity: FloatArray
    season: int
    draws: Draws
    rng: np.random.Generator


Pair = tuple[FloatArray, FloatArray]
Rule = Callable[[Known, float], Pair]


def probabilistic(known: Known, level: float) -> Pair:
    """Reorder point and order-up-to level for a fill rate of `level` under simulated demand."""
    days = np.arange(7 * known.weekly.shape[1])
    mean = known.weekly[:, days // 7] * known.profile[:, days % 7]
    ahead = Ahead(mean, days // 7, recent_dispersion(known.past))
    review = np.full(len(mean), known.review)
    demand = simulate(ahead, known.leads, review, known.draws, known.rng)
    everywhere = np.ones(len(mean), dtype=np.bool_)
    found = levels_for(demand, np.full(len(mean), level), everywhere, known.order_quantity)
    return found.reorder_point, found.order_up_to


def min_max(known: Known, cover: float) -> Pair:
    """The minimum lasts `cover` days at the recent mean, the maximum an order quantity longer."""
    least = np.ceil(cover * known.past[-7 * RECENT_WEEKS :].mean(axis=0))
    return least, least + known.order_quantity


def seasonal_normal(known: Known, level: float) -> Pair:
    """The demand of the same weeks a season ago, and safety stock for the cycle service level `level` by the normal
    formula."""
    protected = known.leads.mean() + known.review
    first = len(known.past) - 7 * known.season
    weeks_ago = known.past[max(first, 0) :][: int(np.ceil(protected.max()))]
    mean = weeks_ago.mean(axis=0)
    deviation = known.past[-7 * RECENT_WEEKS :].std(axis=0)
    spread = deviation_over(protected, mean, deviation, known.leads.deviation())
    point = np.maximum(np.ceil(protected * mean + ndtri(level) * spread), 0.0)
    return point, point + known.order_quantity


RULES: dict[str, Rule] = {
    "probabilistic": probabilistic,
    "min_max": min_max,
    "seasonal_normal": seasonal_normal,
}


def recent_dispersion(past: FloatArray) -> IntArray:
    """The dispersion of each series by moments, 1 / k = (variance - mean) / mean^2 of its recent weeks, half its own
    and half that of all: few weeks tell little of a variance. Positions in DISPERSIONS."""
    weeks = past[-7 * RECENT_WEEKS :]
    weekly = weeks.reshape(-1, 7, weeks.shape[1]).sum(axis=1)
    mean, variance = weekly.mean(axis=0), weekly.var(axis=0, ddof=1)
    excess, square = np.maximum(variance - mean, 0.0), mean**2
    pooled = excess.sum() / max(square.sum(), 1e-9)
    own = np.divide(excess, square, out=np.full_like(mean, pooled), where=square > 0)
    inverse = np.maximum((own + pooled) / 2, 1 / DISPERSIONS[-1])
    return np.asarray(np.abs(np.log(DISPERSIONS[None, :] * inverse[:, None])).argmin(axis=1))
