import json

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast.forecasting.layout import in_files
from shelfcast.lake import Lake
from shelfcast.schemas import FORECASTS

STORES, ITEMS, FILES = 12, 40, 16
SCOPE = {"region": "here", "forecast_date": "2017-01-02"}


def forecasts(spark: SparkSession) -> DataFrame:
    """Every product in every store, a category of each store, and the sums; two steps ahead."""
    store = F.format_string("s%02d", F.col("id") % STORES)
    item = F.format_string("p%02d", (F.col("id") / STORES).cast("int"))
    products = spark.range(STORES * ITEMS).select(F.lit("product").alias("level"), store.alias("s"), item.alias("i"))
    levels = F.explode(F.array(*map(F.lit, ("category", "unlisted", "store"))))
    sums = spark.range(STORES).select(levels, store.alias("s"), F.lit("c1").alias("i"))
    region = spark.createDataFrame([("region", "(all)", "(all)")], "level string, s string, i string")
    rows = products.union(sums).union(region).withColumn("step", F.explode(F.array(F.lit(1), F.lit(2))))
    named = {"region": F.lit("here"), "forecast_date": F.lit("2017-01-02").cast("date"), "store_id": F.col("s")}
    named |= {"item_id": F.col("i"), "category_id": F.lit("c1"), "mean": F.lit(1.0), "method": F.lit("model")}
    rows = rows.withColumns(named)
    missing = {
        field.name: F.lit(None).cast(field.dataType) for field in FORECASTS.schema if field.name not in rows.columns
    }
    return rows.withColumns(missing).select(*FORECASTS.names)


@pytest.fixture(scope="module")
def files(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, dict[str, dict[str, str]]]]:
    """Of each file of the table its level, and what Delta keeps of it: the least and the greatest of its columns."""
    root = tmp_path_factory.mktemp("layout")
    rows = forecasts(spark)
    products = rows.where("level = 'product'").select("store_id", "item_id").distinct()
    dealt = in_files(rows, products, FILES)
    Lake(spark, str(root)).replace(FORECASTS, dealt, SCOPE, {"run_key": "a"})
    assert Lake(spark, str(root)).read(FORECASTS, "here").exceptAll(rows).isEmpty()
    log = (root / FORECASTS.name / "_delta_log" / f"{0:020}.json").read_text().splitlines()
    added = [action["add"] for action in map(json.loads, log) if "add" in action]
    return [(action["partitionValues"]["level"], json.loads(action["stats"])) for action in added]


def opened(files: list[tuple[str, dict[str, dict[str, str]]]], column: str, value: str) -> int:
    """How many files of products Delta cannot skip for who looks for the value."""
    of_products = [stats for level, stats in files if level == "product"]
    return sum(stats["minValues"][column] <= value <= stats["maxValues"][column] for stats in of_products)


def test_each_level_lies_in_few_files(files: list[tuple[str, dict[str, dict[str, str]]]]) -> None:
    counts = {name: sum(level == name for level, _ in files) for name in ("product", "category", "store", "region")}
    assert counts == {"product": FILES, "category": 2, "store": 1, "region": 1}


def test_who_reads_one_store_or_one_product_opens_one_side_of_the_grid(
    files: list[tuple[str, dict[str, dict[str, str]]]],
) -> None:
    assert {opened(files, "store_id", f"s{n:02}") for n in range(STORES)} == {4}
    assert {opened(files, "item_id", f"p{n:02}") for n in range(ITEMS)} == {4}
