import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsforecast.models import TSB

from shelfcast.models import statistical
from shelfcast.models.statistical import SMOOTHING, smoothed_sales
from shelfcast.panel import FloatArray, Panel

N = np.nan
Model = Callable[[Panel, int], FloatArray]
MODELS: dict[str, Model] = {
    name: getattr(statistical, name)
    for name in (
        *("zero", "naive", "seasonal_naive", "moving_average", "moving_median", "exponential_smoothing", "croston"),
        *("tsb", "seasonal_growth", "seasonal_pool", "seasonal_blend"),
    )
}


def panel_of(y: object, season: int = 4) -> Panel:
    values = np.asarray(y, dtype=np.float64)
    ids = pd.DataFrame({"store_id": [f"s{n}" for n in range(len(values))], "item_id": "i"})
    return Panel(ids, np.datetime64("2017-01-02") + 7 * np.arange(values.shape[1]), values, season)


@pytest.mark.parametrize(
    ("name", "y", "expected"),
    [
        pytest.param("zero", [3.0, 4.0], [0.0, 0.0], id="zero-says-nothing-sells"),
        pytest.param("naive", [3.0, 4.0, N], [4.0, 4.0], id="naive-repeats-the-last-known"),
        pytest.param("moving_average", [N, 2.0, 6.0], [4.0, 4.0], id="moving-average-of-what-is-known"),
        pytest.param("moving_average", [99.0, *[1.0] * 12, 14.0], [2.0, 2.0], id="moving-average-of-thirteen"),
        pytest.param("moving_median", [0.0, 0.0, 9.0], [0.0, 0.0], id="moving-median-of-a-thin-series-is-zero"),
        pytest.param(
            "seasonal_naive", [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 3.0], id="seasonal-naive-repeats-the-last-season"
        ),
        pytest.param("seasonal_naive", [1.0, 2.0, 3.0], [2.0, 1.0], id="seasonal-naive-without-one-is-the-average"),
        pytest.param("croston", [0.0, 0.0, 0.0], [0.0, 0.0], id="croston-of-nothing-is-nothing"),
        pytest.param("tsb", [5.0, 5.0, 5.0], [5.0, 5.0], id="tsb-of-a-steady-sale-is-it"),
    ],
)
def test_says_of_a_short_series(name: str, y: list[float], expected: list[float]) -> None:
    forecast = MODELS[name](panel_of([y]), 2)
    np.testing.assert_allclose(forecast, [expected])


@pytest.mark.parametrize("name", MODELS)
def test_a_series_without_a_known_period_is_forecast_zero(name: str) -> None:
    y = np.full((2, 30), N)
    y[1] = 3.0
    forecast = MODELS[name](panel_of(y), 3)
    assert (forecast[0] == 0).all()
    np.testing.assert_allclose(forecast[1], 0.0 if name == "zero" else 3.0)


demands = arrays(np.float64, (3, 20), elements=st.one_of(st.floats(0.01, 1000), st.just(N), st.just(0.0)))


@settings(deadline=None, max_examples=30)
@given(demands, st.integers(1, 9))
@pytest.mark.parametrize("name", MODELS)
def test_a_forecast_is_finite_and_within_what_was_sold_before_or_grown(name: str, y: FloatArray, horizon: int) -> None:
    forecast = MODELS[name](panel_of(y), horizon)
    assert forecast.shape == (3, horizon)
    assert np.isfinite(forecast).all()
    assert (forecast >= 0).all()


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("seasonal_pool", "seasonal_blend")])
def test_a_series_is_forecast_alone_as_among_others(name: str) -> None:
    y = np.random.default_rng(1).poisson(2, (5, 30)).astype(float)
    together = MODELS[name](panel_of(y), 6)
    alone = np.concatenate([MODELS[name](panel_of(series[None, :]), 6) for series in y])
    np.testing.assert_allclose(together, alone)


