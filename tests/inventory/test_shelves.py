import numpy as np
import pytest
from stockpyl.ss import s_s_cost_discrete

from shelfcast.inventory.lot_size import rounded_order
from shelfcast.inventory.shelves import BoolArray, IntArray, Outcome, Rounding, Shelves, order_of
from shelfcast.panel import FloatArray


def whole(need):
    return rounded_order(need, 1, 0)


def run_policy(
    shelves: Shelves,
    demand: FloatArray,
    lead: IntArray,
    reviewed: BoolArray,
    levels: tuple[FloatArray, FloatArray],
    rounding: Rounding,
) -> Outcome:
    """Serve `demand` (days, n) under one policy, levels (s, S). lead, reviewed: shape (days, n), the lead time of an
    order of that day, and whether one may be placed."""
    for today, days, is_reviewed in zip(demand, lead, reviewed, strict=True):
        shelves.serve(today)
        shelves.order(np.where(is_reviewed, order_of(shelves.position, *levels, rounding), 0.0), days)
    return shelves.outcome()


def of(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_an_order_of_three_days_comes_after_closing_of_the_third_day() -> None:
    shelves = Shelves.with_stock(of(5), 7)
    shelves.order(of(10), np.array([3]))
    stocks = []
    for _ in range(4):
        shelves.serve(of(1))
        stocks.append(float(shelves.stock[0]))
    assert stocks == [4, 3, 12, 11]
    assert float(shelves.position[0]) == 11


def test_what_an_empty_shelf_does_not_serve_is_lost_or_owed() -> None:
    for backorders, stock in ((False, 0.0), (True, -3.0)):
        shelves = Shelves.with_stock(of(2, 9), 1, backorders)
        shelves.serve(of(5, 4))
        assert shelves.stock.tolist() == [stock, 5.0]
        outcome = shelves.outcome()
        assert outcome.short_days.tolist() == [1.0, 0.0]
        assert outcome.fill_rate.tolist() == [0.4, 1.0]


def test_what_is_on_order_is_not_ordered_again() -> None:
    outcome = run_policy(
        Shelves.with_stock(of(4), 30),
        np.ones((10, 1)),
        np.full((10, 1), 20),
        np.ones((10, 1), dtype=np.bool_),
        (of(3), of(20)),
        whole,
    )
    assert (float(outcome.orders[0]), float(outcome.ordered[0])) == (1.0, 17.0)


def test_a_day_without_review_orders_nothing() -> None:
    reviewed = np.array([[False], [True]])
    outcome = run_policy(
        Shelves.with_stock(
            of(
                0,
            ),
            2,
        ),
        np.ones((2, 1)),
        np.ones((2, 1), int),
        reviewed,
        (of(3), of(5)),
        whole,
    )
    assert float(outcome.orders[0]) == 1.0


@pytest.mark.parametrize(("s", "S", "holding", "short", "order", "mean"), [(4, 10, 1, 4, 5, 6), (2, 9, 1, 9, 20, 3)])
def test_the_simulated_cost_of_a_policy_is_the_exact_one(
    s: int, S: int, holding: float, short: float, order: float, mean: float
) -> None:
    days, items = 500, 400
    demand = np.random.default_rng(1).poisson(mean, (days, items)).astype(np.float64)
    shape = np.zeros((days, items), dtype=np.int64)
    shelves = Shelves.with_stock(np.full(items, float(S)), 0, backorders=True)
    levels = np.full(items, float(s)), np.full(items, float(S))
    outcome = run_policy(shelves, demand, shape, shape == 0, levels, whole)
    cost = holding * outcome.stock_days + short * outcome.backorder_days + order * outcome.orders
    exact = s_s_cost_discrete(s, S, holding, short, order, True, mean)
    assert cost.sum() / days / items == pytest.approx(exact, rel=0.01)
