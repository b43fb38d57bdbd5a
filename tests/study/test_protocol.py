from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast.study import protocol
from shelfcast.study.models import MODELS
from shelfcast.study.network import PREDICTED
from shelfcast.study.tables import STUDY_METRICS, STUDY_MODELS, STUDY_PREDICTIONS, STUDY_ROWS, STUDY_SAMPLE
from study_builders import random_rows

QUICK = ("ridge", "knn")
SEED = 27
Pair = tuple[float, float]
Scopes = dict[str, dict[str, float]]


def as_rows(n: int = 300) -> pd.DataFrame:
    """Rows of STUDY_ROWS, in the order of their row_id."""
    splits = np.random.default_rng(6).choice(["train", "validation", "test"], p=[0.6, 0.2, 0.2], size=n)
    rows = random_rows(n, seed=5).assign(region="here", sold_by_volume=False, row_id=range(n), split=splits)
    sold_before = rows.groupby(["store_id", "product_id"]).cumcount()
    return rows.assign(month=[date(2000 + months // 12, months % 12 + 1, 1) for months in sold_before])


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    frame = as_rows()[STUDY_ROWS.names]
    # Arrow reads a missing size as null, as the lake does
    return spark.createDataFrame(frame, STUDY_ROWS.schema).replace(float("nan"), None)


@pytest.fixture(scope="module")
def predictions(rows: DataFrame) -> DataFrame:
    return protocol.predict(rows, tuple(MODELS), SEED).localCheckpoint()


def types_of(frame: DataFrame) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in frame.schema}


@pytest.fixture
def made(rows: DataFrame, predictions: DataFrame) -> dict[str, DataFrame]:
    return {
        STUDY_PREDICTIONS.name: predictions,
        STUDY_METRICS.name: protocol.measure(predictions),
        STUDY_SAMPLE.name: protocol.sample(predictions, rows, 10),
        STUDY_MODELS.name: protocol.describe(predictions, rows, MODELS),
    }


@pytest.mark.parametrize(
    "table", [STUDY_PREDICTIONS, STUDY_METRICS, STUDY_SAMPLE, STUDY_MODELS], ids=lambda table: table.name
)
def test_each_frame_is_that_of_its_table_with_one_row_per_key(table: object, made: dict[str, DataFrame]) -> None:
    frame = made[table.name]
    assert types_of(frame) == {field.name: field.dataType.simpleString() for field in table.schema}
    assert frame.count() == frame.select(*table.key).distinct().count() > 0


def test_each_model_predicts_each_validation_and_test_row_once(rows: DataFrame, predictions: DataFrame) -> None:
    asked = rows.where("split != 'train'").select("row_id", "split", "units")
    for model in MODELS:
        found = predictions.where(F.col("model") == model).select("row_id", "split", "units")
        assert sorted(found.collect()) == sorted(asked.collect())


@pytest.mark.parametrize("model", MODELS)
def test_a_prediction_is_the_mean_of_the_models_parts_fitted_here(model: str, predictions: DataFrame) -> None:
    rows = as_rows()
    train, asked = rows[rows["split"] == "train"], rows[rows["split"] != "train"]
    parts = [protocol.predict_rows(train, asked, model, (SEED, part)) for part in range(MODELS[model].parts)]
    found = predictions.where(F.col("model") == model).orderBy("row_id").toPandas()
    np.testing.assert_allclose(found["prediction"], np.mean(parts, axis=0), atol=1e-9)


def test_neither_partitions_nor_the_order_of_rows_change_a_prediction(rows: DataFrame, predictions: DataFrame) -> None:
    shuffled = protocol.predict(rows.orderBy(F.rand(1)).repartition(5), QUICK, SEED)
    both = shuffled.alias("a").join(predictions.alias("b"), ["model", "row_id"])
    apart = F.abs(F.col("a.prediction") - F.col("b.prediction"))
    found = both.select(F.max(apart).alias("most"), F.count("*").alias("n")).first()
    assert found["most"] < 1e-9
    assert found["n"] == shuffled.count() > 0


def test_no_test_row_teaches_a_model_anything() -> None:
    rows = as_rows()
    train, asked = rows[rows["split"] == "train"], rows[rows["split"] != "train"]
    for model in MODELS:
        alone = protocol.predict_rows(train, asked.head(3), model, (SEED, 0))
        among = protocol.predict_rows(train, asked.assign(units=1e6), model, (SEED, 0))
        np.testing.assert_allclose(alone, among[:3], atol=1e-9)


def test_each_part_of_each_model_is_fitted_in_a_partition_of_its_own(rows: DataFrame) -> None:
    fitted = protocol.fit_parts(rows, tuple(MODELS), SEED)
    placed = fitted.groupBy("model", F.spark_partition_id().alias("partition")).count().collect()
    partitions = {model: [row["partition"] for row in placed if row["model"] == model] for model in MODELS}
    assert {model: len(held) for model, held in partitions.items()} == {m: MODELS[m].parts for m in MODELS}
    assert len({partition for held in partitions.values() for partition in held}) == len(placed)


@pytest.fixture
def measure(spark: SparkSession) -> Callable[..., Scopes]:
    """The metrics, by scope, of pairs of units and prediction."""

    def measured(*pairs: Pair, by_volume: Pair | None = None) -> Scopes:
        rows = [("here", "m", "test", n, False, *pair, 1.0) for n, pair in enumerate(pairs)]
        rows += [("here", "m", "test", -1, True, *by_volume, 1.0)] if by_volume else []
        frame = spark.createDataFrame(rows, STUDY_PREDICTIONS.schema)
        return {row["scope"]: row.asDict() for row in protocol.measure(frame).collect()}

    return measured


def test_the_metrics_are_those_worked_out_by_hand(measure: Callable[..., Scopes]) -> None:
    # errors 1, -1, 2; mean of the units 3; deviations -2, 0, 2
    found = measure((1.0, 2.0), (3.0, 2.0), (5.0, 7.0))["all"]
    wanted = {
        "rows": 3,
        "rmse": 2**0.5,
        "mae": 4 / 3,
        "rae": 4 / 4,
        "rrse": (6 / 8) ** 0.5,
        "r2": 1 - 6 / 8,
        "mape": (1 + 1 / 3 + 2 / 5) / 3,
        "correlation": 10 / (8 * 50 / 3) ** 0.5,
        "zeros_left_out": 0,
    }
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)


def test_mape_leaves_out_rows_without_units_and_says_how_many(
    measure: Callable[..., Scopes],
) -> None:
    found = measure((0.0, 5.0), (2.0, 3.0), (4.0, 4.0))["all"]
    assert (found["mape"], found["zeros_left_out"], found["rows"]) == (pytest.approx(0.25), 1, 3)


def test_what_is_sold_by_volume_counts_among_all_rows_and_not_among_pieces(
    measure: Callable[..., Scopes],
) -> None:
    found = measure((1.0, 2.0), (3.0, 2.0), by_volume=(800.0, 0.0))
    assert (found["all"]["rows"], found["pieces"]["rows"]) == (3, 2)
    assert found["pieces"]["mae"] == pytest.approx(1)
    assert found["all"]["mae"] == pytest.approx(802 / 3)


def test_the_sample_is_the_same_test_rows_under_each_model(rows: DataFrame, predictions: DataFrame) -> None:
    sampled = protocol.sample(predictions, rows, 10).toPandas()
    test = as_rows().query("split == 'test'").sort_values("row_id").head(10)
    for model in MODELS:
        drawn = sampled[sampled["model"] == model]
        assert sorted(drawn["units"]) == sorted(test["units"])


def test_what_was_predicted_elsewhere_is_joined_to_its_rows(spark: SparkSession, rows: DataFrame) -> None:
    asked = [row["row_id"] for row in rows.where("split != 'train'").select("row_id").collect()]
    predicted = spark.createDataFrame([(row_id, 0.5) for row_id in asked], PREDICTED)
    found = protocol.join_predictions(rows, predicted, "mlp", 1.5)
    assert types_of(found) == {field.name: field.dataType.simpleString() for field in STUDY_PREDICTIONS.schema}
    assert sorted(row["row_id"] for row in found.where("model = 'mlp' and seconds = 1.5").collect()) == sorted(asked)


def test_a_model_is_described_with_what_it_lacks_and_where_it_differs(predictions: DataFrame, rows: DataFrame) -> None:
    described = {row["model"]: row for row in protocol.describe(predictions, rows, MODELS).collect()}
    assert {row["training_rows"] for row in described.values()} == {rows.where("split = 'train'").count()}
    assert described["ridge"]["absent_inputs"] == ["excise_tax"]
    assert described["ridge"]["inputs"][-1] == "purchase_price (standardized)"
    assert described["ridge"]["differs"] is None
    assert "order of their mean units" in described["random_forest"]["differs"]