@pytest.mark.parametrize("name", MODELS)
def test_leading_unknown_weeks_change_nothing(name: str) -> None:
    y = np.random.default_rng(2).poisson(3, (2, 40)).astype(float)
    longer = np.concatenate([np.full((2, 15), N), y], axis=1)
    np.testing.assert_allclose(MODELS[name](panel_of(longer), 5), MODELS[name](panel_of(y), 5))


def slow_smoothing(series: FloatArray, constant: float) -> tuple[float, float]:
    level, loss = float(np.mean(series[:13])), 0.0
    for value in series:
        loss += (value - level) ** 2
        level = constant * value + (1 - constant) * level
    return level, loss


def slow_croston(series: FloatArray, constant: float) -> tuple[float, float]:
    size, interval, waited, loss = N, N, 1, 0.0
    for value in series:
        if not np.isnan(size):
            loss += (value - size / interval) ** 2
        if value != 0:
            size, interval = (
                (value, waited)
                if np.isnan(size)
                else (size + constant * (value - size), interval + constant * (waited - interval))
            )
            waited = 1
        else:
            waited += 1
    return size / interval, loss


@pytest.mark.parametrize(("name", "slow"), [("exponential_smoothing", slow_smoothing), ("croston", slow_croston)])
def test_smooths_as_a_slow_loop_with_the_constant_of_least_loss(
    name: str, slow: Callable[[FloatArray, float], tuple[float, float]]
) -> None:
    y = np.random.default_rng(3).poisson(0.8, (20, 40)).astype(float)
    wanted = [min((slow(series, constant) for constant in SMOOTHING), key=lambda found: found[1])[0] for series in y]
    np.testing.assert_allclose(MODELS[name](panel_of(y), 1)[:, 0], wanted)


def test_croston_equals_statsforecasts() -> None:
    models = pytest.importorskip("statsforecast.models")
    y = np.random.default_rng(4).poisson(0.5, 60).astype(float)
    theirs = models.CrostonClassic().forecast(y=y, h=1)["mean"][0]
    assert slow_croston(y, 0.1)[0] == pytest.approx(theirs, rel=1e-6)


def test_tsb_decays_while_nothing_sells_and_croston_does_not() -> None:
    y = np.zeros((1, 52))
    y[0, :26:2] = 6.0
    assert MODELS["tsb"](panel_of(y), 1)[0, 0] < 0.6
    assert MODELS["croston"](panel_of(y), 1)[0, 0] > 2.0


def test_seasonal_blend_is_between_its_two_halves() -> None:
    y = np.random.default_rng(5).uniform(1, 9, (4, 30))
    halves = [MODELS[name](panel_of(y), 6) for name in ("seasonal_growth", "seasonal_pool")]
    np.testing.assert_allclose(MODELS["seasonal_blend"](panel_of(y), 6), np.mean(halves, axis=0))


@pytest.mark.parametrize("name", MODELS)
def test_is_quick_for_twenty_three_thousand_series_of_a_year(name: str) -> None:
    panel = panel_of(np.random.default_rng(6).poisson(0.5, (23_000, 52)), season=13)
    started = time.process_time()
    MODELS[name](panel, 8)
    assert time.process_time() - started < 2.0


def test_tsb_with_the_constants_and_the_start_of_statsforecast_has_its_numbers() -> None:
    rng = np.random.default_rng(27)
    y = rng.poisson(0.7, (40, 60)) * rng.integers(1, 5, (40, 60)).astype(float)
    first_sale = np.take_along_axis(y, np.argmax(y > 0, axis=1)[:, None], axis=1)
    first_chance = (y[:, :1] > 0).astype(float)
    _, level = smoothed_sales(y, first_sale, first_chance, np.array([(0.1, 0.2)]))
    theirs = [TSB(alpha_d=0.1, alpha_p=0.2).forecast(y=series, h=1)["mean"][0] for series in y]
    np.testing.assert_allclose(level[:, 0], theirs, rtol=1e-12)
