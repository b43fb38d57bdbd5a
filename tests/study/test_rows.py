from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from builders import Row, frame, product, sale
from shelfcast.cleaning.supply import PRICES
from shelfcast.errors import ConfigError
from shelfcast.schemas import PRODUCTS, QUANTITY_BOUNDS, SALES
from shelfcast.study.rows import require_bounded, study_rows
from shelfcast.study.tables import STUDY_ROWS

JANUARY, FEBRUARY = date(2017, 1, 1), date(2017, 2, 1)
ALL = 1000


def rows_of(
    spark: SparkSession,
    sales: list[Row],
    products: Sequence[Row] = (),
    prices: Sequence[Row] = (),
    count: int = ALL,
    seed: int = 27,
) -> DataFrame:
    bounds = frame(spark, QUANTITY_BOUNDS, {"product_id": "fuel", "sold_by_volume": True})
    tables = frame(spark, SALES, *sales), frame(spark, PRODUCTS, *products), bounds, frame(spark, PRICES, *prices)
    return study_rows(*tables, count, seed)


def test_the_tax_is_that_of_one_unit_and_the_purchase_price_that_of_the_catalogue(spark: SparkSession) -> None:
    sales = [sale(3.0, excise_tax=2.4), sale(1.0, excise_tax=0.8), sale(1.0, product_id="p2")]
    prices = [{"product_id": "p1", "purchase_price": 9.28}]
    found = {row["product_id"]: row for row in rows_of(spark, sales, prices=prices).collect()}
    assert (found["p1"]["excise_tax"], found["p1"]["purchase_price"]) == (pytest.approx(0.8), 9.28)
    assert (found["p2"]["excise_tax"], found["p2"]["purchase_price"]) == (None, None)


def test_a_row_sums_a_month_of_a_store_and_product(spark: SparkSession) -> None:
    sales = [
        sale(1.0, unit_price=2.0),
        sale(3.0, unit_price=1.0, sold_on=date(2017, 1, 31)),
        sale(5.0, sold_on=date(2017, 2, 1)),
        sale(7.0, store_id="s2"),
        sale(9.0, product_id="p2"),
    ]
    found = rows_of(spark, sales).select("month", "store_id", "product_id", "units", "price")
    wanted = [
        (JANUARY, "s1", "p1", 4.0, 1.25),
        (FEBRUARY, "s1", "p1", 5.0, 2.0),
        (JANUARY, "s2", "p1", 7.0, 2.0),
        (JANUARY, "s1", "p2", 9.0, 2.0),
    ]
    columns = "month date, store_id string, product_id string, units double, price double"
    assert_df_equality(found, spark.createDataFrame(wanted, columns), ignore_row_order=True, ignore_nullable=True)


NO_SALES = [
    pytest.param(sale(-1.0), id="a-return"),
    pytest.param(sale(0.0, unit_price=None), id="a-listing-without-a-quantity"),
]


@pytest.mark.parametrize("row", NO_SALES)
def test_what_is_no_sale_makes_no_row(row: Row, spark: SparkSession) -> None:
    assert rows_of(spark, [row]).count() == 0


def test_the_units_are_those_sold_not_capped(spark: SparkSession) -> None:
    assert rows_of(spark, [sale(50.0, capped_quantity=9.0)]).first()["units"] == 50


def test_prices_that_are_equal_but_for_the_last_digit_of_a_sum_are_equal(spark: SparkSession) -> None:
    thirds = [sale(3.0, unit_price=0.1), sale(3.0, unit_price=0.2)]
    other = [sale(6.0, unit_price=0.15, store_id="s2")]
    assert rows_of(spark, thirds + other).select("price").distinct().count() == 1


def test_the_products_with_the_most_sales_are_kept_and_of_equals_the_first_by_name(spark: SparkSession) -> None:
    sales = [sale(99.0, product_id="once"), *[sale(product_id="b"), sale(product_id="a"), sale(product_id="c")] * 2]
    kept = rows_of(spark, sales, count=2).select("product_id").orderBy("product_id").collect()
    assert [row["product_id"] for row in kept] == ["a", "b"]


