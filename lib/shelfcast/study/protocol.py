"""The study on Spark: a task per model (several for the forest; the network trains by itself), metrics of the
predictions, and a sample to plot."""

import time
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import metrics
from shelfcast.study.models import MODELS, StudyModel
from shelfcast.study.network import Description
from shelfcast.study.representation import CATEGORIES, NUMBERS, Encoder
from shelfcast.study.tables import STUDY_METRICS

_PARTS = "model string, task int, part int"
_PREDICTED = (
    "region string, model string, split string, row_id bigint, sold_by_volume boolean, units double, "
    "prediction double, seconds double"
)
_KEYS = ("region", "model", "split", "row_id", "sold_by_volume", "units")


def predict(rows: DataFrame, models: tuple[str, ...], seed: int) -> DataFrame:
    """The predictions of each model for the validation and test rows, in the shape of STUDY_PREDICTIONS.

    A task holds all rows: their number is bounded by the configuration before.
    """
    return (
        fit_parts(rows, models, seed)
        .groupBy(*_KEYS)
        .agg(F.avg("prediction").alias("prediction"), F.sum("seconds").alias("seconds"))
    )


def fit_parts(rows: DataFrame, models: tuple[str, ...], seed: int) -> DataFrame:
    """The predictions of each part of each model, every part fitted in a partition of its own.

    Parts then run beside each other on whatever cores there are; hashing their names would put two into one partition.
    """
    parts = [(model, part) for model in models for part in range(MODELS[model].parts)]
    tasks = rows.sparkSession.createDataFrame([(model, task, part) for task, (model, part) in enumerate(parts)], _PARTS)
    spread = rows.crossJoin(F.broadcast(tasks)).repartitionById(len(parts), "task")
    return spread.groupBy("task").applyInPandas(_fit_part(seed), _PREDICTED)


def measure(predictions: DataFrame) -> DataFrame:
    """The study's metrics by model and split, over all rows and over those sold by the piece: STUDY_METRICS."""
    return predictions.groupBy("region", "model", "split").applyInPandas(_measure_split, STUDY_METRICS.schema)


def sample(predictions: DataFrame, rows: DataFrame, size: int) -> DataFrame:
    """`size` test rows drawn by their hash, the same under each model: STUDY_SAMPLE."""
    described = ["month", "store_id", "product_id", "classification"]
    drawn = rows.where(F.col("split") == "test").orderBy("row_id").limit(size).select("row_id", *described)
    joined = predictions.join(F.broadcast(drawn), "row_id")
    return joined.select("region", "model", *described, "units", "prediction")


def join_predictions(rows: DataFrame, predicted: DataFrame, model: str, seconds: float) -> DataFrame:
    """What a model trained elsewhere predicted (PREDICTED), in the shape of STUDY_PREDICTIONS."""
    asked = rows.where("split != 'train'").join(predicted, "row_id")
    named = asked.withColumn("model", F.lit(model)).withColumn("seconds", F.lit(seconds))
    return named.select(*_KEYS, "prediction", "seconds")


def describe(predictions: DataFrame, rows: DataFrame, models: Mapping[str, StudyModel | Description]) -> DataFrame:
    """What each of the models was fed, how it differs from the study's, and what it cost: STUDY_MODELS."""
    training = rows.where("split = 'train'")
    found = training.agg(F.count(F.lit(1)).alias("rows"), *[F.count(name).alias(name) for name in NUMBERS]).first()
    stated = found.asDict() if found else {}
    inputs = [f"{name} (one-hot)" for name in CATEGORIES]
    inputs += [f"{name} (standardized)" for name in NUMBERS if stated[name]]
    described = [
        (name, model.representation, {key: float(value) for key, value in model.parameters.items()}, model.differs)
        for name, model in models.items()
    ]
    schema = "model string, representation string, parameters map<string,double>, differs string"
    catalogue = predictions.sparkSession.createDataFrame(described, schema)
    seconds = predictions.groupBy("region", "model").agg(F.max("seconds").alias("seconds"))
    return seconds.join(F.broadcast(catalogue), "model").select(
        "region",
        "model",
        "representation",
        "parameters",
        "differs",
        F.array(*[F.lit(name) for name in inputs]).alias("inputs"),
        F.array(*[F.lit(name) for name in NUMBERS if not stated[name]]).cast("array<string>").alias("absent_inputs"),
        F.lit(stated["rows"]).cast("bigint").alias("training_rows"),
        "seconds",
    )


def _fit_part(seed: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def fit(rows: pd.DataFrame) -> pd.DataFrame:
        started = time.process_time()
        model, part = str(rows["model"].iloc[0]), int(rows["part"].iloc[0])
        # Rows arrive in any order; sums of floats and the choice among equally near neighbours depend on it.
        rows = rows.sort_values("row_id", ignore_index=True)
        asked = rows[rows["split"] != "train"]
        prediction = predict_rows(rows[rows["split"] == "train"], asked, model, (seed, part))
        named = asked[["region", "model", "split", "row_id", "sold_by_volume", "units"]]
        return named.assign(prediction=prediction, seconds=time.process_time() - started)

    return fit


def predict_rows(train: pd.DataFrame, asked: pd.DataFrame, model: str, seed: tuple[int, int]) -> np.ndarray:
    """The units that `model` predicts for the rows `asked`, learned from the rows `train` alone."""
    encoder = Encoder.fit(train)
    return MODELS[model].predict(
        encoder.encode(train), train["units"].to_numpy(dtype=float), encoder.encode(asked), seed
    )


def _measure_split(predictions: pd.DataFrame) -> pd.DataFrame:
    named = {name: predictions[name].iloc[0] for name in ("region", "model", "split")}
    scopes = {"all": predictions, "pieces": predictions[~predictions["sold_by_volume"]]}
    return pd.DataFrame([{**named, "scope": scope, **study_metrics(part)} for scope, part in scopes.items()])


def study_metrics(predictions: pd.DataFrame) -> dict[str, float]:
    """The study's seven metrics of columns units and prediction, and how many rows MAPE leaves out."""
    y, y_hat = predictions["units"].to_numpy(dtype=float), predictions["prediction"].to_numpy(dtype=float)
    names = ("rmse", "correlation", "mae", "rae", "rrse", "mape", "r2")
    measured: dict[str, float] = {name: metrics.METRICS[name](y, y_hat) for name in names}
    return {"rows": len(y), "zeros_left_out": metrics.mape_left_out(y), **measured}
