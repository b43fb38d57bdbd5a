import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfcast.metrics import Metric, rmse, wape
from shelfcast.models.ensemble import ROUNDS, select_weights
from shelfcast.panel import FloatArray


def noisy(count: int, seed: int = 1) -> tuple[FloatArray, dict[str, FloatArray]]:
    """A demand, and forecasts of it that err more the later they come."""
    draw = np.random.default_rng(seed)
    y = draw.uniform(5, 50, (30, 8))
    return y, {f"m{n}": y + draw.normal(0, 4 + n, y.shape) for n in range(count)}


def combine(forecasts: dict[str, FloatArray], weights: dict[str, float]) -> FloatArray:
    """As ensembles.average makes it in Spark."""
    return np.asarray(sum(weight * forecasts[name] for name, weight in weights.items()))


def test_a_perfect_member_gets_all_the_weight() -> None:
    y, forecasts = noisy(3)
    assert select_weights(y, forecasts | {"oracle": y}) == {"oracle": 1.0}


def test_the_average_beats_each_of_its_members() -> None:
    y, forecasts = noisy(4)
    weights = select_weights(y, forecasts)
    assert wape(y, combine(forecasts, weights)) < min(wape(y, member) for member in forecasts.values())


def test_two_that_err_to_opposite_sides_share() -> None:
    y = np.full((2, 3), 10.0)
    assert select_weights(y, {"high": y + 2, "low": y - 2, "wild": y + 9}) == {"high": 0.5, "low": 0.5}


def test_nothing_sells_as_a_member_draws_a_forecast_that_is_too_high_down() -> None:
    y = np.full((2, 3), 9.0)
    weights = select_weights(y, {"high": np.full((2, 3), 10.0), "zero": np.zeros((2, 3))})
    assert weights["zero"] == pytest.approx(0.1)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 5), st.integers(0, 9), st.sampled_from([wape, rmse]))
def test_weights_are_shares_of_known_members_and_no_worse_than_the_best(count: int, seed: int, metric: Metric) -> None:
    y, forecasts = noisy(count, seed)
    weights = select_weights(y, forecasts, metric)
    assert sum(weights.values()) == pytest.approx(1)
    assert set(weights) <= set(forecasts)
    assert all(weight * ROUNDS == pytest.approx(round(weight * ROUNDS)) for weight in weights.values())
    assert metric(y, combine(forecasts, weights)) <= min(metric(y, member) for member in forecasts.values()) * 1.01


def test_the_order_of_the_members_changes_nothing() -> None:
    y, forecasts = noisy(4)
    assert select_weights(y, dict(reversed(forecasts.items()))) == select_weights(y, forecasts)


def test_no_more_members_than_asked_for() -> None:
    y, forecasts = noisy(6)
    assert len(select_weights(y, forecasts, most=6)) > 2
    assert len(select_weights(y, forecasts, most=2)) == 2


def test_unknown_demand_chooses_nothing() -> None:
    y, forecasts = noisy(3)
    y[:5] = np.nan
    known = {name: member[5:] for name, member in forecasts.items()}
    assert select_weights(y, forecasts) == select_weights(y[5:], known)