SIZES = [
    pytest.param({"size_ml": 750.0, "size_count": 4}, 750.0, id="millilitres-first"),
    pytest.param({"size_g": 340.0, "size_count": 4}, 340.0, id="else-grams"),
    pytest.param({"size_count": 4}, 4.0, id="else-pieces"),
    pytest.param({}, None, id="else-not-stated"),
]


@pytest.mark.parametrize(("stated", "size"), SIZES)
def test_a_size_is_in_its_labels_own_unit(stated: Row, size: float | None, spark: SparkSession) -> None:
    assert rows_of(spark, [sale()], [product(**stated)]).first()["size"] == size


def test_classification_and_vendor_are_the_catalogues(spark: SparkSession) -> None:
    sales = [sale(), sale(product_id="uncatalogued")]
    rows = rows_of(spark, sales, [product(department="DELI", vendor_id="v1")]).orderBy("product_id")
    described = [(row["classification"], row["vendor_id"]) for row in rows.collect()]
    assert described == [("DELI", "v1"), (None, None)]


def test_what_is_sold_by_volume_is_marked(spark: SparkSession) -> None:
    rows = rows_of(spark, [sale(product_id="fuel"), sale()]).orderBy("product_id").collect()
    assert [row["sold_by_volume"] for row in rows] == [True, False]


def test_the_rows_are_those_of_their_table(spark: SparkSession) -> None:
    found = {field.name: field.dataType for field in rows_of(spark, [sale()]).schema}
    assert found == {field.name: field.dataType for field in STUDY_ROWS.schema}


@pytest.fixture(scope="module")
def many(spark: SparkSession) -> DataFrame:
    """4,000 sales, each of a product of its own."""
    names = [(f"p{n}", "s1", date(2017, 1, 2), 1.0, 2.0, False, "here", None) for n in range(4000)]
    columns = "product_id string, store_id string, sold_on date, quantity double, unit_price double, is_return boolean"
    return spark.createDataFrame(names, f"{columns}, region string, excise_tax double").localCheckpoint()


def split_of(spark: SparkSession, sales: DataFrame, seed: int = 27) -> pd.Series:
    described = frame(spark, PRODUCTS), frame(spark, QUANTITY_BOUNDS), frame(spark, PRICES)
    rows = study_rows(sales, *described, 10_000, seed).select("product_id", "split").toPandas()
    return rows.set_index("product_id")["split"].sort_index()


def test_the_split_has_its_shares(spark: SparkSession, many: DataFrame) -> None:
    shares = split_of(spark, many).value_counts(normalize=True)
    for split, share in {"train": 0.70, "validation": 0.15, "test": 0.15}.items():
        # four standard deviations of a share of 4,000
        assert shares[split] == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 4000))


def test_the_split_hangs_on_the_seed_and_not_on_partitions_or_on_other_rows(
    spark: SparkSession, many: DataFrame
) -> None:
    split = split_of(spark, many)
    pd.testing.assert_series_equal(split_of(spark, many.orderBy(F.rand(1)).repartition(7)), split)
    fewer = split_of(spark, many.where("product_id like 'p1%'"))
    pd.testing.assert_series_equal(fewer, split[fewer.index])
    assert (split_of(spark, many, seed=28) != split).any()


REFUSED = [
    pytest.param(1_000_001, "study.max_rows: found 1,000,001 .*, wanted at most 1,000,000", id="too-many"),
    pytest.param(199, "study.products: found 199 .*, wanted at least 200", id="too-few-to-split"),
]


@pytest.mark.parametrize(("rows", "message"), REFUSED)
def test_a_number_of_rows_that_a_task_cannot_hold_or_split_is_refused(rows: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        require_bounded(rows, 1_000_000)


@pytest.mark.parametrize("rows", [200, 1_000_000])
def test_a_number_of_rows_at_the_bounds_is_not(rows: int) -> None:
    assert require_bounded(rows, 1_000_000) is None
