import numpy as np
import pandas as pd
import pytest

from shelfcast.errors import ConfigError, NotEnoughHistoryError
from shelfcast.models import MODELS, forecast, sklearn_models, spec
from shelfcast.panel import FloatArray, Panel
from shelfcast.settings import names


def panel_of(y: FloatArray, season: int = 13) -> Panel:
    ids = pd.DataFrame({"store_id": [f"s{n}" for n in range(len(y))], "item_id": "i"})
    return Panel(ids, np.datetime64("2017-01-02") + 7 * np.arange(y.shape[1]), y, season)


def test_every_scikit_learn_model_has_its_regressor_and_none_is_left_over() -> None:
    named = {name for name, model in MODELS.items() if model.library == "scikit-learn"}
    assert named == set(sklearn_models.REGRESSORS)


def test_a_configuration_may_name_every_model_and_no_other() -> None:
    assert {*MODELS} == {*names.MODELS}


def test_a_model_that_aims_at_the_median_is_fitted_by_the_absolute_error() -> None:
    medians = {name for name in sklearn_models.REGRESSORS if sklearn_models.REGRESSORS[name].median}
    assert medians == {name for name in sklearn_models.REGRESSORS if spec(name).minimises == "median"}


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.library == "numpy"])
def test_a_statistical_model_forecasts_every_series(name: str) -> None:
    y = np.random.default_rng(1).poisson(3, (4, 30)).astype(float)
    values, errors = forecast(name, panel_of(y), 5)
    assert values.shape == (4, 5)
    assert list(errors) == [""] * 4


@pytest.mark.parametrize(("name", "weeks"), [("seasonal_naive", 25), ("arima", 25), ("naive", 0)])
def test_too_short_a_history_is_said_and_not_forecast(name: str, weeks: int) -> None:
    with pytest.raises(NotEnoughHistoryError, match=rf"{name}: not enough history: {weeks} periods, wanted \d+"):
        forecast(name, panel_of(np.ones((1, weeks))), 2)


@pytest.mark.parametrize(("name", "periods"), [("seasonal_naive", 26), ("arima", 26), ("theta", 1), ("lasso", 1)])
def test_a_seasonal_model_needs_two_seasons(name: str, periods: int) -> None:
    assert spec(name).minimum_history(13) == periods


def test_an_unknown_name_is_a_config_error_that_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="found 'prophet', wanted one of zero, naive"):
        forecast("prophet", panel_of(np.ones((1, 9))), 2)


def test_a_model_of_examples_does_not_forecast_a_panel() -> None:
    with pytest.raises(ConfigError, match="lasso is trained on examples"):
        forecast("lasso", panel_of(np.ones((1, 9))), 2)


@pytest.mark.parametrize(("low", "least"), [(0.0, 0.0), (-1.0, None)])
def test_a_forecast_is_below_zero_only_where_demand_was(low: float, least: float | None) -> None:
    # A falling line: theta follows it below zero.
    y = np.linspace(30, 0.5, 30)[None, :]
    y[0, -1] = low if low < 0 else y[0, -1]
    values = forecast("theta", panel_of(y), 8).values
    assert values.min() == 0.0 if least == 0.0 else values.min() < 0
