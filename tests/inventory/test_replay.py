import numpy as np
import pandas as pd
import pytest

from shelfcast.inventory.predictive import Draws
from shelfcast.inventory.protection import LeadTimes
from shelfcast.inventory.replay import Shop, at_equal, opening, replay, score
from shelfcast.inventory.rules import RULES, Known, as_before, least_cost, min_max, probabilistic, seasonal_normal
from shelfcast.inventory.shown import Shown
from shelfcast.inventory.variation import recent_dispersion

PROFILE = np.array([0.6, 0.7, 0.8, 1.0, 1.6, 1.6, 0.7]) / 7
SERIES, HISTORY, HELD_OUT = 120, 60, 26
GAPS = dict.fromkeys((3, 7, 10.0, 14, 21, 28, 30), 14.0)


def demand_of(weekly: np.ndarray, k: float, seed: int) -> np.ndarray:
    """Days by series of demand with these means, shape (weeks, series)."""
    rng = np.random.default_rng(seed)
    rates = weekly * rng.gamma(k, 1 / k, weekly.shape)
    return rng.poisson(rates.repeat(7, axis=0) * np.tile(PROFILE, len(weekly))[:, None]).astype(np.float64)


def leads_of(n: int) -> LeadTimes:
    return LeadTimes(np.tile([4, 8], (n, 1)), np.tile([0.5, 1.0], (n, 1)))


