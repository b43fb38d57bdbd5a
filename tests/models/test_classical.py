import numpy as np
import pandas as pd
import pytest

from shelfcast.models import classical, forecast
from shelfcast.models.statistical import moving_average
from shelfcast.panel import FloatArray, Panel

MODELS = ("ets", "theta", "arima")


def panel_of(y: FloatArray, season: int = 13) -> Panel:
    ids = pd.DataFrame({"store_id": [f"s{n}" for n in range(len(y))], "item_id": "i"})
    return Panel(ids, np.datetime64("2017-01-02") + 7 * np.arange(y.shape[1]), y, season)


def demand(n: int = 3, weeks: int = 30, seed: int = 1) -> FloatArray:
    return np.random.default_rng(seed).poisson(20, (n, weeks)).astype(float)


@pytest.mark.parametrize("name", MODELS)
def test_forecasts_a_level_that_stays_near_it(name: str) -> None:
    values, errors = forecast(name, panel_of(demand()), 8)
    assert values.shape == (3, 8)
    assert list(errors) == ["", "", ""]
    assert np.abs(values - 20).mean() < 5


@pytest.mark.parametrize("name", ["ets", "theta"])
def test_follows_a_trend(name: str) -> None:
    y = np.arange(10.0, 50.0)[None, :] + np.random.default_rng(2).normal(0, 0.5, (1, 40))
    assert forecast(name, panel_of(y), 4).values[0, -1] > 48


def test_theta_finds_a_season() -> None:
    season = np.array([0, 0, 40, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0])
    y = 50 + np.tile(season, 4)[None, :] + np.random.default_rng(3).normal(0, 1, (1, 52))
    values = forecast("theta", panel_of(y), 8).values[0]
    assert values[2] > values[[0, 1, 3, 4, 5]].max() + 20


@pytest.mark.parametrize("name", MODELS)
def test_a_series_that_cannot_be_fitted_falls_back_and_says_why(name: str) -> None:
    y = demand(n=3)
    y[0] = np.nan
    y[1, :-1] = np.nan
    values, errors = forecast(name, panel_of(y), 4)
    np.testing.assert_allclose(values[0], 0.0)
    assert errors[0] == "ValueError: no period of the series is known"
    assert (errors[1] == "") or np.allclose(values[1], moving_average(panel_of(y), 4)[1])
    assert np.isfinite(values).all()
    assert errors[2] == ""


@pytest.mark.parametrize("y", [np.zeros(30), np.full(30, 7.0)], ids=["silent", "constant"])
@pytest.mark.parametrize("name", MODELS)
def test_a_series_that_never_changes_goes_on(name: str, y: FloatArray) -> None:
    np.testing.assert_allclose(forecast(name, panel_of(y[None, :]), 3).values, y[:3][None, :], atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_an_unknown_week_within_a_series_is_bridged(name: str) -> None:
    y = demand(n=1)
    y[0, :4], y[0, 20] = np.nan, np.nan
    values, errors = forecast(name, panel_of(y), 4)
    assert list(errors) == [""]
    assert np.abs(values - 20).mean() < 6


@pytest.mark.parametrize("broken", [ValueError("bad"), RuntimeError("internal\nmore"), ZeroDivisionError("zero")])
def test_one_series_that_fails_does_not_take_the_others_along(
    broken: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter([broken, None, None])

    def some_fail(*_: object) -> FloatArray:
        failure = next(calls)
        if failure is not None:
            raise failure
        return np.full(2, 5.0)

    monkeypatch.setattr(classical, "_forecast", some_fail)
    y = demand()
    values, errors = classical.ets(panel_of(y), 2)
    np.testing.assert_allclose(values[1:], 5.0)
    np.testing.assert_allclose(values[0], y[0, -13:].mean())
    assert list(errors) == [f"{type(broken).__name__}: {str(broken).splitlines()[0]}", "", ""]
