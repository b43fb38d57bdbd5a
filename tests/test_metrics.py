import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as sk
from utilsforecast import losses

from benchmarks.scores import paired_bootstrap
from shelfcast import metrics
from shelfcast.panel import FloatArray

SHAPE = (4, 6)
units = st.floats(-50, 500, allow_nan=False).map(lambda value: round(value, 2))
demands = arrays(np.float64, SHAPE, elements=st.one_of(units, st.just(0.0)))


def random_demand(seed: int = 3) -> tuple[FloatArray, FloatArray]:
    draw = np.random.default_rng(seed)
    return draw.poisson(3, SHAPE).astype(float), draw.gamma(2, 1.5, SHAPE)


def slow(name: str, y: FloatArray, y_hat: FloatArray) -> float:
    """Each metric by a loop over the known pairs, as its definition reads."""
    pairs = [(float(t), float(f)) for t, f in zip(y.ravel(), y_hat.ravel(), strict=True) if not math.isnan(t)]
    mean, mean_hat = (sum(pair[side] for pair in pairs) / len(pairs) for side in (0, 1))
    squares = sum((f - t) ** 2 for t, f in pairs)
    spread, spread_hat = sum((t - mean) ** 2 for t, _ in pairs), sum((f - mean_hat) ** 2 for _, f in pairs)
    selling = [abs((f - t) / t) for t, f in pairs if t != 0]
    return {
        "wape": sum(abs(f - t) for t, f in pairs) / sum(abs(t) for t, _ in pairs),
        "mae": sum(abs(f - t) for t, f in pairs) / len(pairs),
        "rmse": math.sqrt(squares / len(pairs)),
        "bias": sum(f - t for t, f in pairs) / sum(t for t, _ in pairs),
        "r2": 1 - squares / spread,
        "rae": sum(abs(f - t) for t, f in pairs) / sum(abs(t - mean) for t, _ in pairs),
        "rrse": math.sqrt(squares / spread),
        "mape": sum(selling) / len(selling),
        "correlation": sum((t - mean) * (f - mean_hat) for t, f in pairs) / math.sqrt(spread * spread_hat),
    }[name]


@pytest.mark.parametrize("name", metrics.METRICS)
def test_a_metric_equals_the_slow_loop_over_what_is_known(name: str) -> None:
    y, y_hat = random_demand()
    y[1, 2:4] = np.nan
    assert metrics.METRICS[name](y, y_hat) == pytest.approx(slow(name, y, y_hat), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("mae", sk.mean_absolute_error),
        ("rmse", sk.root_mean_squared_error),
        ("r2", sk.r2_score),
    ],
)
def test_a_metric_equals_scikit_learns(name: str, theirs: metrics.Metric) -> None:
    y, y_hat = random_demand(5)
    assert metrics.METRICS[name](y, y_hat) == pytest.approx(theirs(y.ravel(), y_hat.ravel()), rel=1e-12)


def test_rmsse_and_pinball_equal_utilsforecasts() -> None:
    y, y_hat = random_demand(7)
    history = np.random.default_rng(8).poisson(3, (len(y), 20)).astype(float)
    future, past = _long(y, y_hat), _long(history, history).drop(columns="model")
    season = 4
    squared = losses.rmsse(future, ["model"], seasonality=season, train_df=past)["model"].mean()
    quantile = losses.quantile_loss(future, {"model": "model"}, q=0.9)["model"].mean()
    assert metrics.rmsse(y, y_hat, history, season) == pytest.approx(squared, rel=1e-9)
    assert metrics.pinball(y, y_hat, 0.9) == pytest.approx(quantile, rel=1e-9)


def _long(y: FloatArray, y_hat: FloatArray) -> pd.DataFrame:
    n, periods = y.shape
    key = {"unique_id": np.repeat(np.arange(n), periods), "ds": np.tile(np.arange(periods), n)}
    return pd.DataFrame(key | {"y": y.ravel(), "model": y_hat.ravel()})


def test_a_series_that_never_changed_has_no_scale_and_is_left_out() -> None:
    history = np.array([[2.0, 2.0, 2.0], [1.0, 3.0, 5.0]])
    assert metrics.rmsse(np.array([[9.0], [4.0]]), np.array([[1.0], [3.0]]), history) == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("wape", 1.0), ("bias", -1.0), ("mape", 1.0), ("mae", 4 / 3)],
)
def test_an_all_zero_forecast_scores_what_nothing_is_worth(name: str, expected: float) -> None:
    y = np.array([[0.0, 3.0, 1.0]])
    assert metrics.METRICS[name](y, np.zeros_like(y)) == pytest.approx(expected)


@pytest.mark.parametrize("name", metrics.METRICS)
def test_without_any_known_demand_a_metric_is_not_a_number(name: str) -> None:
    assert math.isnan(metrics.METRICS[name](np.full((2, 3), np.nan), np.ones((2, 3))))


@pytest.mark.parametrize("name", metrics.METRICS)
def test_a_forecast_that_is_missing_where_demand_is_known_is_not_passed_over(name: str) -> None:
    y, y_hat = np.array([[1.0, 2.0, 4.0]]), np.array([[1.0, np.nan, 3.0]])
    assert math.isnan(metrics.METRICS[name](y, y_hat))


