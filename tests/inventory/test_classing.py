import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks.classes_in_memory import abc, xyz
from shelfcast.inventory.classes import Borders
from shelfcast.inventory.classing import abc_class, share_before, with_shares, xyz_class

BORDERS = Borders()


def test_classes_on_spark_are_those_of_the_formula_however_the_rows_lie(spark: SparkSession) -> None:
    draw = np.random.default_rng(5)
    # Values of very different size, some alike, some nothing.
    value = np.concatenate([draw.lognormal(3, 3, 300), np.full(20, 7.0), np.zeros(10)])
    variation = draw.uniform(0, 2, len(value))
    rows = [(f"p{n:04}", float(v), float(cv)) for n, (v, cv) in enumerate(zip(value, variation, strict=True))]
    frame = spark.createDataFrame(rows, "item_id string, revenue double, variation double").repartition(5, "variation")
    frame = frame.withColumn("store_id", F.lit("s1"))
    found = with_shares(frame, "revenue", "item_id").select(
        "item_id",
        abc_class(share_before("revenue", "item_id", "store_id"), F.col("revenue"), BORDERS).alias("abc_of_store"),
        abc_class(F.col("before"), F.col("revenue"), BORDERS).alias("abc"),
        xyz_class(F.col("variation"), BORDERS).alias("xyz"),
        "up_to",
    )
    table = found.orderBy("item_id").toPandas()
    assert table["abc"].tolist() == abc(value, BORDERS).tolist()
    assert table["abc_of_store"].tolist() == table["abc"].tolist()
    assert table["xyz"].tolist() == xyz(variation, BORDERS).tolist()
    falling = np.argsort(-value, kind="stable")
    shares = np.cumsum(value[falling]) / value.sum()
    assert table["up_to"].to_numpy()[falling] == pytest.approx(shares, rel=1e-9)


def test_where_nothing_is_worth_anything_all_are_c(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("a", 0.0), ("b", None)], "item_id string, revenue double")
    found = with_shares(frame, "revenue", "item_id").withColumn(
        "abc", abc_class(F.col("before"), F.coalesce("revenue", F.lit(0.0)), BORDERS)
    )
    assert [(row.abc, row.up_to) for row in found.collect()] == [("C", 1.0), ("C", 1.0)]


BORDERLINE = {
    # Who reaches over a border still belongs to the class before.
    "over a border": ([79.0, 2.0, 14.0, 5.0], "ACAB"),
    "equals rank by name": ([5.0] * 20, "A" * 16 + "B" * 3 + "C"),
    "nothing is worth anything": ([0.0, 0.0], "CC"),
    "one is worth nothing": ([1.0, 0.0], "AC"),
    "what came back is worth nothing": ([80.0, -60.0, 20.0], "ACB"),
}


def test_the_products_of_a_store_are_ranked_among_themselves(spark: SparkSession) -> None:
    rows = [(store, f"p{n:02}", value) for store, (values, _) in BORDERLINE.items() for n, value in enumerate(values)]
    frame = spark.createDataFrame(rows, "store_id string, item_id string, revenue double")
    found = frame.withColumn(
        "abc", abc_class(share_before("revenue", "item_id", "store_id"), F.col("revenue"), BORDERS)
    )
    classes = dict.fromkeys(BORDERLINE, "")
    for row in found.orderBy("item_id").collect():
        classes[row.store_id] += row.abc
    assert classes == {store: named for store, (_, named) in BORDERLINE.items()}


def test_variation_on_a_border_belongs_to_the_steadier_class_and_what_is_not_known_is_z(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(value,) for value in (0.5, 1.0, 1.01, None, float("nan"))], "variation double")
    found = frame.select(xyz_class(F.col("variation"), BORDERS).alias("xyz")).collect()
    assert [row.xyz for row in found] == ["X", "Y", "Z", "Z", "Z"]
