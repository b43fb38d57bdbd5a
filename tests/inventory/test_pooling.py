"""One fill rate for all keeps its word with fewer units than the same for each."""

from itertools import pairwise

import numpy as np
import pytest

from shelfcast.inventory.levels import Needs, levels_for
from shelfcast.inventory.pooling import Pool, worth_of
from shelfcast.inventory.predictive import Draws
from shelfcast.inventory.protection import Ahead, LeadTimes, simulate

N, REVIEW = 200, 7


def needs_of(weekly: np.ndarray, dispersion: np.ndarray) -> tuple[Needs, np.ndarray]:
    """Of series with these means a week, and their mean units a day."""
    n = len(weekly)
    series = Ahead.of(np.repeat(weekly[:, None], 3, axis=1), np.full((n, 7), 1 / 7), 0, dispersion)
    leads = LeadTimes(np.full((n, 1), 7), np.ones((n, 1)))
    demand = simulate(series, leads, np.full(n, REVIEW), Draws.make(500, 3, 0.0, 1), np.random.default_rng(2))
    return Needs.of(demand), weekly / 7


def mixed() -> tuple[Needs, np.ndarray, np.ndarray]:
    """Half steady, half lumpy."""
    rng = np.random.default_rng(3)
    weekly, dispersion = np.exp(rng.uniform(0, 3, N)), np.repeat([20.0, 0.2], N // 2)
    needs, daily = needs_of(weekly, dispersion)
    return needs, daily, dispersion


def missing(needs: Needs, point: np.ndarray, daily: np.ndarray, order: np.ndarray) -> float:
    """The share of all demand, by the definition."""
    short = np.maximum(needs.needed - point[:, None], 0).mean(axis=1)
    return float((short * daily / order).sum() / daily.sum())


@pytest.mark.parametrize("total", [0.8, 0.9, 0.95, 0.99])
def test_all_together_keep_the_fill_rate(total: float) -> None:
    needs, daily, dispersion = mixed()
    order = 21 * daily + needs.undershoot + 1
    found = Pool(needs, daily, order, worth_of(daily, dispersion / 7)).keep(total)
    assert 1 - missing(needs, found.reorder_point, daily, order) == pytest.approx(total, abs=0.004)
    assert (found.fill_rate * daily).sum() / daily.sum() == pytest.approx(total, abs=0.004)


def test_it_takes_fewer_units_than_the_same_fill_rate_for_each() -> None:
    needs, daily, _ = mixed()
    quantity = 21 * daily
    each = levels_for(needs, np.full(N, 0.95), np.full(N, True), quantity, np.ones(N))
    order = each.order_up_to - each.reorder_point + needs.undershoot
    total = 1 - missing(needs, each.reorder_point, daily, order)
    pooled = Pool(needs, daily, order, np.ones(N)).keep(total).reorder_point
    assert missing(needs, pooled, daily, order) <= 1 - total + 0.001
    assert pooled.sum() < 0.93 * each.reorder_point.sum()
    assert pooled[: N // 2].sum() > each.reorder_point[: N // 2].sum()


def test_a_higher_fill_rate_takes_from_no_series() -> None:
    needs, daily, dispersion = mixed()
    pool = Pool(needs, daily, 21 * daily + needs.undershoot + 1, worth_of(daily, dispersion / 7))
    levels = [pool.keep(total).reorder_point for total in (0.7, 0.9, 0.95, 0.99, 0.999)]
    assert all((below <= above).all() for below, above in pairwise(levels))


def test_what_nobody_asks_for_is_kept_at_nothing() -> None:
    needs, daily = needs_of(np.array([0.0, 10.0]), np.array([1.0, 1.0]))
    found = Pool(needs, daily, np.array([1.0, 20.0]), np.ones(2)).keep(0.95)
    assert found.reorder_point[0] == 0.0
    assert found.reorder_point[1] > 0


def test_a_missing_unit_counts_less_where_many_go_at_a_time() -> None:
    steady, lumpy = worth_of(np.array([1.0, 1.0]), np.array([100.0, 0.01]))
    assert steady == pytest.approx((1 - np.exp(-1)) ** 0.5, rel=0.02)
    assert lumpy < 0.25
    assert worth_of(np.zeros(1), np.ones(1)).tolist() == [1.0]