def test_mape_leaves_out_zeros_and_says_how_many() -> None:
    y, y_hat = np.array([0.0, 2.0, 0.0, np.nan, 4.0]), np.array([9.0, 1.0, 9.0, 9.0, 5.0])
    assert metrics.mape(y, y_hat) == pytest.approx((0.5 + 0.25) / 2)
    assert metrics.mape_left_out(y) == 2


def test_pinball_asks_nine_times_more_of_a_p90_that_is_too_low() -> None:
    y = np.array([10.0])
    low, high = metrics.pinball(y, y - 1, 0.9), metrics.pinball(y, y + 1, 0.9)
    assert (low, high) == (pytest.approx(0.9), pytest.approx(0.1))


@settings(deadline=None)
@given(demands, demands)
def test_wape_is_never_negative_and_zero_only_for_the_demand_itself(y: FloatArray, y_hat: FloatArray) -> None:
    if np.abs(y).sum() > 0:
        assert (metrics.wape(y, y_hat) == 0) == bool((y == y_hat).all())
        assert metrics.wape(y, y_hat) >= 0


@settings(deadline=None)
@given(demands, st.integers(0, 99))
def test_a_forecast_does_not_differ_from_itself(y: FloatArray, seed: int) -> None:
    y = np.abs(y) + 1
    assert paired_bootstrap(y, y + 1, y + 1, np.arange(4), seed, draws=50) == (0, 0, 0)


def test_the_bootstrap_equals_drawing_whole_stores_one_by_one() -> None:
    draw = np.random.default_rng(1)
    y, stores = draw.poisson(20, (60, 8)).astype(float), np.repeat(np.arange(12), 5)
    a, b = y + draw.normal(0, 6, y.shape), y + draw.normal(0, 5, y.shape)
    by_store = [(stores == store) for store in range(12)]
    slow_draws = []
    for _ in range(3000):
        rows = np.concatenate([np.flatnonzero(by_store[store]) for store in draw.integers(0, 12, 12)])
        slow_draws.append(metrics.wape(y[rows], a[rows]) - metrics.wape(y[rows], b[rows]))
    interval = paired_bootstrap(y, a, b, stores, seed=2, draws=3000)
    assert interval.difference == pytest.approx(metrics.wape(y, a) - metrics.wape(y, b))
    width = interval.upper - interval.lower
    assert (interval.lower, interval.upper) == pytest.approx(
        tuple(np.quantile(slow_draws, [0.025, 0.975])), abs=0.06 * width
    )


def test_the_interval_holds_the_truth_nineteen_times_in_twenty() -> None:
    draw = np.random.default_rng(4)
    stores, held = np.repeat(np.arange(40), 3), 0
    for run in range(300):
        y = np.full((120, 4), 10.0)
        common = draw.normal(0, 2, 40)[stores][:, None]
        a, b = y + 3 + common, y + 3 + draw.normal(0, 1, 40)[stores][:, None]
        interval = paired_bootstrap(y, a, b, stores, seed=run, draws=300)
        held += interval.lower <= _expected_difference() <= interval.upper
    assert 0.90 <= held / 300 <= 0.98


def _expected_difference() -> float:
    """E|3 + 2z| - E|3 + z| over a demand of 10."""
    z = np.random.default_rng(0).normal(size=1_000_000)
    return float((np.abs(3 + 2 * z).mean() - np.abs(3 + z).mean()) / 10)


def test_an_unknown_week_is_left_out_of_both_sides() -> None:
    y = np.array([[10.0, np.nan], [10.0, 10.0]])
    a, b = np.array([[12.0, 99.0], [10.0, 10.0]]), np.full((2, 2), 10.0)
    assert paired_bootstrap(y, a, b, np.array(["x", "x"]), seed=0).difference == pytest.approx(2 / 30)


def test_a_narrower_interval_lies_within_the_wider_and_both_hold_the_share_itself() -> None:
    draw = np.random.default_rng(2)
    whole = draw.uniform(1, 2, 12)
    saved = draw.normal(0.1, 0.3, 12)
    wide, narrow = (metrics.bootstrap_of_sums(whole, whole - saved, whole, 3, share) for share in (0.95, 0.5))
    assert wide.difference == narrow.difference == pytest.approx(saved.sum() / whole.sum())
    assert wide.lower < narrow.lower < narrow.difference < narrow.upper < wide.upper


def test_the_difference_of_two_rmse_and_its_interval_are_those_of_drawing_whole_stores() -> None:
    draw = np.random.default_rng(3)
    rows = draw.integers(4, 12, 15).astype(float)
    a, b = (rows * draw.gamma(2, scale, 15) for scale in (3, 2))
    found = metrics.bootstrap_of_roots(a, b, rows, seed=4, draws=4000)
    assert found.difference == pytest.approx(np.sqrt(a.sum() / rows.sum()) - np.sqrt(b.sum() / rows.sum()), rel=1e-12)
    slow = []
    for _ in range(4000):
        chosen = draw.integers(0, 15, 15)
        whole = rows[chosen].sum()
        slow.append(np.sqrt(a[chosen].sum() / whole) - np.sqrt(b[chosen].sum() / whole))
    width = found.upper - found.lower
    assert (found.lower, found.upper) == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])), abs=0.06 * width)


def test_of_nothing_nothing_is_saved() -> None:
    nothing = np.zeros(3)
    for bootstrap in (metrics.bootstrap_of_sums, metrics.bootstrap_of_roots):
        assert bootstrap(nothing, nothing, nothing, seed=1) == (0, 0, 0)
