"""Orders, their limits, and what people decided on them."""

from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from builders import MONDAY, frame
from shelfcast.cleaning import supply
from shelfcast.errors import SchemaError
from shelfcast.inventory import decisions, orders, tables

Row = dict[str, Any]
REJECTED = "store_id string, product_id string, rejected double"
FILE = ", ".join(f"{name} string" for name in decisions.COLUMNS)
SUGGESTED = "order_id string, vendor_id string, status string, cost double, priority double"


def policy(product: str = "p1", need: float = 10.0, **changes: Any) -> Row:
    row = {"region": "here", "forecast_date": MONDAY, "bucket": 0, "store_id": "s1", "product_id": product}
    row |= {"vendor_id": "v1", "need": need, "pack": 6.0, "minimum": 0.0, "unit_cost": 5.0, "price": 8.0}
    row |= {"position": 4.0, "daily_mean": 2.0, "shortfall": 3.0, "stock_out": 0.6, "stock_out_after": 0.02}
    return {**row, "target": 0.9, "surplus": 0.0, "days_of_supply": 2.0, "need_by": MONDAY, **changes}


def ordered(spark: SparkSession, *rows: Row, moves: tuple[Row, ...] = (), refused: tuple[Row, ...] = ()) -> dict:
    moved = frame(spark, orders.TRANSFER_COLUMNS, *moves)
    found = orders.orders(frame(spark, tables.POLICIES, *rows), moved, frame(spark, REJECTED, *refused), 0.25)
    return {row.product_id: row for row in found.collect()}


def test_an_order_is_what_transfers_leave_in_whole_packs_with_its_cost_and_what_it_makes_of_the_risk(
    spark: SparkSession,
) -> None:
    move = {"product_id": "p2", "from_store": "s2", "to_store": "s1"}
    rows = [policy(), policy("p2", minimum=24.0), policy("p3", 3.0), policy("p4", 0.0)]
    found = ordered(spark, *rows, moves=({**move, "quantity": 4.0}, {**move, "product_id": "p3", "quantity": 3.0}))
    assert {product: row.quantity for product, row in found.items()} == {"p1": 12.0, "p2": 24.0}
    row = found["p1"]
    assert (row.cost, row.stock_out, row.stock_out_after, row.days_of_supply) == (60.0, 0.6, 0.02, 8.0)
    assert row.priority == pytest.approx(8 * 3 / 60)


def test_what_is_owed_of_a_product_that_nobody_asks_for_now_is_ordered_and_lasts_no_number_of_days(
    spark: SparkSession,
) -> None:
    row = ordered(spark, policy(position=-2.0, need=2.0, daily_mean=0.0))["p1"]
    assert (row.quantity, row.days_of_supply) == (6.0, None)


def test_a_refused_order_is_held_back_until_it_grows(spark: SparkSession) -> None:
    sizes = (("p1", 10.0), ("p2", 9.0))
    refused = tuple({"store_id": "s1", "product_id": name, "rejected": size} for name, size in sizes)
    found = ordered(spark, policy(), policy("p2"), policy("p3"), refused=refused)
    assert {product: row.status for product, row in found.items()} == {
        "p1": "rejected",
        "p2": "suggested",
        "p3": "suggested",
    }


def test_the_order_of_a_need_keeps_its_name_and_no_other_has_it(spark: SparkSession) -> None:
    day_later = {"forecast_date": MONDAY + timedelta(days=1)}
    names = [
        ordered(spark, row)["p1"].order_id
        for row in (policy(), policy(need=40.0, **day_later), policy(need_by=MONDAY + timedelta(days=7)))
    ]
    assert names[0] == names[1] != names[2]


def limited(spark: SparkSession, limits: dict[str, float]) -> dict[str, str]:
    rows = [("a", "v1", 50.0, 0.9), ("b", "v1", 40.0, 0.5), ("c", "v1", 20.0, 0.2), ("d", "v2", 90.0, 0.1)]
    frame = spark.createDataFrame([(name, vendor, "suggested", *rest) for name, vendor, *rest in rows], SUGGESTED)
    return {row.order_id: row.status for row in orders.within_limits(frame, "vendor_id", limits).collect()}


def test_a_limit_of_money_keeps_what_saves_most_for_its_cost(spark: SparkSession) -> None:
    kept = {"a": "suggested", "b": "suggested", "c": "over_limit", "d": "suggested"}
    assert limited(spark, {"v1": 100.0}) == kept
    assert limited(spark, {"v1": 0.0, "v2": 90.0}) == {**dict.fromkeys("abc", "over_limit"), "d": "suggested"}
    assert set(limited(spark, {}).values()) == {"suggested"}


