from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from builders import MONDAY, frame
from shelfcast.ensembles import ENSEMBLES, average, learn_weights
from shelfcast.scoring import SCORED_COLUMNS
from shelfcast.table import Table, column_names

SCORED = Table("scored", SCORED_COLUMNS, key=())
HORIZON = 2
Windows = Mapping[date, Mapping[str, float]]
FIRST, SECOND, LAST = (MONDAY + timedelta(weeks=10 + HORIZON * n) for n in range(3))
AHEAD = LAST + timedelta(weeks=HORIZON)


def scored(spark: SparkSession, cutoffs: Windows, series: int = 4, y: float = 10.0) -> DataFrame:
    """At each cutoff, what each model says of a demand that is always `y`, of every series and step."""
    rows = [
        {
            "panel": "p", "model": model, "cutoff": cutoff, "store_id": "s1", "item_id": f"i{n}", "category_id": "c",
            "step": step, "week": cutoff + timedelta(weeks=step), "y": y, "y_hat": y_hat, "naive_mse": 1.0,
        }
        for cutoff, models in cutoffs.items()
        for model, y_hat in models.items()
        for n in range(series)
        for step in range(1, HORIZON + 1)
    ]  # fmt: skip
    return frame(spark, SCORED, *rows)


def by_member(weights: DataFrame, model: str, cutoff: date) -> dict[str, float]:
    own = [row for row in weights.collect() if (row["model"], row["cutoff"]) == (model, cutoff)]
    return {row["member"]: row["weight"] for row in own}


@pytest.fixture(scope="module")
def weights(spark: SparkSession) -> DataFrame:
    """The high and the low model share the first window; in the second one the high one is right."""
    windows = {FIRST: {"high": 12.0, "low": 8.0, "zero": 0.0}, SECOND: {"high": 10.0, "low": 1.0, "zero": 0.0}}
    return learn_weights(scored(spark, windows), (FIRST, SECOND, LAST)).localCheckpoint()


@pytest.mark.parametrize("model", ENSEMBLES)
def test_weights_rest_on_the_windows_that_were_over(model: str, weights: DataFrame) -> None:
    assert by_member(weights, model, FIRST) == {}
    assert by_member(weights, model, SECOND) == {"high": 0.5, "low": 0.5}
    assert by_member(weights, model, LAST).get("high", 0) > 0.8


def test_weights_at_a_cutoff_know_nothing_of_what_came_after(spark: SparkSession, weights: DataFrame) -> None:
    known = learn_weights(scored(spark, {FIRST: {"high": 12.0, "low": 8.0, "zero": 0.0}}), (SECOND,))
    assert {*known.collect()} == {*weights.where(weights["cutoff"] == SECOND).collect()}


def test_a_window_that_is_not_over_teaches_nothing(spark: SparkSession) -> None:
    midway = FIRST + timedelta(weeks=1)
    windows = scored(spark, {FIRST: {"a": 12.0, "b": 8.0}})
    # of the first window one step was known, of which the forecasts are worse the other way round
    turned = windows.replace({12.0: 4.0, 8.0: 16.0}, subset=["y_hat"]).where("step = 2")
    found = learn_weights(windows.where("step = 1").unionByName(turned), (midway,))
    assert by_member(found, "ensemble_mean", midway) == {"a": 0.5, "b": 0.5}


def test_a_member_forecasts_all_that_the_others_do(spark: SparkSession) -> None:
    some = scored(spark, {FIRST: {"largest_alone": 10.0}}, series=1)
    weights = learn_weights(scored(spark, {FIRST: {"a": 11.0}}).unionByName(some), (SECOND,))
    assert by_member(weights, "ensemble_mean", SECOND) == {"a": 1.0}


def test_what_mllib_fits_is_no_member(spark: SparkSession) -> None:
    weights = learn_weights(scored(spark, {FIRST: {"naive": 11.0, "mllib_ridge": 10.0}}), (SECOND,))
    assert by_member(weights, "ensemble_mean", SECOND) == {"naive": 1.0}


def test_an_ensemble_is_the_weighted_average_and_the_median_of_counts_is_whole(spark: SparkSession) -> None:
    windows = {FIRST: {"a": 1.0, "b": 1.0}, SECOND: {"a": 1.0, "b": 4.0, "c": 100.0}}
    rows = [
        ("p", name, SECOND, member, weight, True) for name in ENSEMBLES for member, weight in (("a", 0.85), ("b", 0.15))
    ]
    columns = "panel string, model string, cutoff date, member string, weight double, whole boolean"
    weights = spark.createDataFrame(rows, columns)
    found = average(scored(spark, windows), weights)
    assert found.columns == column_names(SCORED_COLUMNS)
    assert {_told(row) for row in found.collect()} == {
        (name, SECOND, f"i{n}", step, y_hat)
        for name, y_hat in (("ensemble_mean", 1.45), ("ensemble_median", 1.0))
        for n in range(4)
        for step in (1, 2)
    }


def _told(row: Row) -> tuple[object, ...]:
    return row["model"], row["cutoff"], row["item_id"], row["step"], round(row["y_hat"], 9)


def test_what_is_not_counted_is_not_rounded(spark: SparkSession) -> None:
    windows = {FIRST: {"a": 1.0, "b": 2.0}}
    weights = learn_weights(scored(spark, windows, y=1.25), (SECOND,))
    found = average(scored(spark, {SECOND: {"a": 1.0, "b": 2.0}}), weights).where("model = 'ensemble_median'")
    assert {round(row["y_hat"], 9) for row in found.collect()} == {1.25}
