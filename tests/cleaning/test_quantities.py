import math
from collections.abc import Mapping, Sequence
from datetime import date
from statistics import median
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from builders import Row, cleaning, frame, product, sale
from shelfcast.cleaning.quantities import learn_quantity_bounds, with_bounded_quantity
from shelfcast.config import Cleaning
from shelfcast.schemas import PRODUCTS, QUANTITY_BOUNDS, SALES

LEARNED_IN, LATER = date(2017, 3, 1), date(2017, 7, 1)
CATALOGUE = [
    *(product(name, "groceries") for name in ("soap", "rice", "salt", "thin rice", "new rice")),
    *(product(name, "fuel") for name in ("petrol", "thin petrol")),
    *(product(name, "books") for name in ("novel", "poem")),
]
NAMES = [*(str(row["product_id"]) for row in CATALOGUE), "unknown", "unknown too"]


def bought(product_id: str, *quantities: float, on: date = LEARNED_IN) -> list[Row]:
    return [sale(float(quantity), product_id=product_id, sold_on=on) for quantity in quantities]


def learn(spark: SparkSession, sales: list[Row], settings: Cleaning | None = None) -> dict[str, Any]:
    """The learned row of each product."""
    frames = frame(spark, SALES, *sales), frame(spark, PRODUCTS, *CATALOGUE)
    bounds = learn_quantity_bounds(*frames, settings or cleaning())
    assert {*bounds.columns, "region"} == {*QUANTITY_BOUNDS.names}
    return {row.product_id: row for row in bounds.collect()}


def bound(sales: Sequence[float], least_width: float = 0.5) -> float:
    """The bound of one product, by the book: six robust standard deviations of the logarithms above their median."""
    logs = [math.log(quantity) for quantity in sales]
    spread = 1.4826 * median(abs(log - median(logs)) for log in logs)
    return math.exp(median(logs) + 6 * max(spread, least_width))


def test_a_product_with_enough_sales_has_its_own_bound(spark: SparkSession) -> None:
    learned = learn(spark, bought("rice", 1, 2, 2, 8) + bought("soap", 1, 1, 1))
    rice, soap = learned["rice"], learned["soap"]
    # logs 0, ln 2, ln 2, 3 ln 2: their median ln 2, the deviations from it ln 2, 0, 0, 2 ln 2: median ln 2 / 2
    assert rice.upper_bound == pytest.approx(2 * math.exp(6 * 1.4826 * math.log(2) / 2))
    assert (rice.sales, rice.median_quantity, rice.learned_from) == (4, pytest.approx(2), "product")
    # bought one at a time: no spread at all would make a pair an outlier
    assert soap.upper_bound == pytest.approx(math.exp(6 * 0.5))


def test_a_thin_product_takes_the_bound_of_its_category_and_a_thin_category_that_of_all(spark: SparkSession) -> None:
    sales = {
        "rice": [2.0, 3.0, 4.0],
        "thin rice": [30.0, 40.0],
        "novel": [1.0],
        "poem": [1.0],
        "petrol": [9_000.0, 10_000.0, 12_000.0],
        "thin petrol": [8_000.0],
        "unknown": [5.0, 6.0],
        "unknown too": [7.0],
    }
    learned = learn(spark, [row for name, quantities in sales.items() for row in bought(name, *quantities)])
    everything = [quantity for quantities in sales.values() for quantity in quantities]
    wanted = {
        "rice": ("product", bound([2, 3, 4]), False),
        "thin rice": ("category", bound([2, 3, 4, 30, 40]), False),
        "petrol": ("product", bound([9_000, 10_000, 12_000]), True),
        "thin petrol": ("category", bound([9_000, 10_000, 12_000, 8_000]), True),
        "novel": ("all", bound(everything), False),
        "poem": ("all", bound(everything), False),
        # what the catalogue does not know is a category of its own
        "unknown": ("category", bound([5, 6, 7]), False),
        "unknown too": ("category", bound([5, 6, 7]), False),
    }
    found = {name: (row.learned_from, row.upper_bound, row.sold_by_volume) for name, row in learned.items()}
    assert found == {name: (source, pytest.approx(limit), volume) for name, (source, limit, volume) in wanted.items()}


def test_only_sales_teach_and_each_product_that_came_in_has_a_bound(spark: SparkSession) -> None:
    sales = bought("rice", 2, 3, 4, -50, -50, -50, 0, 0, 0) + bought("salt", -1) + bought("new rice", 0)
    learned = learn(spark, sales)
    assert {name: (row.sales, row.upper_bound) for name, row in learned.items()} == {
        "rice": (3, pytest.approx(bound([2, 3, 4]))),
        "salt": (0, pytest.approx(bound([2, 3, 4]))),
        "new rice": (0, pytest.approx(bound([2, 3, 4]))),
    }


def test_where_nothing_was_sold_before_the_bounds_are_learned_nothing_is_an_outlier(spark: SparkSession) -> None:
    later = frame(spark, SALES, *bought("rice", 2, 3, 9_000, on=LATER))
    bounds = learn_quantity_bounds(later, frame(spark, PRODUCTS, *CATALOGUE), cleaning())
    found = with_bounded_quantity(later, bounds, cleaning()).collect()
    assert [(row.capped_quantity, row.is_outlier) for row in found] == [(2, False), (3, False), (9_000, False)]
    assert [(row.sales, row.upper_bound, row.sold_by_volume) for row in bounds.collect()] == [(0, math.inf, False)]


