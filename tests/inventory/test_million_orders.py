"""A million order lines, each of which must obey what it is ordered by."""

from datetime import date, timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from builders import frame
from shelfcast.inventory import limits, orders, tables
from shelfcast.inventory.planner import Planner

SUNDAY = date(2017, 1, 1)
SERIES, BUCKETS = 1_700_000, 170
PLANNER = Planner(
    as_of=SUNDAY,
    first_week=SUNDAY + timedelta(days=1),
    targets={"AX": ("cycle_service", 0.95), "CZ": ("fill_rate", 0.9)},
    review_days=7,
    # v0 takes orders on Wednesdays alone, v1 on Tuesdays and Sundays; the others on every day.
    order_days={"v0": (3,), "v1": (2, 7)},
    packs={},
    minima={f"p{number}": 24.0 for number in range(0, 1000, 7)},
    order_cost=2.0,
    holding_rate=0.25,
    max_cover_days=28,
    overstock_days=84,
    # What an order obeys does not rest on how well its levels are known.
    samples=20,
    level_variance=0.02,
    seed=27,
)


def known_series(spark: SparkSession) -> DataFrame:
    """Products that sell from 0.3 to 40 a week, in packs of 1 to 12, of ten vendors, on shelves that are nearly empty,
    with something on order for every third."""
    number = F.col("id")
    chance = [(F.pmod(F.xxhash64(number, F.lit(salt)), F.lit(10_000)) / 10_000) for salt in range(6)]
    weekly = 0.3 * F.pow(F.lit(130.0), chance[0])
    ago = F.sequence(F.lit(0), F.lit(7))
    recent = F.transform(
        ago, lambda week: F.struct(week.alias("ago"), F.rint(weekly * (1 + week % 3) / 2).alias("quantity"))
    )
    return spark.range(SERIES).select(
        F.pmod(F.xxhash64(number), F.lit(BUCKETS)).cast("int").alias("bucket"),
        F.concat(F.lit("s"), (number / 1000).cast("int")).alias("store_id"),
        F.concat(F.lit("p"), number % 1000).alias("product_id"),
        F.lit("c1").alias("category_id"),
        F.concat(F.lit("v"), number % 10).alias("vendor_id"),
        F.when(number % 2 == 0, "AX").otherwise("CZ").alias("class"),
        F.array_repeat(weekly, 4).alias("means"),
        F.array_repeat(F.lit(1 / 7), 7).alias("profile"),
        recent.alias("recent"),
        F.lit(None).cast("array<date>").alias("unknown"),
        F.array(F.lit(3), (4 + number % 5).cast("int")).alias("lead_days"),
        F.array(F.lit(0.4), F.lit(1.0)).alias("lead_chances"),
        (1 + 20 * chance[1]).alias("unit_cost"),
        (2 + 30 * chance[1]).alias("price"),
        F.element_at(F.array(*[F.lit(float(pack)) for pack in (1, 3, 6, 12)]), (number % 4 + 1).cast("int")).alias(
            "pack"
        ),
        F.floor(chance[2] * weekly).cast("double").alias("on_hand"),
        F.when(number % 3 == 0, F.floor(chance[3] * weekly)).otherwise(0.0).cast("double").alias("on_order"),
        F.lit(0.0).alias("promised"),
    )


@pytest.fixture(scope="module")
def policies(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    path = str(tmp_path_factory.mktemp("million") / "policies")
    named = {"region": F.lit("here"), "forecast_date": F.lit(SUNDAY)}
    PLANNER.plan(known_series(spark), BUCKETS).withColumns(named).write.parquet(path)
    return spark.read.parquet(path)


@pytest.fixture(scope="module")
def ordered(spark: SparkSession, policies: DataFrame, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    """The orders with the policies that they come of: s and S, position, pack, minimum."""
    rejected = frame(spark, "store_id string, product_id string, from_store string, rejected double")
    wanted = orders.orders(policies, frame(spark, tables.TRANSFERS), rejected, 0.25)
    least = {"v2": 5_000_000.0}
    found = limits.above_minima(limits.filled_up(wanted, least), least)
    of = policies.select("store_id", "product_id", "reorder_point", "order_up_to", "position", "pack", "minimum",
                         "on_hand", "on_order", "lead_days", "may_order")  # fmt: skip
    path = str(tmp_path_factory.mktemp("million") / "orders")
    found.join(of, ["store_id", "product_id"]).write.parquet(path)
    return spark.read.parquet(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("whole packs", "quantity % pack != 0"),
        ("the minimum", "quantity < minimum"),
        ("no pack too many", "quantity - pack >= greatest(order_up_to - position, minimum)"),
        ("up to the level", "position + quantity < order_up_to"),
        ("due at the reorder point alone", "is_due != (position <= reorder_point)"),
        ("what fills a vendor's least order is that vendor's", "not is_due and vendor_id != 'v2'"),
        ("what is on order is netted", "position != on_hand + on_order"),
        ("the vendor's days", "not may_order or vendor_id = 'v0'"),
        ("the lead time", "expected_on != date_add(forecast_date, int(ceil(lead_days)))"),
        ("a week that is not over", "need_by < date_add(forecast_date, -6)"),
    ],
)
def test_each_of_a_million_order_lines_obeys(ordered: DataFrame, what: str, wrong: str) -> None:
    assert ordered.count() > 1_000_000
    assert ordered.where(wrong).count() == 0, what


@pytest.mark.slow
def test_each_of_a_million_order_lines_has_a_name_of_its_own(ordered: DataFrame) -> None:
    assert ordered.select("order_id").distinct().count() == ordered.count()
