"""Rules by which shelves may be kept, each swept by a parameter of its own: what a replay compares."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from shelfcast.inventory.levels import Needs, gap_of
from shelfcast.inventory.lot_size import economic_order_quantity, whole_order_quantity
from shelfcast.inventory.pooling import Pool, worth_of
from shelfcast.inventory.predictive import Draws
from shelfcast.inventory.protection import Ahead, LeadTimes, Protection, simulate
from shelfcast.inventory.safety_stock import deviation_over
from shelfcast.inventory.shown import Shown
from shelfcast.panel import FloatArray

# The weeks that a level or a spread is measured on.
RECENT_WEEKS = 26
# After the second turn neither moves by much.
_TURNS = 2


class Known(NamedTuple):
    """What is known of n series after a week's closing. past: units sold a day, shape (days, n), whole weeks from a
    Monday; weekly: forecast means of the weeks ahead, shape (n, weeks); profile: shares of Monday to Sunday, shape
    (n, 7); dispersion: of a week, shape (n,); season: weeks; review: days; holding: money a unit and day; margin: money
    a unit; order_cost: money an order; longest: days that an order may cover. gaps: cover of a minimum in days -> days
    from it to the maximum. shown: the policy that the history shows."""

    past: FloatArray
    weekly: FloatArray
    profile: FloatArray
    dispersion: FloatArray
    leads: LeadTimes
    review: int
    order_quantity: FloatArray
    pack: FloatArray
    holding: FloatArray
    margin: FloatArray
    order_cost: float
    longest: int
    season: int
    draws: Draws
    rng: np.random.Generator
    gaps: Mapping[float, float]
    shown: Shown


Pair = tuple[FloatArray, FloatArray]
# Reorder points and order-up-to levels, in units, for each of the parameters.
Rule = Callable[[Known, Sequence[float]], list[Pair]]


class _LookAhead(NamedTuple):
    """needs: what stock must last for; daily: mean units; gap: S - s; order: what a cycle sells."""

    needs: Needs
    daily: FloatArray
    gap: FloatArray
    order: FloatArray


def probabilistic(known: Known, levels: Sequence[float]) -> list[Pair]:
    """This plan: fill rates of `levels` for all series together, under simulated demand."""
    ahead = _look_ahead(known)
    pool = Pool(ahead.needs, ahead.daily, ahead.order, worth_of(ahead.daily, known.dispersion / 7))
    points = [pool.keep(level).reorder_point for level in levels]
    return [(point, point + ahead.gap) for point in points]


def least_cost(known: Known, factors: Sequence[float]) -> list[Pair]:
    """This plan where money decides: a unit more where it saves more margin than its holding costs; the margin is taken
    times each of `factors`."""
    ahead = _look_ahead(known)
    return [_cheapest(known, ahead, factor * known.margin) for factor in factors]


def _cheapest(known: Known, ahead: _LookAhead, margin: FloatArray) -> Pair:
    """Reorder point and order quantity found in turn, for each depends on the other: what a cycle misses costs as an
    order does (Hadley and Whitin 1963, "Analysis of Inventory Systems", chapter 4)."""
    gap, order = ahead.gap, ahead.order
    for _ in range(_TURNS):
        found = Pool(ahead.needs, ahead.daily, order, margin / known.holding).at(0.0)
        a_cycle = known.order_cost + margin * (1 - found.fill_rate) * order
        economic = economic_order_quantity(a_cycle, known.holding, ahead.daily)
        quantity = whole_order_quantity(economic, ahead.daily, known.longest, known.pack)
        gap, order = _cycle(ahead.needs, quantity, known.pack)
    point = Pool(ahead.needs, ahead.daily, order, margin / known.holding).at(0.0).reorder_point
    return point, point + gap


def _look_ahead(known: Known) -> _LookAhead:
    demand = simulated(known)
    needs = Needs.of(demand)
    daily = demand.protected.mean(axis=1) / np.maximum(known.leads.mean() + known.review, 1.0)
    return _LookAhead(needs, daily, *_cycle(needs, known.order_quantity, known.pack))


def _cycle(needs: Needs, quantity: FloatArray, pack: FloatArray) -> tuple[FloatArray, FloatArray]:
    """S - s with which an order comes to the quantity, and what a cycle sells."""
    gap = gap_of(needs, quantity, pack)
    return gap, gap + needs.undershoot + (pack - 1) / 2


def simulated(known: Known) -> Protection:
    """What the plan simulates of the weeks ahead."""
    ahead = Ahead.of(known.weekly, known.profile, 0, known.dispersion)
    return simulate(ahead, known.leads, np.full(len(ahead.mean), known.review), known.draws, known.rng)


def min_max(known: Known, covers: Sequence[float]) -> list[Pair]:
    """The minimum lasts each of `covers`, in days, at the recent mean; the maximum as many days longer as were cheapest
    on earlier weeks."""
    daily = known.past[-7 * RECENT_WEEKS :].mean(axis=0)
    least = [np.ceil(cover * daily) for cover in covers]
    longer = [np.maximum(np.ceil(known.gaps[cover] * daily), 1.0) for cover in covers]
    return [(low, low + more) for low, more in zip(least, longer, strict=True)]


def seasonal_normal(known: Known, levels: Sequence[float]) -> list[Pair]:
    """The demand of the same weeks a season ago, and safety stock for the cycle service `levels` by the normal formula;
    orders of the economic quantity."""
    protected = known.leads.mean() + known.review
    first = len(known.past) - 7 * known.season
    weeks_ago = known.past[max(first, 0) :][: int(np.ceil(protected.max()))]
    mean = weeks_ago.mean(axis=0)
    deviation = known.past[-7 * RECENT_WEEKS :].std(axis=0)
    spread = deviation_over(protected, mean, deviation, known.leads.deviation())
    points = [np.maximum(np.ceil(protected * mean + ndtri(level) * spread), 0.0) for level in levels]
    return [(point, point + known.order_quantity) for point in points]


def as_before(known: Known, scales: Sequence[float]) -> list[Pair]:
    """The policy that the history shows, its reorder point times each of `scales`; nothing is ordered in a week without
    one of its reviews."""
    week = len(known.past) // 7
    cycle = np.maximum(np.rint(known.shown.review / 7), 1.0)
    quantity = known.shown.order_up_to - known.shown.reorder_point
    is_reviewed = week % cycle == 0
    points = [np.maximum(np.rint(scale * known.shown.reorder_point), 0.0) for scale in scales]
    return [(np.where(is_reviewed, point, -1.0), point + quantity) for point in points]


RULES: dict[str, Rule] = {
    "probabilistic": probabilistic,
    "least_cost": least_cost,
    "min_max": min_max,
    "seasonal_normal": seasonal_normal,
    "as_before": as_before,
}
