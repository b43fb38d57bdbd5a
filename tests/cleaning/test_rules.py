from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from builders import Row, cleaning, frame, product, promotion, sale
from shelfcast.cleaning.fate import with_fate
from shelfcast.cleaning.rules import product_rules, promotion_rules, purchase_rules, sales_rules
from shelfcast.schemas import PRODUCTS, PROMOTIONS, SALES
from shelfcast.table import Table

SALES_CASES = {
    "an-ordinary-sale-is-clean": (sale(), "clean"),
    "no-store": (sale(store_id=None), "missing_store"),
    "a-store-of-blanks": (sale(store_id="  "), "missing_store"),
    "no-product": (sale(product_id=None), "missing_product"),
    "an-empty-product": (sale(product_id=""), "missing_product"),
    "no-date": (sale(sold_on=None, known_from=None), "missing_or_unreadable_date"),
    "no-quantity": (sale(source_quantity=None), "missing_or_unreadable_quantity"),
    "a-quantity-that-is-no-number": (sale(source_quantity=float("nan")), "missing_or_unreadable_quantity"),
    "no-revenue": (sale(revenue=None), "missing_or_unreadable_revenue"),
    "a-revenue-that-is-no-number": (sale(revenue=float("nan")), "missing_or_unreadable_revenue"),
    "the-first-day-is-within-the-range": (sale(sold_on=date(2017, 1, 1)), "clean"),
    "the-last-day-is-within-the-range": (sale(sold_on=date(2017, 12, 31)), "clean"),
    "the-day-before-the-first": (sale(sold_on=date(2016, 12, 31)), "date_out_of_range"),
    "the-day-after-the-last": (sale(sold_on=date(2018, 1, 1)), "date_out_of_range"),
    "the-largest-quantity-is-clean": (sale(100_000.0), "clean"),
    "a-quantity-beyond-the-largest": (sale(100_001.0), "impossible_quantity"),
    "a-return-beyond-the-largest": (sale(-100_001.0), "impossible_quantity"),
    "an-infinite-quantity": (sale(float("inf")), "impossible_quantity"),
    "a-gift-is-clean": (sale(unit_price=0.0, revenue=0.0), "clean"),
    "a-negative-price": (sale(unit_price=-0.01), "impossible_price"),
    "the-highest-price-is-clean": (sale(unit_price=1000.0), "clean"),
    "a-price-beyond-the-highest": (sale(unit_price=1000.01), "impossible_price"),
    "a-sale-without-a-price-is-clean": (sale(unit_price=None), "clean"),
    "a-return-is-clean": (sale(-2.0), "clean"),
    "goods-back-and-money-in": (sale(-1.0, revenue=2.0), "contradictory_signs"),
    "goods-out-and-money-back": (sale(1.0, revenue=-2.0), "contradictory_signs"),
    "a-scan-without-a-sale-is-clean": (sale(0.0, unit_price=None), "clean"),
    "a-coupon-alone-is-clean": (sale(0.0, unit_price=None, revenue=-1.5), "clean"),
    "a-correction-a-week-later-is-clean": (sale(known_from=date(2017, 1, 9)), "clean"),
}
PRODUCT_CASES = {
    "an-ordinary-product-is-clean": (product(), "clean"),
    "no-number": (product(product_id=None), "missing_product"),  # type: ignore[arg-type]
    "a-number-of-blanks": (product(product_id=" "), "missing_product"),
}
PROMOTION_CASES = {
    "an-ordinary-promotion-is-clean": (promotion(), "clean"),
    "no-store": (promotion(store_id=None), "missing_store"),
    "no-product": (promotion(product_id=""), "missing_product"),
    "no-start": (promotion(valid_from=None, valid_to=date(2017, 1, 8)), "missing_or_unreadable_date"),  # type: ignore[arg-type]
    "no-end-is-clean": (promotion(valid_to=None), "clean"),
    "ends-the-day-before-it-starts": (promotion(valid_to=date(2017, 1, 1)), "ends_before_it_starts"),
}
Cases = Mapping[str, tuple[Row, str]]


def judge(spark: SparkSession, table: Table, rules: Mapping[str, Column], cases: Cases) -> dict[str, str]:
    """The fate of each case by its name: all in one frame."""
    rows = [{**row, "name": name} for name, (row, _) in cases.items()]
    canonical = frame(spark, f"{table.columns}, name string", *rows)
    judged = with_fate(canonical.select("*", F.struct("region", "name").alias("_raw")), rules)
    return {row.name: row._fate for row in judged.select("name", "_fate").collect()}


@pytest.fixture(scope="module")
def fate_of_sales(spark: SparkSession) -> dict[str, str]:
    return judge(spark, SALES, sales_rules(cleaning()), SALES_CASES)


@pytest.mark.parametrize("case", SALES_CASES)
def test_a_sale_is_refused_for_its_own_reason(fate_of_sales: dict[str, str], case: str) -> None:
    assert fate_of_sales[case] == SALES_CASES[case][1]


def test_every_rule_of_sales_has_refused_a_row(spark: SparkSession, fate_of_sales: dict[str, str]) -> None:
    assert spark.version  # the rules are Spark's expressions
    assert {*fate_of_sales.values()} - {"clean"} == {*sales_rules(cleaning())}


def test_without_a_last_day_sales_and_orders_are_of_days_until_now(spark: SparkSession) -> None:
    today, settings = date.today(), cleaning().model_copy(update={"last_day": None})
    sales = {
        "long after the example's year": (sale(sold_on=today - timedelta(days=9)), "clean"),
        "of today": (sale(sold_on=today), "clean"),
        "of next week": (sale(sold_on=today + timedelta(days=7)), "date_out_of_range"),
        "before the first": (sale(sold_on=date(2016, 12, 31)), "date_out_of_range"),
    }
    assert judge(spark, SALES, sales_rules(settings), sales) == {name: fate for name, (_, fate) in sales.items()}
    line = {"po_number": "1", "store_id": "s1", "product_id": "p1", "quantity": 1.0}
    orders = {
        "of today": ({**line, "ordered_on": today}, "clean"),
        "of another age": ({**line, "ordered_on": today.replace(year=today.year + 2, day=1)}, "date_out_of_range"),
    }
    told = "po_number string, store_id string, product_id string, ordered_on date, received_on date, quantity double"
    table = Table("", f"{told}, purchase_price double, dollars double, region string", key=())
    assert judge(spark, table, purchase_rules(settings), orders) == {name: fate for name, (_, fate) in orders.items()}


def test_a_product_is_refused_for_its_own_reason(spark: SparkSession) -> None:
    wanted = {name: fate for name, (_, fate) in PRODUCT_CASES.items()}
    assert judge(spark, PRODUCTS, product_rules(), PRODUCT_CASES) == wanted


def test_a_promotion_is_refused_for_its_own_reason(spark: SparkSession) -> None:
    wanted = {name: fate for name, (_, fate) in PROMOTION_CASES.items()}
    assert judge(spark, PROMOTIONS, promotion_rules(), PROMOTION_CASES) == wanted
