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
from shelfcast.windows import WINDOWS, sample_training_windows

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
