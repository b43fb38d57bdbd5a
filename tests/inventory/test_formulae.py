"""The formulae beside stockpyl, and what must hold of them whatever the numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from stockpyl.eoq import economic_order_quantity as their_eoq
from stockpyl.eoq import economic_order_quantity_with_all_units_discounts as their_discounted
from stockpyl.loss_functions import standard_normal_loss
from stockpyl.newsvendor import newsvendor_discrete, newsvendor_normal
from stockpyl.rq import r_q_eoqss_approximation

from shelfcast.inventory import lot_size, newsvendor, safety_stock

CASES = 200
levels = st.floats(0.5, 0.999)
units = st.floats(0.1, 1e4)
costs = st.floats(0.01, 1e4)


def cases(columns: int, seed: int = 5) -> list[list[float]]:
    """Rows of positive numbers over three orders of magnitude."""
    return np.exp(np.random.default_rng(seed).uniform(-3, 4, (CASES, columns))).tolist()


def test_the_loss_is_stockpyls() -> None:
    z = np.random.default_rng(5).uniform(-6, 6, CASES)
    theirs = [standard_normal_loss(float(value))[0] for value in z]
    assert safety_stock.standard_loss(z) == pytest.approx(theirs, abs=1e-6)
    assert safety_stock.inverse_loss(safety_stock.standard_loss(z)) == pytest.approx(z, abs=1e-6)


def test_the_economic_order_quantity_and_its_cost_are_stockpyls() -> None:
    for cost, holding, rate in cases(3):
        size = lot_size.economic_order_quantity(cost, holding, rate)
        assert (float(size), float(lot_size.lot_cost(size, cost, holding, rate))) == pytest.approx(
            their_eoq(cost, holding, rate), rel=1e-6
        )


def test_the_discounted_order_quantity_is_stockpyls() -> None:
    for cost, rate, first, second, price, *less in cases(7):
        breaks = [0.0, 10 * first, 10 * (first + second)]
        prices = [price, price / (1 + less[0] / 100), price / (1 + less[0] / 100) / (1 + less[1] / 100)]
        size, _, total = their_discounted(10 * cost, 0.2, 100 * rate, breaks, prices)
        assert lot_size.discounted_order_quantity(10 * cost, 0.2, 100 * rate, breaks, prices) == pytest.approx(
            (size, total), rel=1e-6
        )


def test_the_newsvendor_of_normal_demand_is_stockpyls() -> None:
    for over, under, mean, deviation in cases(4):
        best = newsvendor.of_normal(over, under, mean, deviation)
        cost = newsvendor.cost_of_normal(best, over, under, mean, deviation)
        assert (float(best), float(cost)) == pytest.approx(
            newsvendor_normal(over, under, mean, deviation), rel=1e-6, abs=1e-6
        )


def test_the_newsvendor_of_samples_is_stockpyls() -> None:
    draw = np.random.default_rng(5)
    for over, under in cases(2):
        samples = draw.integers(0, 30, draw.integers(1, 40))
        values, counts = np.unique(samples, return_counts=True)
        theirs, _ = newsvendor_discrete(
            over, under, demand_pmf={int(v): float(c / len(samples)) for v, c in zip(values, counts, strict=True)}
        )
        assert float(newsvendor.of_samples(over, under, samples)) == theirs


def test_the_newsvendor_of_quantiles_is_linear_between_them_and_knows_nothing_beyond() -> None:
    known = stats.norm.ppf([0.1, 0.5, 0.9], 50, 8)
    assert float(newsvendor.of_quantiles(1, 1, [0.1, 0.5, 0.9], known)) == pytest.approx(50)
    assert float(newsvendor.of_quantiles(3, 7, [0.1, 0.5, 0.9], known)) == pytest.approx(50 + (known[2] - 50) / 2)
    assert math.isnan(float(newsvendor.of_quantiles(1, 99, [0.1, 0.5, 0.9], known)))


def test_the_reorder_point_for_a_cycle_service_level_is_stockpyls() -> None:
    for over, under, mean, deviation, lead in cases(5):
        ratio = newsvendor.critical_ratio(over, under)
        spread = safety_stock.deviation_over(lead, mean, deviation, 0)
        point = safety_stock.reorder_point(mean, lead, safety_stock.stock_for_cycle_service(ratio, spread))
        theirs, _ = r_q_eoqss_approximation(over, under, 1.0, mean, deviation, lead)
        assert float(point) == pytest.approx(theirs, rel=1e-6, abs=1e-6)


def test_the_stock_for_a_fill_rate_gives_that_fill_rate() -> None:
    for level, (quantity, deviation) in zip(np.linspace(0.5, 0.999, CASES), cases(2), strict=True):
        stock = safety_stock.stock_for_fill_rate(level, quantity, deviation)
        assert float(safety_stock.fill_rate(stock, quantity, deviation)) == pytest.approx(level, abs=1e-6)


def test_demand_that_is_certain_needs_no_safety_stock() -> None:
    assert float(safety_stock.stock_for_fill_rate(0.98, 10, 0)) == 0
    assert float(safety_stock.stock_for_cycle_service(0.98, 0)) == 0


@given(levels, levels, units, units)
def test_a_higher_service_never_lowers_the_safety_stock(
    one: float, other: float, quantity: float, spread: float
) -> None:
    low, high = sorted((one, other))
    cycle = [float(safety_stock.stock_for_cycle_service(level, spread)) for level in (low, high)]
    fill = [float(safety_stock.stock_for_fill_rate(level, quantity, spread)) for level in (low, high)]
    assert cycle[0] <= cycle[1]
    assert fill[0] <= fill[1] + 1e-9 * max(spread, quantity)


@given(costs, costs, units, st.floats(0.01, 1))
def test_a_doubled_unit_cost_never_raises_the_order_quantity(
    order: float, unit: float, rate: float, share: float
) -> None:
    once, twice = (lot_size.economic_order_quantity(order, share * cost, rate) for cost in (unit, 2 * unit))
    assert twice <= once


@given(st.floats(-1e4, 1e4), st.integers(1, 48), st.integers(0, 500))
def test_an_order_is_whole_packs_of_the_minimum_or_more_or_nothing(need: float, pack: int, minimum: int) -> None:
    order = float(lot_size.rounded_order(need, pack, minimum))
    assert order % pack == 0
    assert order == 0 if need <= 0 else order >= max(need, minimum)
    assert order <= max(need, minimum, 0) + pack
