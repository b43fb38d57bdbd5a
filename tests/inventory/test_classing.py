import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from shelfcast.inventory.classes import CLASSES, Borders, abc, xyz
from shelfcast.inventory.classing import abc_class, share_before, with_shares, xyz_class

BORDERS = Borders()
VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=40)


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


@given(VALUES)
def test_of_two_products_the_one_of_more_value_is_in_no_later_class(values: list[float]) -> None:
    classes = abc(values, BORDERS)
    falling = np.argsort(-np.array(values), kind="stable")
    ranks = ["ABC".index(name) for name in classes[falling]]
    assert ranks == sorted(ranks)


@given(VALUES, st.lists(st.floats(0, 5), min_size=40, max_size=40))
def test_every_product_has_exactly_one_class(values: list[float], variation: list[float]) -> None:
    pairs = zip(abc(values, BORDERS), xyz(variation[: len(values)], BORDERS), strict=True)
    assert {first + second for first, second in pairs} <= {*CLASSES}
