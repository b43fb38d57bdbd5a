"""Champions forecast from tables in memory: a run whose lake is a dictionary."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from builders import frame
from panel_builders import axis, poisson_series, training_frame, week
from shelfcast import config, examples, panels, schemas
from shelfcast.errors import LakeError
from shelfcast.forecasting.champions import champion_of, forecast_means
from shelfcast.job import Job, Run
from shelfcast.plan import Plan
from shelfcast.schemas import Table

CONFIG = Path(__file__).parents[2] / "conf" / "complete_journey.yaml"
TABLES = (schemas.LEADERBOARD, schemas.PANEL_DEMAND, examples.TRAINING_FRAME)
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


def run_on(spark: SparkSession, folder: Path, champions: dict[tuple[str, str], str | None]) -> Run:
    """A run that knows a leaderboard, six series over sixteen weeks, and the examples of origins 13 on."""
    board = [
        {"region": "here", "panel": panel, "model": model, "champion": c} for (panel, model), c in champions.items()
    ]
    rows = poisson_series(6, WEEKS)
    learned = training_frame(rows, axis(WEEKS), range(13, WEEKS)).assign(region="here", panel=panels.PRODUCT)
    learned[examples.TRAINING_FRAME.names].to_parquet(folder / "frame.parquet", index=False)
    frames = {
        "models/leaderboard": frame(spark, schemas.LEADERBOARD, *board),
        "features/panel_demand": of_pandas(spark, rows[schemas.PANEL_DEMAND.names]),
        "features/training_frame": spark.read.schema(examples.TRAINING_FRAME.schema).parquet(
            str(folder / "frame.parquet")
        ),
    }
    settings = config.load(CONFIG, ["backtest.min_selling_weeks=4", "backtest.horizon=2"])
    lake: Any = Tables(str(folder), frames)
    return Run(Job("test", TABLES, (), (), lambda _: None), spark, settings, lake, week(WEEKS), key="k")


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


def test_a_board_without_a_champion_for_the_mean_is_named(spark: SparkSession, tmp_path: Path) -> None:
    run = run_on(spark, tmp_path, {("product", "naive"): "median", ("product", "tsb"): None})
    with pytest.raises(LakeError, match="models/leaderboard: no champion for the mean on panel product"):
        champion_of(run, panels.PRODUCT)


def test_the_champion_forecasts_every_series_at_each_cutoff(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = forecast_means(run_on(spark, tmp_path, BOARD), PLAN, panels.PRODUCT, (*CUTOFFS, WEEKS))
    assert found.columns == ["cutoff", "store_id", "item_id", "category_id", "step", "week", "y", "mean"]
    means = {(row["item_id"], row["cutoff"], row["step"]): (row["mean"], row["y"]) for row in found.collect()}
    weekly = poisson_series(6, WEEKS).pivot_table(index="item_id", columns="week", values="quantity", fill_value=0)
    cutoffs = (*CUTOFFS, WEEKS)
    assert {*means} == {(item, week(c - 1), step) for item in weekly.index for c in cutoffs for step in (1, 2)}
    for (item, cutoff, step), (mean, y) in means.items():
        known = weekly.loc[item, :cutoff].to_numpy()
        assert mean == pytest.approx(known[(known > 0).argmax() :][-13:].mean())
        assert y == weekly.loc[item].get(cutoff + (week(step) - week(0)))
    assert "product: moving_average" in capsys.readouterr().err


def test_a_champion_that_could_not_be_fitted_is_an_error(spark: SparkSession, tmp_path: Path) -> None:
    run = run_on(spark, tmp_path, {("product", "linear"): "mean"})
    # no example was known after twelve weeks
    with pytest.raises(LakeError, match=f"model linear at {week(11)}: .*; wanted the champion fitted"):
        forecast_means(run, PLAN, panels.PRODUCT, CUTOFFS)
