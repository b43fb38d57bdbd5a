import pytest
from pyspark.sql import SparkSession

from builders import frame
from shelfcast.insights import supply
from shelfcast.inventory import tables
from shelfcast.inventory.tables import ALL_STORES


def lead_times(vendor: str, days: list[int], chances: list[float], mean: float, **changes):
    row = {"vendor_id": vendor, "store_id": ALL_STORES, "vendor_orders": 20, "days": days, "chances": chances}
    return {**row, "mean": mean, **changes}


LEADS = [
    # Of ten orders one takes 3 days, eight take 5, one takes 9.
    lead_times("v1", [3, 5, 9], [0.1, 0.9, 1.0], 5.2),
    lead_times("v1", [3], [1.0], 3.0, store_id="s1"),
    lead_times("v2", [7], [1.0], 7.0),
    lead_times("rare", [4], [1.0], 4.0, vendor_orders=9),
]
COSTS = [
    {"product_id": "p1", "vendor_id": "v1", "purchase_price": 10.0, "freight": 0.4},
    {"product_id": "p2", "vendor_id": "v1", "purchase_price": 5.0, "freight": 0.2},
    {"product_id": "p3", "vendor_id": "v2", "purchase_price": None, "freight": None},
]


def test_a_vendor_is_measured_over_all_its_stores(spark: SparkSession) -> None:
    costs = frame(spark, tables.COSTS, *COSTS)
    found = {row.vendor_id: row for row in supply.vendors(frame(spark, tables.LEAD_TIMES, *LEADS), costs, 10).collect()}
    assert found.keys() == {"v1", "v2"}
    one, two = found["v1"], found["v2"]
    assert (one.mean_days, one.p10, one.p90, one.orders, one.products) == (5.2, 3, 5, 20, 2)
    # E[d^2] = 0.1 x 9 + 0.8 x 25 + 0.1 x 81
    assert one.variation == pytest.approx((29.0 - 5.2**2) ** 0.5 / 5.2)
    assert one.freight_share == pytest.approx(0.04)
    assert (two.variation, two.p10, two.p90, two.freight_share) == (0.0, 7, 7, None)


def test_excess_is_what_the_risks_call_overstock(spark: SparkSession) -> None:
    risks = [
        {"store_id": "s1", "product_id": "p1", "risk": "overstock", "units": 10.0, "value": 100.0},
        {"store_id": "s1", "product_id": "p2", "risk": "overstock", "units": 5.0, "value": None},
        {"store_id": "s1", "product_id": "p3", "risk": "stock_out", "units": 7.0, "value": 70.0},
    ]
    over = supply.excess(frame(spark, tables.RISKS, *risks))
    measured = spark.createDataFrame(
        [("s2", 9.0, 3.6, 0.4, 0.1)], "store_id string, units double, missed double, wape double, bias double"
    )
    rows = {row.store_id: row for row in supply.stores(measured, over).collect()}
    assert (rows["s1"].excess_products, rows["s1"].excess, rows["s1"].excess_value) == (2, 15.0, 100.0)
    assert (rows["s1"].wape, rows["s2"].wape, rows["s2"].excess) == (None, 0.4, None)
    (uncounted,) = supply.stores(measured, None).collect()
    assert (uncounted.store_id, uncounted.excess) == ("s2", None)


def test_moves_are_summed_from_store_to_store_and_valued_at_cost(spark: SparkSession) -> None:
    rows = [("p1", 5.0), ("p2", 1.0), ("unknown", 2.0)]
    moved = [
        {"product_id": product, "from_store": "s1", "to_store": "s2", "quantity": units, "status": "suggested"}
        for product, units in rows
    ]
    moved.append({**moved[0], "product_id": "refused", "status": "rejected"})
    costs = frame(spark, tables.COSTS, *COSTS)
    (row,) = supply.moves(frame(spark, tables.TRANSFERS, *moved), costs).collect()
    assert (row.from_store, row.to_store, row.products, row.quantity) == ("s1", "s2", 3, 8.0)
    assert row.value == pytest.approx(5 * 10.4 + 5.2)
