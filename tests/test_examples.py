from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from builders import MONDAY, Row, frame
from shelfcast.examples import FEATURES, TRAINING_FRAME, sample_training_examples
from shelfcast.features import make_examples
from shelfcast.panel import Axis, densify
from shelfcast.panels import bucket_of
from shelfcast.schemas import PANEL_DEMAND

WEEKS = tuple(MONDAY + timedelta(weeks=n) for n in range(26))
AXIS = Axis(WEEKS, season=4, horizon=2, from_first_sale=True)
BUCKETS = 2
KEYS = ["store_id", "item_id", "origin", "step"]


def draw_rows(weeks: int) -> list[Row]:
    """Sparse rows of twelve series in the first `weeks` weeks, and the promotions that are planned for every fifth."""
    draw = np.random.default_rng(3)
    rows = []
    for store in ("s1", "s2", "s3"):
        for item in ("a", "b", "c", "d"):
            units = draw.poisson(1.5, len(WEEKS) + AXIS.horizon)
            for n, quantity in enumerate(units):
                known, promoted = float(quantity if n < weeks else 0), float(n % 5 == 0)
                if (known or promoted) and n < weeks + AXIS.horizon:
                    week = MONDAY + timedelta(weeks=n)
                    row: Row = {
                        "region": "here",
                        "panel": "product",
                        "store_id": store,
                        "item_id": item,
                        "category_id": "c1",
                    }
                    rows.append({**row, "week": week, "quantity": known, "promoted": promoted})
    return rows


def panel(spark: SparkSession, weeks: int = len(WEEKS)) -> DataFrame:
    return frame(spark, PANEL_DEMAND, *draw_rows(weeks)).withColumn("bucket", bucket_of(BUCKETS))


def examples(
    rows: DataFrame, axis: Axis, origins: range, least_weeks: int = 0, most: int = 10_000, seed: int = 1
) -> pd.DataFrame:
    found = sample_training_examples(rows, axis, origins, least_weeks, most, BUCKETS, seed, "US").toPandas()
    return found.sort_values(KEYS, ignore_index=True)


@pytest.fixture(scope="module")
def known(spark: SparkSession) -> pd.DataFrame:
    """All examples of the whole history."""
    return examples(panel(spark), AXIS, range(8, 26))


def test_an_example_has_the_columns_of_its_table_and_a_known_target(known: pd.DataFrame) -> None:
    assert list(known) == TRAINING_FRAME.names
    assert known["y"].notna().all()
    assert not known.duplicated(KEYS).any()
    assert {*known["region"]} | {*known["panel"]} == {"here", "product"}


def test_an_example_s_target_is_the_demand_of_its_week_and_its_plan_is_that_week_s(known: pd.DataFrame) -> None:
    rows = {(row["store_id"], row["item_id"], row["week"]): row for row in draw_rows(len(WEEKS))}
    for example in known.to_dict("records"):
        key = example["store_id"], example["item_id"], example["week"]
        row = rows.get(key, {"quantity": 0.0, "promoted": 0.0})
        assert example["week"] == MONDAY + timedelta(weeks=example["origin"] + example["step"] - 1)
        assert (example["y"], example["planned_promoted"]) == (row["quantity"], row["promoted"])


def test_the_executors_make_what_one_machine_makes_of_each_bucket(spark: SparkSession, known: pd.DataFrame) -> None:
    parts = [
        make_examples(densify(rows, AXIS), range(8, 26), AXIS.horizon)
        for _, rows in panel(spark).toPandas().groupby("bucket")
    ]
    wanted = pd.concat(parts).dropna(subset=["y"]).sort_values(KEYS, ignore_index=True)
    assert len(parts) == BUCKETS
    np.testing.assert_allclose(known[list(FEATURES)], wanted[list(FEATURES)].astype("float32"), equal_nan=True)
    np.testing.assert_array_equal(known["y"], wanted["y"])


def test_cutting_the_future_leaves_every_feature_of_the_past_as_it_was(
    spark: SparkSession, known: pd.DataFrame
) -> None:
    weeks = 20
    cut = examples(panel(spark, weeks), replace(AXIS, weeks=WEEKS[:weeks]), range(8, weeks))
    past = known[known["week"] < WEEKS[weeks]].reset_index(drop=True)
    assert len(past) < len(known)
    pd.testing.assert_frame_equal(cut, past, check_exact=True)


def test_a_series_teaches_from_the_origin_by_which_it_had_sold_often_enough(spark: SparkSession) -> None:
    weeks, cut = 26, 16
    enough = examples(panel(spark), AXIS, range(8, weeks), least_weeks=9)
    sold = pd.DataFrame(draw_rows(weeks)).query("quantity > 0")
    for (store, item), found in enough.groupby(["store_id", "item_id"]):
        mine = sold[(sold["store_id"] == store) & (sold["item_id"] == item)]["week"].sort_values()
        reached = (mine.iloc[8] - MONDAY).days // 7 + 1
        assert found["origin"].min() == max(reached, 8)
    early = examples(panel(spark, cut), replace(AXIS, weeks=WEEKS[:cut]), range(8, cut), least_weeks=9)
    past = enough[enough["week"] < WEEKS[cut]].reset_index(drop=True)
    pd.testing.assert_frame_equal(early, past, check_exact=True)


def test_the_share_that_is_drawn_counts_what_may_be_drawn(spark: SparkSession) -> None:
    every = examples(panel(spark), AXIS, range(8, 26), least_weeks=12)
    half = examples(panel(spark), AXIS, range(8, 26), least_weeks=12, most=len(every) // 2)
    assert len(half) == pytest.approx(len(every) / 2, abs=4 * len(every) ** 0.5)


def test_a_sample_is_about_as_large_as_asked_and_the_same_in_other_buckets(
    spark: SparkSession, known: pd.DataFrame
) -> None:
    rows = panel(spark)
    sample = examples(rows, AXIS, range(8, 26), most=100)
    again = examples(rows.withColumn("bucket", bucket_of(5)), AXIS, range(8, 26), most=100)
    pd.testing.assert_frame_equal(sample, again)
    assert len(sample) == pytest.approx(100, abs=40)
    assert len(sample.merge(known, on=KEYS)) == len(sample)
