"""What may be as many as rows stays with the workers, and no row is left out."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from corner import Corner
from shelfcast.cleaning import versions
from shelfcast.judging import judged
from shelfcast.judging.contracts import join_references
from shelfcast.settings.contracts import Reference, Rule

DELIVERIES = "batch_id string, file string, _delivery bigint, delivered_on date, _overtaken_by bigint"


def plan_of(frame: DataFrame) -> str:
    return str(frame._jdf.queryExecution().executedPlan().toString())


@pytest.fixture
def large(spark: SparkSession) -> SparkSession:
    """A session to which every table is a large one."""
    for name in ("spark.sql.autoBroadcastJoinThreshold", "spark.sql.adaptive.autoBroadcastJoinThreshold"):
        spark.conf.set(name, "-1")
    return spark


def test_the_values_of_a_reference_do_not_go_through_the_driver(large: SparkSession) -> None:
    rule = Rule(
        name="listed", table="sales", severity="count", reference=Reference(column="product_id", table="products")
    )
    sales, products = (large.createDataFrame([("milk",)], "product_id string") for _ in range(2))
    joined = join_references(sales, [rule], {"listed": products})
    assert "Broadcast" not in plan_of(joined)
    assert joined.count() == 1


def test_the_business_keys_of_a_delivery_do_not_go_through_the_driver(large: SparkSession, tmp_path: Path) -> None:
    shop = Corner(large, tmp_path)
    fresh = large.createDataFrame([("a", "milk", "clean")], "basket_id string, product_id string, _fate string")
    raw = large.createDataFrame(
        [("s1", "a", "milk", "2017-01-02", "1", "2")],
        "store string, basket string, product string, day string, pieces string, money string",
    )
    run = SimpleNamespace(config=shop.runner.config)
    touched = judged._touched(run, "sales", raw, fresh)
    assert touched is not None
    assert "Broadcast" not in plan_of(touched)
    assert touched.count() == 1


def test_a_row_of_no_delivery_is_not_left_out_but_ends_the_job(spark: SparkSession) -> None:
    deliveries = spark.createDataFrame([("first", "sales-1.csv", 1, None, None)], DELIVERIES)
    rows = spark.createDataFrame(
        [("first", "sales-1.csv"), ("lost", "sales-2.csv")], "_batch_id string, _source_file string"
    )
    canonical = rows.select(F.struct("*").alias("_raw"))
    (kept,) = versions.with_delivery(canonical.where("_raw._batch_id = 'first'"), deliveries).collect()
    assert kept[versions.DELIVERY] == 1
    with pytest.raises(PySparkException, match=r"raw/ledger: no line of file sales-2\.csv in batch lost"):
        versions.with_delivery(canonical, deliveries).collect()
