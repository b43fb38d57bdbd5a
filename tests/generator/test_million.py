"""The study's scale: what a tiny chain is too small to show."""

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from generator_readers import Made
from shelfcast.generator.chain import CLASSES, load_chain
from shelfcast.generator.generate import generate
from shelfcast.generator.true_demand import with_true_demand

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def million(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Made:
    chain, out = load_chain("study"), tmp_path_factory.mktemp("million") / "study"
    return Made(chain, out, generate(spark, chain, out))


def test_the_rows_are_those_stated(million: Made) -> None:
    assert million.counts["SalesFINAL12312016"] == pytest.approx(1_050_000, rel=0.02)


def test_no_unit_is_lost(spark: SparkSession, million: Made) -> None:
    pairs = million.truth("pairs")
    assert (pairs["opening"] + pairs["received"] - pairs["sold"] == pairs["closing"]).all()
    assert units_in_clean_sales(spark, million) == pairs["sold"].sum()


def units_in_clean_sales(spark: SparkSession, million: Made) -> int:
    """The units of the rows that a cleaner would keep, read by Spark, without the truth's help."""
    rows = spark.read.csv(f"{million.out}/Sales*.csv", header=True)
    amount, price = (F.regexp_replace(name, ",", "").try_cast("double") for name in ("SalesDollars", "SalesPrice"))
    quantity = F.col("SalesQuantity").try_cast("int")
    kept = rows.where((F.abs(amount - quantity * price) < 0.005) & (price > 0)).where(
        "Store is not null and Brand is not null and VendorName is not null"
        " and SalesDate rlike '^(0[1-9]|[1-9]).*2016$' and SalesDate not like '31%'"
    )
    return int(kept.dropDuplicates(["Store", "Brand", "SalesDate"]).agg(F.sum(quantity)).first()[0])


def test_dirt_of_each_kind_comes_to_its_rate(million: Made) -> None:
    sales = million.dirty[million.dirty["file"].str.startswith("Sales")]["kind"].value_counts()
    for kind, rate in million.chain.dirt.sales:
        if kind != "thousands_separators":
            expected = rate * million.counts["SalesFINAL12312016"]
            assert sales.get(kind, 0) == pytest.approx(expected, abs=4 * np.sqrt(expected) + 1e-9)


def test_class_shares_are_those_stated(million: Made) -> None:
    found = million.truth("pairs")["demand_class"].value_counts(normalize=True)
    for name in CLASSES:
        assert found[name] == pytest.approx(getattr(million.chain.classes, name).share, abs=0.03)


def test_what_was_wanted_in_each_class_is_about_its_true_mean(spark: SparkSession, million: Made) -> None:
    truth = f"{million.out}/truth"
    pairs = spark.read.parquet(f"{truth}/pairs.parquet")
    first = F.lit(million.chain.first_day)
    day = F.explode(F.sequence(first, F.date_add(first, million.chain.days - 1))).alias("day")
    keys = pairs.select("store_id", "product_id", "drawn_class", day)
    true = with_true_demand(keys, truth).groupBy("drawn_class").agg(F.sum("mean"), F.sum("variance"))
    wanted = pairs.groupBy("drawn_class").agg(F.sum("wanted"))
    rows = true.join(wanted, "drawn_class").collect()
    assert len(rows) == len(CLASSES)
    for name, mean, variance, units in rows:
        assert abs(units - mean) < 4 * np.sqrt(variance), name
