"""What purchases, invoices and counts tell of lead times, costs and stock."""

from datetime import date, timedelta

import pytest
from pyspark.sql import SparkSession

from builders import MONDAY, frame, sale
from shelfcast import schemas
from shelfcast.cleaning import supply
from shelfcast.inventory.costs import freight_shares, product_costs
from shelfcast.inventory.lead_times import as_orders, fit_lead_times
from shelfcast.inventory.on_hand import roll_forward

ORDERS = "vendor_id string, store_id string, days int"
FREIGHT = "vendor_id string, freight_share double"


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def purchase(ordered: int, lead: int | None, quantity: float = 6.0, **changes):
    """A line of a purchase order of vendor v1, store s1 and product p1: days from the first Monday."""
    row = {"region": "here", "vendor_id": "v1", "store_id": "s1", "product_id": "p1", "po_number": f"{ordered}"}
    row |= {"ordered_on": day(ordered), "received_on": None if lead is None else day(ordered + lead)}
    return {**row, "quantity": quantity, "purchase_price": 5.0, "known_from": day(ordered), **changes}


def count(number: int, on_hand: float, moment: str = "closing", **changes):
    row = {"region": "here", "store_id": "s1", "product_id": "p1", "counted_on": day(number), "moment": moment}
    return {**row, "on_hand": on_hand, "known_from": day(number), **changes}


def test_an_order_of_many_lines_counts_once(spark: SparkSession) -> None:
    lines = [purchase(0, 4), purchase(0, 4, product_id="p2"), purchase(7, 6), purchase(0, 5, store_id="s2")]
    orders = as_orders(frame(spark, supply.PURCHASES, *lines), day(30))
    assert sorted(map(tuple, orders.collect())) == [("v1", "s1", 4), ("v1", "s1", 6), ("v1", "s2", 5)]


def test_orders_younger_than_the_longest_lead_time_are_left_out_for_the_slow_ones_among_them_are(
    spark: SparkSession,
) -> None:
    lines = [purchase(0, 10), purchase(14, 3), purchase(21, 3), purchase(15, None)]
    orders = as_orders(frame(spark, supply.PURCHASES, *lines), day(24))
    assert sorted(row.days for row in orders.collect()) == [3, 10]


def test_what_is_received_after_the_day_is_not_known_on_it(spark: SparkSession) -> None:
    orders = as_orders(frame(spark, supply.PURCHASES, purchase(0, 4), purchase(1, 40)), day(20))
    assert [row.days for row in orders.collect()] == [4]


def test_a_stores_lead_times_are_shrunk_to_its_vendors(spark: SparkSession) -> None:
    rows = [("v1", "s1", 4)] * 2 + [("v1", "s2", 8)] * 6
    found = {row.store_id: row for row in fit_lead_times(spark.createDataFrame(rows, ORDERS), 2.0).collect()}
    assert found["(all)"].days == [4, 8]
    assert found["(all)"].chances == pytest.approx([0.25, 1.0])
    # (2 + 2 x 0.25) / (2 + 2), and (0 + 2 x 0.25) / (6 + 2)
    assert found["s1"].chances == pytest.approx([0.625, 1.0])
    assert found["s2"].chances == pytest.approx([0.0625, 1.0])
    assert (found["s1"].orders, found["s1"].vendor_orders) == (2, 8)
    assert found["s1"].mean == pytest.approx(0.625 * 4 + 0.375 * 8)


def costs_of(spark: SparkSession, *lines, prices=(), shares=()) -> dict:
    found = product_costs(
        frame(spark, supply.PURCHASES, *lines), spark.createDataFrame(list(shares), FREIGHT),
        frame(spark, supply.PRICES, *prices), 3,
    )  # fmt: skip
    return {row.product_id: row for row in found.collect()}


def test_a_product_costs_what_its_newest_purchase_cost_and_its_part_of_the_freight(spark: SparkSession) -> None:
    listed = {"region": "here", "product_id": "p1", "vendor_id": "v9", "price": 8.0, "purchase_price": 9.9}
    lines = [purchase(7, 3, purchase_price=6.0), purchase(0, 3, purchase_price=5.0)]
    found = costs_of(spark, *lines, prices=[{**listed, "known_from": MONDAY}], shares=[("v1", 0.01), ("v9", 0.5)])["p1"]
    assert (found.vendor_id, found.purchase_price, found.price) == ("v1", 6.0, 8.0)
    assert found.freight == pytest.approx(0.06)


