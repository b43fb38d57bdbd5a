"""What the levels promise is what shelves achieve that are run by them."""

import numpy as np
import pytest

from shelfcast.inventory.levels import CYCLE_SERVICE, FILL_RATE, Levels, Needs, levels_for
from shelfcast.inventory.lot_size import rounded_order
from shelfcast.inventory.predictive import Draws
from shelfcast.inventory.protection import Ahead, LeadTimes, simulate
from shelfcast.inventory.shelves import Shelves, order_of
from shelfcast.negative_binomial import DISPERSIONS

ITEMS, DAYS, WARM_UP = 300, 1400, 140
PROFILE = np.array([0.7, 0.8, 0.9, 1.0, 1.4, 1.5, 0.7]) / 7
LEAD_DAYS, LEAD_CHANCES = np.array([3, 5, 8]), np.array([0.3, 0.5, 0.2])


DRAWS = [1, 2, 3]


def items(draw: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weekly means, positions in DISPERSIONS, order quantities."""
    rng = np.random.default_rng([draw, 11])
    mean = np.exp(rng.uniform(np.log(1), np.log(60), ITEMS))
    return mean, rng.integers(8, len(DISPERSIONS), ITEMS), np.maximum(np.rint(mean * rng.uniform(1, 4, ITEMS)), 1)


def demand_of(mean: np.ndarray, dispersion: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    k = DISPERSIONS[dispersion]
    gammas = rng.gamma(k / 7, 7 / k, (DAYS, ITEMS))
    return rng.poisson(np.tile(PROFILE, DAYS // 7)[:, None] * mean * gammas).astype(np.float64)


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("target", [0.9, 0.95, 0.98])
@pytest.mark.parametrize("kind", [CYCLE_SERVICE, FILL_RATE])
def test_achieved_service_is_within_a_point_of_its_target(kind: str, target: float, draw: int) -> None:
    assert achieved(kind, target, 1.0, 0.0, draw) == pytest.approx(target, abs=0.01)


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("target", [0.9, 0.95, 0.98])
@pytest.mark.parametrize("kind", [CYCLE_SERVICE, FILL_RATE])
def test_packs_and_minima_never_take_more_than_a_point_of_it(kind: str, target: float, draw: int) -> None:
    assert achieved(kind, target, 6.0, 12.0, draw) >= target - 0.01


def achieved(kind: str, target: float, pack: float, minimum: float, draw: int) -> float:
    """Pooled over the items: share of cycles without a shortage, or of demand that was served."""
    mean, dispersion, quantity = items(draw)
    weekly, profile = np.repeat(mean[:, None], 4, axis=1), np.tile(PROFILE, (ITEMS, 1))
    series = Ahead.of(weekly, profile, 0, DISPERSIONS[dispersion])
    leads = LeadTimes(np.tile(LEAD_DAYS, (ITEMS, 1)), np.tile(np.cumsum(LEAD_CHANCES), (ITEMS, 1)))
    review = np.full(ITEMS, 7)
    protection = simulate(series, leads, review, Draws.make(1000, 4, 0.0, 5), np.random.default_rng(6))
    quantity = rounded_order(quantity, pack, minimum)
    is_fill_rate, packs = np.full(ITEMS, kind == FILL_RATE), np.full(ITEMS, pack)
    levels = levels_for(Needs.of(protection), np.full(ITEMS, target), is_fill_rate, quantity, packs)
    demand = demand_of(mean, dispersion, np.random.default_rng([draw, 12]))
    return _run(kind, demand, levels, pack, minimum, np.random.default_rng([draw, 13]))


def _run(kind: str, demand: np.ndarray, levels: Levels, pack: float, minimum: float, rng: np.random.Generator) -> float:
    shelves = Shelves.with_stock(levels.order_up_to, int(LEAD_DAYS.max()), backorders=True)
    wanted = served = cycles = short_cycles = 0.0
    was_short = np.zeros(ITEMS, dtype=np.bool_)
    for day in range(DAYS):
        arriving, before = shelves.due[0] > 0, np.maximum(shelves.stock, 0)
        shelves.serve(demand[day])
        was_short |= demand[day] > before
        if day >= WARM_UP:
            wanted += demand[day].sum()
            served += np.minimum(demand[day], before).sum()
            cycles += arriving.sum()
            short_cycles += (arriving & was_short).sum()
        was_short &= ~arriving
        if day % 7 == 6:
            order = order_of(shelves.position, *levels[:2], lambda need: rounded_order(need, pack, minimum))
            shelves.order(order, rng.choice(LEAD_DAYS, ITEMS, p=LEAD_CHANCES))
    return served / wanted if kind == FILL_RATE else 1 - short_cycles / cycles
