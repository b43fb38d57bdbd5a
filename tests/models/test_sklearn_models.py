import numpy as np
import pandas as pd
import pytest

from shelfcast.errors import ConfigError
from shelfcast.features import known_targets, make_examples, share_of
from shelfcast.metrics import wape
from shelfcast.models.encoder import fit_encoder
from shelfcast.models.sklearn_models import REGRESSORS, FittedModel, fit, predict
from shelfcast.models.statistical import moving_average, zero
from shelfcast.panel import FloatArray, Panel

CUTOFF, HORIZON, SEASON = 40, 4, 13


def counts(n: int = 40, weeks: int = 48, seed: int = 1) -> FloatArray:
    levels = np.random.default_rng(seed).gamma(1.0, 6.0, n)
    return np.random.default_rng(seed + 1).poisson(levels[:, None], (n, weeks)).astype(float)


def panel_of(y: FloatArray) -> Panel:
    rows = range(len(y))
    ids = pd.DataFrame({"store_id": [f"s{n % 5}" for n in rows], "item_id": [f"i{n // 5}" for n in rows]})
    return Panel(ids, np.datetime64("2017-01-02") + 7 * np.arange(y.shape[1]), y, SEASON)


def trained(name: str, panel: Panel, seed: int = 3) -> FittedModel:
    origins = range(6, CUTOFF)
    share = share_of(3000, len(panel) * known_targets(CUTOFF, origins, HORIZON))
    examples = make_examples(panel.until(CUTOFF), origins, HORIZON, share, seed)
    return fit(name, examples, fit_encoder(examples), seed)


def ahead(panel: Panel, series: list[int] | None = None) -> pd.DataFrame:
    chosen = panel if series is None else panel.take(np.array(series))
    return make_examples(chosen.until(CUTOFF), [CUTOFF], HORIZON)


@pytest.mark.parametrize("name", REGRESSORS)
def test_forecasts_a_level_about_as_well_as_its_average_and_better_than_nothing(name: str) -> None:
    panel = panel_of(counts())
    y = panel.y[:, CUTOFF : CUTOFF + HORIZON]
    y_hat = predict(trained(name, panel), ahead(panel)).reshape(y.shape)
    slack = 1.25 if name == "knn5" else 1.1
    assert wape(y, y_hat) < slack * wape(y, moving_average(panel.until(CUTOFF), HORIZON))
    assert wape(y, y_hat) < wape(y, zero(panel, HORIZON))


@pytest.mark.parametrize("name", REGRESSORS)
def test_the_same_seed_and_rows_give_the_same_forecasts(name: str) -> None:
    panel = panel_of(counts())
    one, other = (predict(trained(name, panel), ahead(panel)) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", REGRESSORS)
def test_scoring_some_items_gives_what_scoring_all_gives(name: str) -> None:
    panel = panel_of(counts())
    fitted = trained(name, panel)
    # five series an item: the stores of an item share its seasonal profile
    parts = [predict(fitted, ahead(panel, list(part))) for part in (range(10), range(10, 40))]
    np.testing.assert_allclose(np.concatenate(parts), predict(fitted, ahead(panel)), rtol=1e-9)


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_store_and_an_item_never_seen_are_forecast_all_the_same(name: str) -> None:
    panel = panel_of(counts())
    rows = ahead(panel).assign(store_id="new", item_id="new")
    assert np.isfinite(predict(trained(name, panel), rows)).all()


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_series_that_has_not_sold_is_forecast_zero(name: str) -> None:
    y = counts()
    y[7, :CUTOFF] = 0.0
    panel = panel_of(y)
    y_hat = predict(trained(name, panel), ahead(panel)).reshape(-1, HORIZON)
    assert (y_hat[7] == 0).all()


@pytest.mark.parametrize("name", ["lasso", "hist_gradient_boosting"])
def test_a_forecast_may_be_below_zero_only_where_demand_was(name: str) -> None:
    falling = np.linspace(20, -8, 48)[None, :] + np.random.default_rng(1).normal(0, 0.3, (40, 48))
    below = predict(trained(name, panel_of(falling)), ahead(panel_of(falling)))
    never = predict(trained(name, panel_of(np.maximum(falling, 0))), ahead(panel_of(np.maximum(falling, 0))))
    assert (below < 0).any()
    assert (never >= 0).all()


def test_the_median_of_a_count_is_whole_and_that_of_a_weight_is_not() -> None:
    y = counts()
    y[1] += 0.5
    panel = panel_of(y)
    y_hat = predict(trained("hist_gradient_boosting_median", panel), ahead(panel)).reshape(-1, HORIZON)
    counted = np.arange(len(y)) != 1
    assert (y_hat[counted] % 1 == 0).all()
    assert (y_hat[1] % 1 != 0).any()


def test_a_mean_is_not_rounded() -> None:
    panel = panel_of(counts())
    assert (predict(trained("hist_gradient_boosting", panel), ahead(panel)) % 1 != 0).any()


def test_the_median_of_thin_series_is_below_their_mean() -> None:
    panel = panel_of(np.random.default_rng(2).poisson(0.4, (200, 48)).astype(float))
    means = {name: predict(trained(name, panel), ahead(panel)).mean() for name in REGRESSORS if name.startswith("hist")}
    assert means["hist_gradient_boosting_median"] < 0.1
    assert means["hist_gradient_boosting"] == pytest.approx(0.4, abs=0.1)


def test_a_week_in_which_all_series_rise_is_not_taken_for_a_rule() -> None:
    # Every fourth origin is followed by a week of double demand: an accident that the step tells apart from no other.
    y = counts(n=60)
    y[:, 20:CUTOFF:2] *= 1.5
    panel = panel_of(y)
    model = trained("hist_gradient_boosting", panel)
    total = predict(model, ahead(panel)).sum() / HORIZON
    level = y[:, CUTOFF - 13 : CUTOFF].mean(axis=1).sum()
    assert total == pytest.approx(level, rel=0.05)


def test_last_season_is_corrected_where_it_is_nearer_than_the_level() -> None:
    season = np.random.default_rng(5).uniform(0.3, 3, SEASON)
    levels = np.random.default_rng(6).uniform(50, 500, 40)
    seasonal = panel_of(levels[:, None] * np.tile(season, 4)[None, :48])
    fitted = trained("lasso", seasonal)
    y = seasonal.y[:, CUTOFF : CUTOFF + HORIZON]
    assert fitted.seasonal
    assert wape(y, predict(fitted, ahead(seasonal)).reshape(y.shape)) < 0.02
    assert not trained("lasso", panel_of(counts())).seasonal


def test_large_series_weigh_by_their_scale() -> None:
    levels = np.array([1000.0] + [1.0] * 39)
    draw = np.random.default_rng(7)
    # The large series doubles in the weeks ahead of each origin, the small ones stay: their average is not even.
    y = levels[:, None] * (1 + 0.05 * np.outer(levels > 1, np.arange(48))) * draw.uniform(0.99, 1.01, (40, 48))
    panel = panel_of(y)
    truth = panel.y[:, CUTOFF : CUTOFF + HORIZON]
    y_hat = predict(trained("hist_gradient_boosting", panel), ahead(panel)).reshape(truth.shape)
    assert abs(y_hat[0] / truth[0] - 1).max() < 0.15


def test_an_unknown_name_is_a_config_error() -> None:
    examples = make_examples(panel_of(counts(5)), [20], 2)
    with pytest.raises(ConfigError, match="no scikit-learn model 'xgboost'; wanted one of linear"):
        fit("xgboost", examples, fit_encoder(examples), 1)
