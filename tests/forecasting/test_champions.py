"""Champions forecast from tables in memory: a run whose lake is a dictionary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from builders import Row, frame
from panel_builders import axis, poisson_series, training_frame, week
from shelfcast import config, examples, panels, schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.errors import LakeError
from shelfcast.forecasting.champions import champion_of, forecast_means
from shelfcast.forecasting.networks import INPUTS, newest_network
from shelfcast.job import Job, Run
from shelfcast.plan import Plan
from shelfcast.table import Table

CONFIG = Path(__file__).parents[2] / "conf" / "complete_journey.yaml"
TABLES = (
    CHAMPIONS,
    schemas.LEADERBOARD,
    schemas.ENSEMBLES,
    schemas.BACKTESTS,
    schemas.PANEL_DEMAND,
    examples.TRAINING_FRAME,
)
WEEKS, CUTOFFS = 16, (12, 14)
PLAN = Plan(tuple(week(n) for n in range(WEEKS)), CUTOFFS, horizon=2, season=52)


@dataclass(frozen=True)
class Tables:
    """What a run asks of its lake."""

    root: str
    frames: Mapping[str, DataFrame]

    def read(self, table: Table, region: str) -> DataFrame:
        assert region
        return self.frames[table.name]

    def path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def address(self, name: str) -> str:
        return self.path(name)

    def last_commit(self, table: Table, scope: dict[str, str]) -> None:
        """Nobody knows which run made it."""

    def has_file(self, name: str) -> bool:
        return Path(self.path(name)).exists()


Weight = tuple[str, str, int, str, float]


def run_on(
    spark: SparkSession,
    folder: Path,
    champions: dict[tuple[str, str], str | None],
    weights: Sequence[Weight] = (),
    board: Sequence[Row] = (),
) -> Run:
    """A run that knows champions and a leaderboard, what ensembles weigh, six series over sixteen weeks as categories
    and as products, the examples of origins 13 on, and a backtest of products that said 7 of each model."""
    history = [
        {
            "region": "here",
            "panel": panel,
            "model": model,
            "purpose": purpose,
            "as_of": week(WEEKS),
            "decision": "first",
        }
        for (panel, model), purposes in champions.items()
        for purpose in (purposes or "").split(" and ")
        if purpose
    ]
    rows = poisson_series(6, WEEKS)
    learned = training_frame(rows, axis(WEEKS), range(13, WEEKS)).assign(region="here", panel=panels.PRODUCT)
    learned[examples.TRAINING_FRAME.names].to_parquet(folder / "frame.parquet", index=False)
    both = pd.concat([rows.assign(panel=panel) for panel in (panels.CATEGORY, panels.PRODUCT)])
    members = [
        {"panel": panel, "model": model, "cutoff": week(cutoff - 1), "member": member, "weight": weight, "whole": True}
        for panel, model, cutoff, member, weight in weights
    ]
    said = [
        {"panel": panels.PRODUCT, "model": model, "cutoff": week(c - 1), "item_id": "p0", "step": 1, "y_hat": 7.0}
        for (panel, model) in champions
        if panel == panels.PRODUCT
        for c in CUTOFFS
    ]
    frames = {
        "models/champions": frame(spark, CHAMPIONS, *history),
        "models/leaderboard": frame(spark, schemas.LEADERBOARD, *board),
        "models/ensembles": frame(spark, schemas.ENSEMBLES, *members),
        "forecasts/backtests": frame(spark, schemas.BACKTESTS, *said),
        "features/panel_demand": of_pandas(spark, both[schemas.PANEL_DEMAND.names]),
        "features/training_frame": spark.read.schema(examples.TRAINING_FRAME.schema).parquet(
            str(folder / "frame.parquet")
        ),
    }
    settings = config.load(CONFIG, ["backtest.min_selling_weeks=4", "backtest.horizon=2"])
    lake: Any = Tables(str(folder), frames)
    job = Job("test", TABLES, (), (), lambda _: None, optional=INPUTS)
    return Run(job, spark, settings, lake, week(WEEKS), key="k")


def of_pandas(spark: SparkSession, rows: pd.DataFrame) -> DataFrame:
    kept = rows.assign(size_rank=rows["size_rank"].astype("Int64")).astype(object)
    return spark.createDataFrame(kept.where(kept.notna(), None), schemas.PANEL_DEMAND.schema)


BOARD = {
    ("reference", "naive"): "median",
    ("reference", "tsb"): "mean",
    ("category", "zero"): "mean and median",
    ("product", "zero"): None,
    ("product", "moving_average"): "mean and median",
}


def test_categories_go_by_the_published_selection_and_products_by_their_own(
    spark: SparkSession, tmp_path: Path
) -> None:
    run = run_on(spark, tmp_path, BOARD)
    assert (champion_of(run, panels.CATEGORY), champion_of(run, panels.PRODUCT)) == ("tsb", "moving_average")


def test_a_panel_without_a_champion_for_the_mean_is_named(spark: SparkSession, tmp_path: Path) -> None:
    run = run_on(spark, tmp_path, {("product", "naive"): "median", ("product", "tsb"): None})
    with pytest.raises(LakeError, match="models/champions: nobody for the mean on panel product"):
        champion_of(run, panels.PRODUCT)


Means = dict[tuple[str, date, int], float]


def means_of(found: DataFrame) -> Means:
    return {(row["item_id"], row["cutoff"], row["step"]): row["mean"] for row in found.collect()}


def recent_means(*cutoffs: int) -> Means:
    """The mean of the last 13 weeks of each series since its first sale, for both steps at each cutoff."""
    weekly = poisson_series(6, WEEKS).pivot_table(index="item_id", columns="week", values="quantity", fill_value=0)
    found = {}
    for item, cutoff in ((item, cutoff) for item in weekly.index for cutoff in cutoffs):
        known = weekly.loc[item, : week(cutoff - 1)].to_numpy()
        mean = known[(known > 0).argmax() :][-13:].mean()
        found |= {(item, week(cutoff - 1), step): pytest.approx(mean) for step in (1, 2)}
    return found


def test_a_champion_chosen_elsewhere_forecasts_every_series_at_each_cutoff(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_on(spark, tmp_path, {("reference", "moving_average"): "mean"})
    found = forecast_means(run, PLAN, panels.CATEGORY)
    assert found.columns == ["cutoff", "store_id", "item_id", "category_id", "step", "week", "y", "mean", "method"]
    assert means_of(found) == recent_means(*CUTOFFS, WEEKS)
    weekly = poisson_series(6, WEEKS).set_index(["item_id", "week"])["quantity"]
    assert {row["y"] for row in found.where(found["cutoff"] == week(WEEKS - 1)).collect()} == {None}
    for row in found.where(found["cutoff"] == week(CUTOFFS[0] - 1)).collect():
        assert row["y"] == weekly.get((row["item_id"], row["week"]), 0)
    assert "category: moving_average" in capsys.readouterr().err


def test_what_the_backtest_has_forecast_of_the_same_panel_stays(spark: SparkSession, tmp_path: Path) -> None:
    found = means_of(forecast_means(run_on(spark, tmp_path, BOARD), PLAN, panels.PRODUCT))
    assert found == recent_means(WEEKS) | {("p0", week(cutoff - 1), 1): 7.0 for cutoff in CUTOFFS}


def test_an_ensemble_forecasts_from_the_cutoffs_at_which_it_has_weights(spark: SparkSession, tmp_path: Path) -> None:
    weights = [("reference", "ensemble_mean", cutoff, "moving_average", 0.5) for cutoff in (CUTOFFS[1], WEEKS)]
    weights += [("reference", "ensemble_mean", cutoff, "zero", 0.5) for cutoff in (CUTOFFS[1], WEEKS)]
    run = run_on(spark, tmp_path, {("reference", "ensemble_mean"): "mean"}, weights)
    found = means_of(forecast_means(run, PLAN, panels.CATEGORY))
    assert {key: 2 * mean for key, mean in found.items()} == recent_means(CUTOFFS[1], WEEKS)


def test_an_ensemble_s_newest_weights_stand_for_the_weeks_ahead_when_weeks_have_come_since(
    spark: SparkSession, tmp_path: Path
) -> None:
    learned = (CUTOFFS[1], WEEKS - 1)
    weights = [("reference", "ensemble_mean", cutoff, "moving_average", 0.5) for cutoff in learned]
    weights += [("reference", "ensemble_mean", cutoff, "zero", 0.5) for cutoff in learned]
    run = run_on(spark, tmp_path, {("reference", "ensemble_mean"): "mean"}, weights)
    found = means_of(forecast_means(run, PLAN, panels.CATEGORY))
    assert {key: 2 * mean for key, mean in found.items()} == recent_means(CUTOFFS[1], WEEKS)


def test_a_champion_that_could_not_be_fitted_is_an_error(spark: SparkSession, tmp_path: Path) -> None:
    run = run_on(spark, tmp_path, {("reference", "linear"): "mean"})
    # no example was known after twelve weeks
    with pytest.raises(LakeError, match=f"model linear at {week(11)}: .*; wanted the champion fitted"):
        forecast_means(run, PLAN, panels.CATEGORY)


MLP = {"region": "here", "panel": "product", "model": "mlp", "family": "Keras", "earlier_rmse": 1.0}


def test_a_network_that_no_registry_has_is_an_error(spark: SparkSession, tmp_path: Path) -> None:
    run = run_on(spark, tmp_path, {("product", "mlp"): "mean"}, board=[MLP])
    with pytest.raises(
        LakeError, match=r"mlp is champion, and no registry has it for panel product .*; wanted job eval"
    ):
        forecast_means(run, PLAN, panels.PRODUCT)


@pytest.mark.parametrize(
    ("cutoffs", "expected"),
    [
        pytest.param({CUTOFFS[-1]: "fitted", WEEKS: "fitted"}, WEEKS, id="all-weeks"),
        pytest.param({CUTOFFS[-1]: "fitted", WEEKS - 1: "fitted"}, WEEKS - 1, id="a-week-has-come-since"),
        pytest.param({WEEKS - 1: "fitted", WEEKS: "failed"}, WEEKS - 1, id="the-newest-failed"),
        pytest.param({CUTOFFS[-1]: "fitted"}, None, id="of-the-backtest-alone"),
        pytest.param({WEEKS + 1: "fitted"}, None, id="that-knows-what-has-not-come"),
    ],
)
def test_the_newest_network_that_was_fitted_for_the_weeks_ahead_forecasts(
    spark: SparkSession, tmp_path: Path, cutoffs: dict[int, str], expected: int | None
) -> None:
    run = run_on(spark, tmp_path, {("product", "mlp"): "mean"}, board=[MLP])
    key = {"region": "here", "panel": "product", "model": "mlp", "version": "v"}
    rows = [
        {**key, "cutoff": week(known - 1), "status": status, "artefact": f"network {known}"}
        for known, status in cutoffs.items()
    ]
    run.lake.frames[schemas.NETWORK_REGISTRY.name] = frame(spark, schemas.NETWORK_REGISTRY, *rows)  # type: ignore[attr-defined]
    run.reads[schemas.NETWORK_REGISTRY.name] = 0
    if expected is None:
        with pytest.raises(LakeError, match=f"weeks behind {week(CUTOFFS[-1] - 1)} up to {week(WEEKS - 1)}; wanted"):
            newest_network(run, PLAN, panels.PRODUCT, "mlp")
    else:
        found = newest_network(run, PLAN, panels.PRODUCT, "mlp")
        assert found == (f"{tmp_path}/network {expected}", week(expected - 1))


def test_a_better_network_that_cannot_forecast_is_named_beside_who_does(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    naive = {"region": "here", "panel": "reference", "model": "naive", "earlier_rmse": 2.0}
    lacks = "no network knows all weeks of panel category"
    mlp = {**MLP, "panel": "reference", "detail": lacks}
    run = run_on(spark, tmp_path, {("reference", "naive"): "mean"}, board=[naive, mlp])
    forecast_means(run, PLAN, panels.CATEGORY)
    told = capsys.readouterr().err
    assert f"category: mlp was better at the earlier cutoffs, and does not forecast: {lacks}" in told
    assert "category: naive" in told
