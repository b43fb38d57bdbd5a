from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from panel_builders import axis, poisson_series, series
from shelfcast.lake import Lake
from shelfcast.models.mlp.windows import make_windows
from shelfcast.panel import densify
from shelfcast.schemas import PANEL_DEMAND
from shelfcast.table import Table
from shelfcast.windows import WINDOWS, sample_by_store, sample_training_windows, windows_at

AXIS = axis(weeks=24)


def windows_of(spark: SparkSession, rows: pd.DataFrame, most: int = 10_000, least: int = 1, buckets: int = 2):
    told = rows.astype(object).where(rows.notna(), None)[PANEL_DEMAND.names]
    panel = spark.createDataFrame(told, PANEL_DEMAND.schema)
    return sample_training_windows(panel, AXIS, range(10, 24), least, most, buckets, 7, "US")


def test_a_window_holds_what_a_network_reads(spark: SparkSession) -> None:
    rows = poisson_series(4, weeks=24, buckets=2)
    found = windows_of(spark, rows).where("item_id = 'p3' and origin = 15").toPandas()
    made = make_windows(densify(rows[rows["item_id"] == "p3"], AXIS), 15, AXIS.horizon)
    for name in ("history", "level", "ahead", "base", "y"):
        np.testing.assert_array_equal(np.stack(found[name])[0], getattr(made, name)[0].ravel())
    assert found["scale"].tolist() == made.scale.tolist()


def test_every_origin_of_a_series_with_a_known_week_ahead_is_there(spark: SparkSession) -> None:
    found = windows_of(spark, poisson_series(4, weeks=24, buckets=2))
    counts = {row["item_id"]: row["count"] for row in found.groupBy("item_id").count().collect()}
    assert counts == dict.fromkeys(["p0", "p1", "p2", "p3"], 14)


def test_a_series_enters_once_it_has_sold_in_enough_weeks(spark: SparkSession) -> None:
    rows = series("late", [0] * 11 + [1] * 13)
    found = windows_of(spark, rows, least=3).toPandas()
    assert found["origin"].min() == 14


def test_about_as_many_windows_as_asked_for_are_drawn_whatever_the_buckets(spark: SparkSession) -> None:
    drawn = [
        windows_of(spark, poisson_series(30, weeks=24, buckets=buckets), most=200, buckets=buckets)
        .select("item_id", "origin")
        .toPandas()
        .sort_values(["item_id", "origin"], ignore_index=True)
        for buckets in (1, 3)
    ]
    pd.testing.assert_frame_equal(*drawn)
    assert len(drawn[0]) == pytest.approx(200, rel=0.2)


def test_the_table_is_cut_into_files_that_processes_can_share(spark: SparkSession, lake_root: Path) -> None:
    small = Table(**{**vars(WINDOWS), "rows_per_file": 10})
    lake = Lake(spark, str(lake_root))
    lake.replace(small, windows_of(spark, poisson_series(4, weeks=24), buckets=1), {"region": "here"}, {"run_key": "k"})
    assert lake.read(small, "here").count() == 56
    assert len(lake.read(small, "here").inputFiles()) == 6


def test_at_its_cutoff_every_series_that_has_sold_often_enough_has_a_window(spark: SparkSession) -> None:
    rows = pd.concat([poisson_series(2, weeks=24), series("late", [0] * 11 + [1, 0.5] + [1] * 11)], ignore_index=True)
    told = rows.astype(object).where(rows.notna(), None)[PANEL_DEMAND.names]
    panel = spark.createDataFrame(told, PANEL_DEMAND.schema)
    found = windows_at(panel, AXIS, (12, 23), 3, 2, "US").toPandas().sort_values(["origin", "item_id"])
    assert list(zip(found["origin"], found["item_id"], found["counted"], strict=True)) == [
        (12, "p0", True),
        (12, "p1", True),
        (23, "late", False),
        (23, "p0", True),
        (23, "p1", True),
    ]
    made = make_windows(densify(rows[rows["item_id"] == "p1"], AXIS), 23, AXIS.horizon)
    np.testing.assert_array_equal(np.stack(found["y"])[-1], made.y[0])
    np.testing.assert_array_equal(np.stack(found["history"])[-1], made.history[0])


def test_of_a_store_about_as_many_windows_are_drawn_as_asked_for_and_of_a_small_one_all(spark: SparkSession) -> None:
    rows = [("large", f"i{n}", origin) for n in range(40) for origin in range(10)]
    small = [("small", "i0", origin) for origin in range(10)]
    windows = spark.createDataFrame(rows + small, "store_id string, item_id string, origin int")
    drawn = {seed: sample_by_store(windows, 100, seed).toPandas() for seed in (1, 2)}
    for found in drawn.values():
        counts = found["store_id"].value_counts()
        assert counts["small"] == 10
        assert counts["large"] == pytest.approx(100, rel=0.25)
    assert not drawn[1].equals(drawn[2])