quantities = st.one_of(st.integers(-5, 40), st.integers(1, 3), st.integers(5_000, 90_000)).map(float)
drawn_sales = st.lists(
    st.tuples(st.sampled_from(NAMES), quantities, st.sampled_from([LEARNED_IN, date(2017, 6, 30), LATER])),
    min_size=30,
    max_size=120,
)


def learned_by_hand(sales: list[tuple[str, float, date]]) -> Mapping[str, tuple[str, float]]:
    """The plain reading of the rules: product, else category, else all."""
    category = {row["product_id"]: row["category_id"] for row in CATALOGUE}
    taught = [(name, quantity) for name, quantity, day in sales if quantity > 0 and day <= date(2017, 6, 30)]

    def learn_one(name: str) -> tuple[str, float]:
        own = [quantity for other, quantity in taught if other == name]
        near = [quantity for other, quantity in taught if category.get(other) == category.get(name)]
        source, known = ("product", own) if len(own) >= 3 else ("category", near) if len(near) >= 3 else ("all", [])
        known = known or [quantity for _, quantity in taught]
        return source, bound(known) if known else math.inf

    return {name: learn_one(name) for name, _, _ in sales}


@given(drawn_sales)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bounds_agree_with_medians_in_plain_python_and_cut_the_future_unseen(
    spark: SparkSession, drawn: list[tuple[str, float, date]]
) -> None:
    sales = [sale(quantity, product_id=name, sold_on=day) for name, quantity, day in drawn]
    learned = learn(spark, sales)
    wanted = learned_by_hand(drawn)
    assert {name: (row.learned_from, row.upper_bound) for name, row in learned.items()} == {
        name: (source, pytest.approx(limit)) for name, (source, limit) in wanted.items()
    }
    # The truncation test: what is sold later teaches nothing.
    past = learn(spark, [row for row in sales if row["sold_on"] < LATER])
    assert past == {name: learned[name] for name in past}


@pytest.fixture(scope="module")
def receipts(spark: SparkSession) -> dict[str, Any]:
    """What becomes of one sale of each kind, by its basket, after ordinary sales have taught the bounds."""
    taught = bought("rice", 1, 2, 3) + bought("petrol", 9_000, 10_000, 11_000)
    cases = [
        sale(2.0, product_id="rice", basket_id="pair"),
        sale(5_000.0, product_id="rice", basket_id="slip"),
        sale(-5_000.0, product_id="rice", basket_id="slip taken back"),
        sale(0.0, product_id="rice", basket_id="coupon", unit_price=None),
        sale(10_004.0, product_id="petrol", basket_id="tank", unit_price=0.0025, revenue=25.01),
        sale(9_000_000.0, product_id="petrol", basket_id="lorry", unit_price=0.0025),
        sale(1.0, product_id="never taught", basket_id="new"),
    ]
    sales, products = frame(spark, SALES, *taught, *cases), frame(spark, PRODUCTS, *CATALOGUE)
    received = sales.drop("quantity", "capped_quantity", "is_outlier", "is_return")
    found = with_bounded_quantity(received, learn_quantity_bounds(received, products, cleaning()), cleaning())
    assert {*found.columns} == {*SALES.names}
    return {row.basket_id: row for row in found.collect()}


def test_an_outlier_is_capped_at_the_bound_and_keeps_its_quantity(receipts: dict[str, Any]) -> None:
    pair, slip = receipts["pair"], receipts["slip"]
    assert (pair.quantity, pair.capped_quantity, pair.is_outlier) == (2, 2, False)
    assert (slip.quantity, slip.capped_quantity, slip.is_outlier) == (
        5_000,
        pytest.approx(bound([1, 2, 3, 2, 5_000])),
        True,
    )


def test_a_return_is_flagged_and_neither_it_nor_a_scan_without_a_sale_is_capped(receipts: dict[str, Any]) -> None:
    back, coupon = receipts["slip taken back"], receipts["coupon"]
    assert (back.quantity, back.capped_quantity, back.is_return, back.is_outlier) == (-5_000, -5_000, True, False)
    assert (coupon.quantity, coupon.capped_quantity, coupon.is_return, coupon.is_outlier) == (0, 0, False, False)


def test_fuel_is_counted_in_gallons_at_a_price_per_gallon(receipts: dict[str, Any]) -> None:
    tank, lorry = receipts["tank"], receipts["lorry"]
    assert (tank.source_quantity, tank.quantity, tank.is_outlier) == (10_004, pytest.approx(10.004), False)
    assert (tank.unit_price, tank.revenue) == (pytest.approx(2.5), 25.01)
    limit = bound([9_000, 10_000, 11_000, 10_004, 9_000_000]) / 1000
    assert (lorry.quantity, lorry.capped_quantity, lorry.is_outlier) == (9_000, pytest.approx(limit), True)


def test_a_tank_of_fuel_does_not_swamp_the_groceries(receipts: dict[str, Any]) -> None:
    assert receipts["tank"].quantity < 10 * receipts["pair"].quantity


def test_each_unit_that_is_left_is_below_the_bound_and_no_more_than_was_bought(receipts: dict[str, Any]) -> None:
    assert all(abs(row.capped_quantity) <= abs(row.quantity) for row in receipts.values())
    assert receipts["new"].capped_quantity == 1