def known(past: np.ndarray, weekly: np.ndarray, **changes: object) -> Known:
    n = past.shape[1]
    quantity = np.maximum(np.rint(2 * weekly.mean(axis=1)), 1.0)
    draws, rng = Draws.make(300, weekly.shape[1], 0.0, 5), np.random.default_rng(6)
    shown = Shown(np.full(n, 20.0), np.full(n, 50.0), np.full(n, 7.0))
    ones, profile = np.ones(n), np.tile(PROFILE, (n, 1))
    varies = recent_dispersion(past, np.zeros((len(past) // 7, n), dtype=bool))
    money = 0.01 * ones, ones
    found = Known(past, weekly, profile, varies, leads_of(n), 7, quantity, ones, *money, 2.0, 28, 52,
                  draws, rng, GAPS, shown)  # fmt: skip
    return found._replace(**changes)


def test_the_shelves_are_reviewed_at_the_closing_of_a_week() -> None:
    shop = Shop(np.ones((21, 1)), np.full((21, 1), 2), np.ones(1), np.zeros(1))
    levels = [
        (np.array([10.0]), np.array([10.0])),
        (np.array([5.0]), np.array([12.0])),
        (np.array([0.0]), np.array([9.0])),
    ]
    outcome = replay(shop, levels, 0)
    # 10 less 7 is 3: 9 are ordered, which come after two days; then 5 are left, above 0.
    assert (outcome.ordered.tolist(), outcome.orders.tolist(), outcome.short_days.tolist()) == ([9.0], [1.0], [2.0])


def test_shelves_begin_anywhere_between_their_levels() -> None:
    found = opening((np.full(1000, 10.0), np.full(1000, 110.0)))
    assert found.min() >= 10
    assert np.quantile(found, [0.25, 0.5, 0.75]) == pytest.approx([35, 60, 85], abs=2)


def test_a_warm_up_is_run_and_not_counted() -> None:
    shop = Shop(np.ones((14, 2)), np.full((14, 2), 2), np.ones(2), np.zeros(2))
    levels = [(np.array([7.0, 20.0]), np.array([7.0, 20.0])), (np.array([0.0, 0.0]), np.array([7.0, 20.0]))]
    outcome = replay(shop, levels, 1)
    assert outcome.wanted.tolist() == [7.0, 7.0]
    assert outcome.short_days.tolist() == [2.0, 0.0]


def test_costs_add_up_from_stock_orders_and_what_was_not_there() -> None:
    shop = Shop(np.full((7, 1), 2.0), np.full((7, 1), 9), np.ones(1), np.zeros(1))
    outcome = replay(shop, [(np.array([10.0]), np.array([10.0]))], 0)
    found = score(outcome, 7, np.array([3.65]), np.array([1.5]), 2.0, 0.25)
    assert (found["wanted"], found["served"], found["short_days"], found["stock_days"]) == (14.0, 10.0, 2.0, 20.0)
    assert found["holding"] == pytest.approx(20 * 3.65 * 0.25 / 365)
    assert found["lost_margin"] == 6.0


def test_min_max_keeps_days_of_the_recent_mean() -> None:
    past = np.full((182, 1), 3.0)
    [(point, up_to)] = min_max(known(past, np.full((1, 4), 21.0)), [10.0])
    assert (point.tolist(), up_to.tolist()) == ([30.0], [72.0])


def test_where_money_decides_a_dearer_unit_is_kept_less_and_a_more_profitable_one_more() -> None:
    past, weekly = demand_of(np.full((HISTORY, 3), 10.0), 2.0, 4), np.full((3, 4), 10.0)
    past[:] = past[:, :1]
    money = {"holding": np.array([0.01, 0.1, 0.01]), "margin": np.array([1.0, 1.0, 4.0])}
    [(point, _), (twice, _)] = least_cost(known(past, weekly, **money), [1.0, 2.0])
    assert point[1] < point[0] < point[2]
    assert (point <= twice).all()


@pytest.mark.parametrize(
    ("order_cost", "margin"),
    [
        pytest.param(0.5, 3.0, id="an-order-costs-next-to-nothing"),
        pytest.param(20.0, 0.5, id="an-order-costs-much", marks=pytest.mark.slow),
    ],
)
def test_where_money_decides_hardly_another_pair_costs_less(order_cost: float, margin: float) -> None:
    weeks, copies, cost, rate = 300, 12, 5.0, 0.5
    demand = demand_of(np.full((weeks, copies), 10.0), 2.0, 11)
    lead = np.random.default_rng(12).choice([4, 8], demand.shape)
    shop = Shop(demand, lead, np.ones(copies), np.zeros(copies))

    def total(point: float, up_to: float) -> float:
        levels = np.full(copies, point), np.full(copies, up_to)
        outcome = replay(shop, [levels] * weeks, 10)
        every = np.full(copies, cost), np.full(copies, margin)
        found = score(outcome, 7 * (weeks - 10), *every, order_cost, rate)
        return float(found["holding"] + found["ordering"] + found["lost_margin"])

    money = {"holding": np.full(copies, cost * rate / 365), "margin": np.full(copies, margin)}
    money |= {"order_cost": order_cost, "longest": 1000}  # type: ignore[dict-item]
    [(point, up_to)] = least_cost(known(demand[:1400], np.full((copies, 4), 10.0), **money), [1.0])
    best = min(total(low, low + gap) for low in range(0, 50, 3) for gap in (1, 4, 8, 16, 30, 45, 60, 80, 110, 150))
    assert total(point.mean().round(), up_to.mean().round()) < 1.04 * best


def test_the_policy_of_before_orders_in_its_own_reviews_alone() -> None:
    shown = Shown(np.array([20.0, 20.0]), np.array([50.0, 50.0]), np.array([7.0, 14.0]))
    weeks = [known(np.ones((days, 2)), np.ones((2, 4)), shown=shown) for days in (182, 189)]
    points = [as_before(week, [1.5])[0][0].tolist() for week in weeks]
    assert points == [[30.0, 30.0], [30.0, -1.0]]
    assert as_before(weeks[0], [1.5])[0][1].tolist() == [60.0, 60.0]


def test_the_seasonal_rule_looks_at_the_weeks_of_a_season_ago() -> None:
    past = np.zeros((7 * 60, 1))
    past[7 * 8 : 7 * 10] = 5.0
    steady = known(past, np.full((1, 4), 35.0), leads=LeadTimes(np.array([[7]]), np.array([[1.0]])))
    [(point, _)] = seasonal_normal(steady, [0.5])
    # 14 days at 5 a day, half of the time enough without a safety stock.
    assert point.tolist() == [70.0]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("probabilistic", 0.8, 0.99), ("min_max", 3, 30), ("seasonal_normal", 0.8, 0.99), ("as_before", 0.5, 2)],
)
def test_a_rules_parameter_never_lowers_its_levels(name: str, low: float, high: float) -> None:
    weekly = np.exp(np.random.default_rng(2).uniform(0, 4, (1, SERIES))).repeat(HISTORY, axis=0)
    weeks = known(demand_of(weekly, 2.0, 3), weekly[:4].T)
    for below, above in zip(*RULES[name](weeks, [low, high]), strict=True):
        assert (below <= above).all()


def test_the_probabilistic_rule_serves_more_of_lumpy_and_seasonal_demand_at_equal_stock() -> None:
    rng = np.random.default_rng(8)
    base = np.exp(rng.uniform(np.log(2), np.log(40), SERIES))
    phase = 2 * np.pi * np.arange(HISTORY + HELD_OUT) / 52
    weekly = base * np.exp(0.5 * np.sin(phase[:, None] + rng.uniform(0, 6, SERIES)))
    demand = demand_of(weekly, 1.0, 9)
    lead = rng.choice([4, 8], (7 * HELD_OUT, SERIES))
    shop = Shop(demand[7 * HISTORY :], lead, np.ones(SERIES), np.zeros(SERIES))
    ahead = np.concatenate([weekly, np.repeat(weekly[-1:], 4, axis=0)])
    weeks = [known(demand[: 7 * now], ahead[now : now + 4].T) for now in range(HISTORY, HISTORY + HELD_OUT)]
    cost, margin = np.full(SERIES, 5.0), np.full(SERIES, 3.0)
    sweeps = {
        "probabilistic": (0.85, 0.9, 0.95, 0.98),
        "min_max": (7, 14, 21, 28),
        "seasonal_normal": (0.4, 0.8, 0.97, 0.995),
    }
    curves = {}
    for name, parameters in sweeps.items():
        levels = zip(*[RULES[name](one, parameters) for one in weeks], strict=True)
        outcomes = [replay(shop, of_parameter, 4) for of_parameter in levels]
        curves[name] = pd.DataFrame([score(found, 7 * (HELD_OUT - 4), cost, margin, 2.0, 0.25) for found in outcomes])
    middle = curves["probabilistic"].iloc[2]
    for other in ("min_max", "seasonal_normal"):
        assert middle["short_days"] < 0.9 * at_equal(curves[other], "stock_days", middle["stock_days"], "short_days")


def test_a_curve_says_nothing_beyond_its_ends() -> None:
    curve = pd.DataFrame({"stock_days": [30.0, 10.0], "short_days": [2.0, 6.0]})
    assert at_equal(curve, "stock_days", 20.0, "short_days") == 4.0
    assert np.isnan(at_equal(curve, "stock_days", 40.0, "short_days"))


def test_the_probabilistic_rule_reads_the_weeks_ahead() -> None:
    past = demand_of(np.full((HISTORY, 2), 10.0), 2.0, 4)
    quiet, busy = np.full((1, 4), 10.0), np.full((1, 4), 30.0)
    [(point, _)] = probabilistic(known(past, np.concatenate([quiet, busy])), [0.95])
    assert point[1] > 2 * point[0]