def test_a_product_that_was_never_bought_costs_what_the_catalogue_says(spark: SparkSession) -> None:
    listed = {"region": "here", "product_id": "p2", "vendor_id": "v9", "price": 8.0, "purchase_price": 4.0}
    found = costs_of(spark, purchase(0, 3), prices=[{**listed, "known_from": MONDAY}])["p2"]
    assert (found.vendor_id, found.purchase_price, found.freight, found.pack) == ("v9", 4.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("quantities", "pack"),
    [([12.0, 24.0, 36.0], 12.0), ([12.0, 18.0, 24.0], 6.0), ([12.0, 24.0], 1.0), ([6.0, 7.5, 12.0], 1.0)],
)
def test_the_pack_is_what_divides_all_quantities_of_lines_enough(
    spark: SparkSession, quantities: list[float], pack: float
) -> None:
    lines = [purchase(7 * number, 3, quantity) for number, quantity in enumerate(quantities)]
    assert costs_of(spark, *lines)["p1"].pack == pack


def test_freight_is_a_share_of_what_is_invoiced(spark: SparkSession) -> None:
    row = {"region": "here", "vendor_id": "v1", "po_number": "1", "known_from": MONDAY}
    rows = [{**row, "dollars": 100.0, "freight": 1.0}, {**row, "dollars": 300.0, "freight": 7.0}]
    shares = freight_shares(frame(spark, supply.INVOICES, *rows)).collect()
    assert [(row.vendor_id, row.freight_share) for row in shares] == [("v1", 0.02)]


def rolled(spark: SparkSession, counts, lines=(), sales=(), as_of: int = 10) -> dict:
    found = roll_forward(
        frame(spark, supply.STOCK, *counts), frame(spark, supply.PURCHASES, *lines),
        frame(spark, schemas.SALES, *sales), day(as_of),
    )  # fmt: skip
    return {(row.store_id, row.product_id): row for row in found.collect()}


def test_stock_is_the_count_and_what_came_less_what_sold_since(spark: SparkSession) -> None:
    sales = [
        sale(2.0, sold_on=day(4)),
        sale(3.0, sold_on=day(5)),
        sale(-1.0, sold_on=day(6)),
        sale(9.0, sold_on=day(11)),
    ]
    lines = [purchase(0, 4, 100.0), purchase(0, 6, 12.0, po_number="b"), purchase(9, 2, 50.0)]
    found = rolled(spark, [count(4, 7.0)], lines, sales)["s1", "p1"]
    assert (found.counted, found.received, found.sold, found.on_hand) == (7.0, 12.0, 2.0, 17.0)


def test_what_is_counted_at_an_opening_has_not_seen_its_day(spark: SparkSession) -> None:
    found = rolled(spark, [count(4, 7.0, "opening")], sales=[sale(2.0, sold_on=day(4))])
    assert found["s1", "p1"].on_hand == 5.0


def test_the_newest_count_of_the_store_holds_for_what_it_does_not_list(spark: SparkSession) -> None:
    counts = [count(0, 7.0), count(5, 3.0, product_id="p2"), count(12, 99.0), count(5, 1.0, "opening", product_id="p2")]
    found = rolled(spark, counts, [purchase(5, 3, 4.0)], [sale(1.0, sold_on=day(2))])
    assert {key: row.on_hand for key, row in found.items()} == {("s1", "p1"): 4.0, ("s1", "p2"): 3.0}


def test_books_that_lost_something_show_it_and_leave_no_debt(spark: SparkSession) -> None:
    found = rolled(spark, [count(0, 1.0)], sales=[sale(3.0, sold_on=day(1))])["s1", "p1"]
    assert (found.balance, found.on_hand) == (-2.0, 0.0)


def test_a_store_that_was_never_counted_has_no_stock_that_is_known(spark: SparkSession) -> None:
    assert ("s2", "p1") not in rolled(spark, [count(0, 1.0)], sales=[sale(1.0, store_id="s2", sold_on=day(1))])
