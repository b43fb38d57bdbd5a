"""A chain in which one store differs: its promotions treble what sells, elsewhere they change nothing."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession

from builders import frame
from mlp_builders import design
from panel_builders import PANEL, axis, week, windows_of
from shelfcast import artefacts
from shelfcast.models.mlp.forecaster import Forecaster, dumps, loads
from shelfcast.models.mlp.head import split
from shelfcast.models.mlp.network import make_network
from shelfcast.networks.heads import (
    HEAD_COLUMNS,
    TRIAL_COLUMNS,
    StoreHeads,
    with_kept_heads,
)
from shelfcast.networks.verdicts import VERDICT_COLUMNS, judge_bucket
from shelfcast.panel import densify
from shelfcast.schemas import NETWORK_BACKTESTS
from shelfcast.table import column_names
from shelfcast.training.fine_tuning import HeadTrainer, activate, read_windows
from shelfcast.training.loop import Recipe

ITEMS, ODD, PLAIN = 8, "odd", tuple(f"plain{n:02}" for n in range(20))
CUTOFFS = (40, 46, 52)
AXIS = axis(weeks=58, horizon=6, season=13)
LAST = week(CUTOFFS[-1] - 1)
DATES = [week(cutoff - 1) for cutoff in CUTOFFS]
RECIPE = Recipe("adam", epochs=4, learning_rate=0.01, warmup=0.0, weight_decay=0.0, patience=1, seed=3)


def chain() -> pd.DataFrame:
    """Rows of features/panel_demand: Poisson demand of every item in every store, promoted at random weeks."""
    draw = np.random.default_rng(11)
    weeks = len(AXIS.weeks)
    levels, parts = draw.uniform(4, 12, ITEMS), []
    for store in (ODD, *PLAIN):
        promoted = draw.random((ITEMS, weeks)) < 0.25
        lift = 1 + 2 * promoted if store == ODD else np.ones((ITEMS, weeks))
        sold = draw.poisson(levels[:, None] * lift)
        for item in range(ITEMS):
            named = {"store_id": store, "item_id": f"i{item}", "category_id": "c", "region": "here", "panel": PANEL}
            own = pd.DataFrame({"week": AXIS.weeks, "quantity": sold[item] * 1.0, "promoted": promoted[item] * 1.0})
            parts.append(own.assign(**named))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return chain()


def windows_at(rows: pd.DataFrame, origins: range | tuple[int, ...]) -> pd.DataFrame:
    return windows_of(rows, AXIS, origins).assign(bucket=0, counted=True)


@pytest.fixture(scope="module")
def heads(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> StoreHeads:
    """Of a network whose own head has learned from all stores up to the first cutoff."""
    made = design(horizon=AXIS.horizon, sizes=(1, 1, 1), units=16, calendar=False)
    words: dict[str, list[str]] = {"store_id": [], "item_id": [], "category_id": []}
    network = Forecaster(made, make_network(made, seed=5), words, non_negative=True, country="US")
    parts = split(network)
    pooled = activate(read_windows(windows_at(rows, range(20, CUTOFFS[0], 3)), network, CUTOFFS[0]), parts)
    learned = HeadTrainer(parts, Recipe("adam", 12, 0.02, 0.0, 0.0, 1, 3), 64).fit(pooled)
    network.network.get_layer("head").set_weights(parts.unflatten(learned))
    folder = tmp_path_factory.mktemp("heads")
    artefacts.write_bytes(dumps(network), f"{folder}/mlp.zip")
    at = {("mlp", cutoff): f"{folder}/mlp.zip" for cutoff in CUTOFFS}
    return StoreHeads(PANEL, AXIS, at, RECIPE, 64, f"{folder}/staging/heads")


@pytest.fixture(scope="module")
def fitted(heads: StoreHeads, rows: pd.DataFrame) -> pd.DataFrame:
    return heads.fit_bucket(windows_at(rows, range(20, CUTOFFS[-1] + 1)))


@pytest.fixture(scope="module")
def trials(heads: StoreHeads, fitted: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    return heads.forecast_bucket(windows_at(rows, CUTOFFS), fitted)


@pytest.fixture(scope="module")
def verdicts(trials: pd.DataFrame) -> pd.DataFrame:
    return judge_bucket(trials, DATES, AXIS.weeks[-1], seed=7)


def test_a_store_with_an_effect_of_its_own_keeps_its_head_and_forecasts_later_weeks_better(
    verdicts: pd.DataFrame,
) -> None:
    own = verdicts[(verdicts["store_id"] == ODD) & (verdicts["cutoff"] == LAST)].iloc[0]
    assert own["kept"]
    assert own["gain"] > own["lower"] > 0
    assert own["head_loss"] < 0.95 * own["base_loss"]
    assert own["head_error"] < own["base_error"]


def test_at_least_nine_in_ten_stores_that_differ_by_noise_alone_keep_none(verdicts: pd.DataFrame) -> None:
    plain = verdicts[verdicts["store_id"].isin(PLAIN) & (verdicts["cutoff"] == LAST)]
    assert len(plain) == len(PLAIN)
    assert plain["kept"].mean() <= 0.1


def test_no_store_keeps_a_head_before_two_cutoffs_have_judged_it(verdicts: pd.DataFrame) -> None:
    early = verdicts[verdicts["cutoff"] < LAST]
    assert len(early) == 2 * (1 + len(PLAIN))
    assert not early["kept"].any()
    assert early["gain"].isna().all()


def test_the_head_of_the_network_itself_says_what_the_network_says(heads: StoreHeads, rows: pd.DataFrame) -> None:
    uri = heads.artefacts["mlp", CUTOFFS[0]]
    parts = split(loads(artefacts.read_bytes(uri)))
    same = pd.DataFrame(
        [(PANEL, "mlp", DATES[0], ODD, np.concatenate([part.ravel() for part in parts.weights]), 1, 0.0)],
        columns=column_names(HEAD_COLUMNS),
    )
    found = heads.forecast_bucket(windows_at(rows, CUTOFFS), same)
    dense = densify(rows[rows["store_id"] == ODD], AXIS)
    alone = parts.forecaster.predict(densify(rows, AXIS), CUTOFFS[0])[:ITEMS]
    np.testing.assert_allclose(found["mean"], alone[..., -1].ravel(), rtol=1e-5)
    np.testing.assert_allclose(found["p50"], alone[..., 1].ravel(), rtol=1e-5)
    np.testing.assert_allclose(found["y"], dense.y[:, CUTOFFS[0] : CUTOFFS[0] + 6].ravel(), rtol=1e-5)
    np.testing.assert_array_equal(found["base_loss"], found["head_loss"])
    np.testing.assert_allclose(found["base_error"], np.abs(found["p50"] - found["y"]), rtol=1e-5, atol=1e-5)
    assert found["week"].tolist()[:6] == [week(CUTOFFS[0] + step) for step in range(6)]


def test_a_head_is_that_of_its_store_whatever_the_bucket_and_the_order_of_its_rows(
    heads: StoreHeads, rows: pd.DataFrame, fitted: pd.DataFrame
) -> None:
    windows = windows_at(rows, range(20, CUTOFFS[0]))
    own = windows[windows["store_id"] == ODD].sample(frac=1, random_state=1)
    alone = heads.fit_bucket(own)
    before = fitted[(fitted["store_id"] == ODD) & (fitted["cutoff"] == DATES[0])]
    np.testing.assert_array_equal(alone["weights"].iloc[0], before["weights"].iloc[0])
    assert alone["windows"].tolist() == [len(own)] * 3


def test_heads_that_an_interrupted_run_has_left_are_not_trained_again(
    spark: SparkSession, heads: StoreHeads, rows: pd.DataFrame
) -> None:
    one = windows_at(rows[rows["store_id"] == ODD], range(36, 40)).drop(columns=["bucket", "counted"])
    left = pd.DataFrame(
        [(PANEL, "mlp", LAST, ODD, np.array([1.5], np.float32), 9, 0.5)], columns=column_names(HEAD_COLUMNS)
    )
    artefacts.write_bytes(left.to_parquet(), f"{heads.staging}-0.parquet")
    found = heads.fit(spark.createDataFrame(_plain(one)), buckets=1).collect()
    assert [tuple(row) for row in found] == [(PANEL, "mlp", LAST, ODD, [1.5], 9, 0.5)]


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    arrays = {
        name: rows[name].map(lambda values: values.tolist()) for name in ("history", "level", "ahead", "base", "y")
    }
    return rows.assign(**arrays)


def test_kept_heads_speak_for_their_stores_and_the_network_for_all_others(spark: SparkSession) -> None:
    at, quantiles = date(2017, 3, 6), dict(zip(("p10", "p50", "p90", "p98"), (0.0, 1.0, 2.0, 3.0), strict=True))
    base = [
        {"region": "here", "panel": PANEL, "model": model, "cutoff": at, "store_id": store, "item_id": "i0", "step": 1}
        | {"y": 4.0, "y_hat": y_hat, **quantiles}
        for store in ("keeps", "does not", "tried nothing")
        for model, y_hat in (("mlp", 1.7), ("mlp_median", 1.0))
    ]
    own = dict(zip(quantiles, (5.0, 6.0, 7.0, 8.0), strict=True))
    tried = [
        {
            "panel": PANEL,
            "model": "mlp",
            "cutoff": at,
            "store_id": store,
            "item_id": "i0",
            "step": 1,
            "mean": 6.5,
            **own,
        }
        for store in ("keeps", "does not")
    ]
    said = [
        {"panel": PANEL, "model": "mlp", "cutoff": at, "store_id": store, "kept": store == "keeps"}
        for store in ("keeps", "does not")
    ]
    expected = [
        {**row, "model": {"mlp": "mlp_stores", "mlp_median": "mlp_stores_median"}[str(row["model"])]}
        | ({"y_hat": {"mlp": 6.5, "mlp_median": 6.0}[str(row["model"])], **own} if row["store_id"] == "keeps" else {})
        for row in base
    ]
    found = with_kept_heads(
        frame(spark, NETWORK_BACKTESTS, *base),
        frame(spark, TRIAL_COLUMNS, *tried),
        frame(spark, VERDICT_COLUMNS, *said),
    )
    assert_df_equality(found, frame(spark, NETWORK_BACKTESTS, *expected), ignore_row_order=True, ignore_nullable=True)


def test_stores_fall_into_buckets_and_come_out_as_when_done_at_once(
    spark: SparkSession, heads: StoreHeads, rows: pd.DataFrame, fitted: pd.DataFrame, tmp_path: Path
) -> None:
    apart = StoreHeads(PANEL, AXIS, heads.artefacts, RECIPE, 64, f"{tmp_path}/heads")
    windows = windows_at(rows, range(20, CUTOFFS[0])).drop(columns=["bucket", "counted"])
    few = windows[windows["store_id"].isin([ODD, *PLAIN[:2]])]
    found = apart.fit(spark.createDataFrame(_plain(few)), buckets=3).where(f"cutoff = '{DATES[0]}'")
    told = found.toPandas().set_index("store_id")["weights"]
    before = fitted[fitted["cutoff"] == DATES[0]].set_index("store_id")["weights"]
    assert set(told.index) == {ODD, *PLAIN[:2]}
    for store in told.index:
        np.testing.assert_allclose(told[store], before[store], rtol=0, atol=1e-6)
