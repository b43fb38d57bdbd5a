from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlp_builders import design
from panel_builders import axis, poisson_series, week, write_windows
from shelfcast import artefacts
from shelfcast.models import forecast
from shelfcast.models.mlp.forecaster import loads
from shelfcast.networks import scoring
from shelfcast.networks.scoring import QUANTILE_COLUMNS, NetworkScorer
from shelfcast.panel import FloatArray, Panel, densify
from shelfcast.scoring import SCORED_COLUMNS
from shelfcast.table import column_names
from shelfcast.training.communicator import Alone
from shelfcast.training.loop import Recipe
from shelfcast.training.networks import NetworkFit, fit_networks, read_words
from shelfcast.training.stream import Source

AXIS = axis(weeks=24)
ROWS = poisson_series(4, weeks=24)
CUTOFF = 20
RECIPE = Recipe("adam", epochs=2, learning_rate=0.01, warmup=0.5, weight_decay=0.0, patience=5, seed=3)


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> NetworkFit:
    folder = tmp_path_factory.mktemp("networks")
    words = [("store_id", "s1", 1), ("item_id", "p3", 1), ("item_id", "p0", 2), ("category_id", "c1", 1)]
    known = [("product", cutoff, *word) for cutoff in (week(19), week(23)) for word in words]
    extra = [("product", week(23), "item_id", "p9", 3), ("category", week(19), "item_id", "other", 1)]
    vocabulary = pd.DataFrame([*known, *extra], columns=["panel", "cutoff", "column", "value", "index"])
    vocabulary.sample(frac=1, random_state=1).to_parquet(folder / "words.parquet")
    return NetworkFit(
        panel="product",
        model="mlp",
        cutoff=week(CUTOFF - 1),
        source=Source(write_windows(ROWS, AXIS, range(10, 24), folder / "windows"), {}, 2, CUTOFF - 2, CUTOFF),
        vocabulary=(str(folder / "words.parquet"),),
        design=design(horizon=2, sizes=()),
        recipe=RECIPE,
        batch_size=16,
        country="US",
        artefact=f"{folder}/networks/mlp.zip",
        checkpoint=f"{folder}/staging/mlp.npz",
    )


@pytest.fixture(scope="module")
def fitted(fit: NetworkFit) -> NetworkFit:
    (outcome,) = fit_networks(Alone(), [fit], mixed_precision=False)
    assert (outcome.panel, outcome.model, outcome.cutoff, outcome.artefact) == (
        fit.panel,
        fit.model,
        fit.cutoff,
        fit.artefact,
    )
    # Four series at the origins 10 to 17.
    assert outcome.examples == 32
    assert len(outcome.epochs) == 2
    return fit


def test_words_are_those_of_panel_and_cutoff_in_the_order_of_their_codes(fit: NetworkFit) -> None:
    found = read_words(fit.vocabulary, "product", fit.cutoff)
    assert found == {"store_id": ["s1"], "item_id": ["p3", "p0"], "category_id": ["c1"]}
    assert read_words(fit.vocabulary, "product", week(23))["item_id"] == ["p3", "p0", "p9"]


def test_a_network_tells_what_it_is_made_of_and_trained_with(fit: NetworkFit) -> None:
    wanted = {"kind": "mlp", "horizon": "2", "optimizer": "adam", "batch_size": str(fit.batch_size)}
    assert wanted.items() <= fit.hyperparameters.items()
    assert "sizes" not in fit.hyperparameters


def test_what_was_fitted_forecasts_a_panel(fitted: NetworkFit) -> None:
    made = loads(artefacts.read_bytes(fitted.artefact))
    assert made.design.sizes == [2, 3, 2]
    assert made.non_negative
    assert (made.predict(densify(ROWS, AXIS), CUTOFF)[..., -1] > 0).all()


def test_a_training_that_is_over_is_not_done_again(fitted: NetworkFit) -> None:
    before = loads(artefacts.read_bytes(fitted.artefact)).network.get_weights()
    fit_networks(Alone(), [replace(fitted, recipe=replace(RECIPE, seed=99))], mixed_precision=False)
    after = loads(artefacts.read_bytes(fitted.artefact)).network.get_weights()
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def test_a_bucket_is_scored_by_mean_and_median(fitted: NetworkFit) -> None:
    scorer = NetworkScorer(AXIS, {("mlp", CUTOFF): fitted.artefact}, min_selling_weeks=1)
    found = scorer.score_bucket(ROWS)
    assert list(found) == [*column_names(SCORED_COLUMNS), *QUANTILE_COLUMNS]
    said = loads(artefacts.read_bytes(fitted.artefact)).predict(densify(ROWS, AXIS), CUTOFF)
    by_model = dict(iter(found.groupby("model")))
    np.testing.assert_allclose(by_model["mlp"]["y_hat"], said[..., -1].ravel(), rtol=1e-6)
    np.testing.assert_allclose(by_model["mlp_median"]["y_hat"], said[..., 1].ravel(), rtol=1e-6)
    np.testing.assert_array_equal(by_model["mlp"]["y"], densify(ROWS, AXIS).y[:, CUTOFF : CUTOFF + 2].ravel())
    assert set(found["cutoff"]) == {week(CUTOFF - 1)}


def test_series_that_have_not_sold_often_enough_are_not_scored(fitted: NetworkFit) -> None:
    scorer = NetworkScorer(AXIS, {("mlp", CUTOFF): fitted.artefact}, min_selling_weeks=99)
    found = scorer.score_bucket(ROWS)
    assert list(found) == [*column_names(SCORED_COLUMNS), *QUANTILE_COLUMNS]
    assert found.empty


def test_only_what_is_wanted_of_a_network_is_forecast(fitted: NetworkFit) -> None:
    at = {("mlp", CUTOFF): fitted.artefact}
    both = NetworkScorer(AXIS, at, 1).score_bucket(ROWS)
    medians = NetworkScorer(AXIS, at, 1, wanted={"mlp_median"}).score_bucket(ROWS)
    expected = both[both["model"] == "mlp_median"].reset_index(drop=True)
    pd.testing.assert_frame_equal(medians, expected)


def test_a_series_of_which_the_network_makes_no_number_has_its_fallback(
    fitted: NetworkFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = loads(artefacts.read_bytes(fitted.artefact)).predict

    def predict(panel: Panel, origin: int) -> FloatArray:
        said = own(panel, origin)
        said[1, 0, 2] = np.inf
        return said

    monkeypatch.setattr(scoring, "_load", lambda _: predict)
    scorer = NetworkScorer(AXIS, {("mlp", CUTOFF): fitted.artefact}, 1)
    found = scorer.score_bucket(ROWS)
    dense = densify(ROWS, AXIS)
    failed = found["item_id"] == dense.ids["item_id"].iloc[1]
    assert set(found.loc[failed, "fallback"]) == {"the network's numbers are not finite"}
    assert found.loc[~failed, "fallback"].isna().all()
    expected = forecast("moving_average", dense.until(CUTOFF), 2).values[1]
    for name in ("y_hat", *QUANTILE_COLUMNS):
        assert found.loc[failed & (found["model"] == "mlp"), name].to_numpy() == pytest.approx(expected)
    assert np.isfinite(found["y_hat"]).all()