def test_risks_name_what_may_run_out_and_what_is_too_much(spark: SparkSession) -> None:
    rows = [policy(), policy("p2", stock_out=0.1), policy("p3", stock_out=0.0, surplus=7.0)]
    found = orders.risks(frame(spark, tables.POLICIES, *rows)).collect()
    assert {(row.product_id, row.risk, row.probability, row.units, row.value) for row in found} == {
        ("p1", "stock_out", 0.6, 3.0, 24.0),
        ("p3", "overstock", None, 7.0, 35.0),
    }


def decision(spark: SparkSession, word: str, quantity: str, day: int, product: str = "p1", **changes: str) -> Row:
    named = frame(spark, tables.POLICIES, policy(product)).select(decisions.order_id(F.lit("here"))).first()
    assert named is not None
    row = {"order_id": named[0], "store_id": "s1", "vendor_id": "v1", "product_id": product, "need_by": str(MONDAY)}
    return {**row, "decision": word, "quantity": quantity, "decided_on": str(_day(day)), **changes}


def _day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def judged(spark: SparkSession, *rows: Row) -> DataFrame:
    return decisions.judged(frame(spark, FILE, *rows), "here", "file")


def test_a_decision_that_counts_for_nothing_says_why(spark: SparkSession) -> None:
    rows = [
        decision(spark, "Approved ", "12", 0),
        decision(spark, "maybe", "12", 0),
        decision(spark, "approved", "dozen", 0),
        decision(spark, "approved", "12", 0, order_id="0123"),
        decision(spark, "approved", "12", 0, decided_on="soon"),
    ]
    problems = [row.problem for row in judged(spark, *rows).collect()]
    assert problems == [
        None,
        "decision is none of approved, amended, rejected",
        "quantity is missing or below 0",
        "order_id is not of this order",
        "a date is missing or unreadable",
    ]
    with pytest.raises(SchemaError, match="file: no column quantity; found order_id"):
        decisions.judged(frame(spark, FILE, *rows).drop("quantity"), "here", "file")


def test_a_file_read_again_adds_nothing_and_a_corrected_row_takes_the_place_of_the_old(spark: SparkSession) -> None:
    first = judged(spark, decision(spark, "approved", "12", 0), decision(spark, "maybe", "12", 0, "p2"))
    again = decisions.merged(first, first)
    assert again.count() == 2
    corrected = decisions.merged(again, judged(spark, decision(spark, "amended", "6", 0)))
    kept = corrected.where("problem is null").collect()
    assert [(row.decision, row.quantity) for row in kept] == [("amended", 6.0)]


def purchase(day: int, quantity: float, product: str = "p1", received: int | None = None) -> Row:
    row = {"region": "here", "vendor_id": "v1", "store_id": "s1", "product_id": product, "po_number": f"{day}"}
    row |= {"ordered_on": _day(day), "received_on": None if received is None else _day(received)}
    return {**row, "quantity": quantity, "known_from": _day(day)}


def test_what_is_approved_is_open_until_it_is_bought_and_the_last_word_counts(spark: SparkSession) -> None:
    known = judged(
        spark,
        decision(spark, "approved", "12", 0),
        decision(spark, "approved", "12", 0, "p2"),
        decision(spark, "amended", "6", 1, "p2"),
        decision(spark, "approved", "12", 0, "p3"),
        decision(spark, "rejected", "12", 2, "p3"),
        decision(spark, "approved", "12", 9, "p4"),
        decision(spark, "approved", "12", 0, "p5"),
        decision(spark, "approved", "12", -80, "p6"),
    )
    bought = frame(spark, supply.PURCHASES, purchase(1, 8.0), purchase(-1, 99.0, "p2"), purchase(3, 12.0, "p5"))
    found = decisions.approved(known, bought, _day(5), 60)
    assert {row.product_id: row.quantity for row in found.collect()} == {"p1": 4.0, "p2": 6.0}
    refused = decisions.rejected(known, _day(5), 14)
    assert [tuple(row) for row in refused.collect()] == [("s1", "p3", 12.0)]
    assert decisions.rejected(known, _day(16), 14).count() == 0


def test_what_is_bought_and_not_there_yet_is_on_order(spark: SparkSession) -> None:
    rows = [purchase(0, 5.0), purchase(1, 7.0, received=9), purchase(2, 4.0, received=4), purchase(-90, 3.0)]
    found = decisions.on_order(frame(spark, supply.PURCHASES, *rows), _day(5), 60)
    assert {(row.reference, row.quantity) for row in found.collect()} == {("0", 5.0), ("1", 7.0)}
