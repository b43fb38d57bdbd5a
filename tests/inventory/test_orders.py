"""Orders, their limits, and what people decided on them."""

from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from builders import MONDAY, frame
from shelfcast.cleaning import supply
from shelfcast.errors import SchemaError
from shelfcast.inventory import decisions, limits, orders, tables, transfers

Row = dict[str, Any]
REJECTED = "store_id string, product_id string, from_store string, rejected double"
FILE = ", ".join(f"{name} string" for name in (*decisions.COLUMNS, decisions.GIVER)) + f", {decisions.TOLD} int"
SUGGESTED = (
    "order_id string, vendor_id string, status string, quantity double, cost double, value double, is_due boolean, "
    "days_until_due double"
)


def policy(product: str = "p1", need: float = 10.0, **changes: Any) -> Row:
    row = {"region": "here", "forecast_date": MONDAY, "bucket": 0, "store_id": "s1", "product_id": product}
    row |= {
        "vendor_id": "v1",
        "may_order": True,
        "lead_days": 4.5,
        "need": need,
        "pack": 6.0,
        "minimum": 0.0,
        "unit_cost": 5.0,
        "price": 8.0,
    }
    row |= {
        "reorder_point": 6.0,
        "order_up_to": 14.0,
        "position": 4.0,
        "daily_mean": 2.0,
        "shortfall": 3.0,
        "stock_out": 0.6,
        "stock_out_after": 0.02,
    }
    return {**row, "target": 0.9, "surplus": 0.0, "days_of_supply": 2.0, "need_by": MONDAY, **changes}


def ordered(spark: SparkSession, *rows: Row, moves: tuple[Row, ...] = (), refused: tuple[Row, ...] = ()) -> dict:
    moved = frame(spark, tables.TRANSFERS, *moves)
    found = orders.orders(frame(spark, tables.POLICIES, *rows), moved, frame(spark, REJECTED, *refused), 0.25)
    return {row.product_id: row for row in found.where("is_due").collect()}


def test_an_order_is_what_transfers_leave_in_whole_packs_with_its_cost_and_what_it_makes_of_the_risk(
    spark: SparkSession,
) -> None:
    move = {"product_id": "p2", "from_store": "s2", "to_store": "s1", "status": "suggested"}
    rows = [policy(), policy("p2", minimum=24.0), policy("p3", 3.0), policy("p4", 0.0)]
    refused = {**move, "product_id": "p1", "quantity": 10.0, "status": "rejected"}
    moves = ({**move, "quantity": 4.0}, {**move, "product_id": "p3", "quantity": 3.0}, refused)
    found = ordered(spark, *rows, moves=moves)
    assert {product: row.quantity for product, row in found.items()} == {"p1": 12.0, "p2": 24.0}
    row = found["p1"]
    assert (row.cost, row.stock_out, row.stock_out_after, row.days_of_supply) == (60.0, 0.6, 0.02, 8.0)
    assert (row.value, row.expected_on) == (8 * 3, MONDAY + timedelta(days=5))


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


@pytest.mark.parametrize(
    ("words", "named"),
    [
        pytest.param([], "{}", id="nothing decided"),
        pytest.param([("rejected", "6", 0, "")], "{}", id="refused: a later word may grant it"),
        pytest.param([("amended", "0", 0, "")], "{}", id="nothing granted"),
        pytest.param([("approved", "6", -80, "")], "{}", id="lapsed"),
        pytest.param([("amended", "6", 0, "")], "{}-2", id="a part granted"),
        pytest.param([("amended", "6", 0, ""), ("rejected", "6", 1, "-2")], "{}-2", id="the rest refused"),
        pytest.param([("amended", "6", 0, ""), ("approved", "6", 1, "-2")], "{}-3", id="the rest granted"),
        pytest.param([("approved", "6", 0, "-2"), ("rejected", "6", 1, "")], "{}-3", id="never one that is granted"),
    ],
)
@pytest.mark.parametrize("giver", [None, "s2"])
def test_what_is_left_of_a_need_is_an_order_of_its_own(
    spark: SparkSession, giver: str | None, words: list[tuple[str, str, int, str]], named: str
) -> None:
    name = decision(spark, "approved", "12", 0, giver=giver)["order_id"]
    told = [decision(spark, word, units, day, giver=giver, order_id=f"{name}{end}") for word, units, day, end in words]
    known = judged(spark, *told)
    assert known.where("problem is not null").isEmpty()
    wanted = frame(spark, tables.ORDERS, {"order_id": name})
    found = decisions.numbered(wanted, decisions.granted(known, _day(2), 60)).first()
    assert found is not None
    assert found.order_id == named.format(name)


def suggested(spark: SparkSession, *rows: tuple[str, str, float, float, float]) -> DataFrame:
    """Rows of (order_id, vendor_id, quantity, cost, value), all of them due."""
    named = [(name, vendor, "suggested", *numbers, True, 0.0) for name, vendor, *numbers in rows]
    return spark.createDataFrame(named, SUGGESTED)


def statuses(found: DataFrame) -> dict[str, str]:
    return {row.order_id: row.status for row in found.collect()}


@pytest.mark.parametrize(
    ("measure", "most", "over"),
    [
        pytest.param("cost", {"v1": 100.0}, "c", id="money"),
        pytest.param("cost", {"v1": 0.0, "v2": 90.0}, "abc", id="no money for one"),
        pytest.param("quantity", {"v1": 12.0}, "ac", id="units: what saves most a unit comes first"),
        pytest.param("quantity", {}, "", id="no limit"),
    ],
)
def test_a_limit_keeps_what_saves_most_for_what_is_scarce(
    spark: SparkSession, measure: str, most: dict[str, float], over: str
) -> None:
    rows = [("a", "v1", 25.0, 50.0, 45.0), ("b", "v1", 10.0, 40.0, 20.0), ("c", "v1", 10.0, 20.0, 4.0),
            ("d", "v2", 90.0, 90.0, 9.0)]  # fmt: skip
    found = limits.within_limits(suggested(spark, *rows), [limits.Limit("vendor_id", measure, most)])
    assert statuses(found) == {name: "over_limit" if name in over else "suggested" for name in "abcd"}


def wanted(spark: SparkSession, *rows: Row) -> DataFrame:
    moved = frame(spark, tables.TRANSFERS)
    return orders.orders(frame(spark, tables.POLICIES, *rows), moved, frame(spark, REJECTED), 0.25)


def spare(product: str, position: float, **changes: Any) -> Row:
    """A series that is not due, with room for six up to twelve units, at 5 each."""
    return policy(product, 0.0, position=position, need_by=MONDAY + timedelta(days=7), **changes)


# Due are 12 units of 5; the rest has room for 6 each, in this order of when it will be due.
FILLING = [policy(), spare("p2", 8.0), spare("p3", 9.0), spare("p4", 10.0), spare("p5", 14.0)]


@pytest.mark.parametrize(
    ("least", "products"),
    [
        pytest.param(60.0, {"p1"}, id="what is due suffices"),
        pytest.param(61.0, {"p1", "p2"}, id="one more"),
        pytest.param(120.0, {"p1", "p2", "p3"}, id="two more"),
        pytest.param(999.0, {"p1", "p2", "p3", "p4"}, id="all that has room"),
    ],
)
def test_orders_are_filled_up_to_the_vendors_least_order_by_what_is_due_soonest(
    spark: SparkSession, least: float, products: set[str]
) -> None:
    found = limits.filled_up(wanted(spark, *FILLING), {"v1": least})
    assert {row.product_id for row in found.collect()} == products
    status = set(statuses(limits.above_minima(found, {"v1": least})).values())
    assert status == ({"below_minimum"} if least == 999.0 else {"suggested"})


def test_a_vendor_of_whom_nothing_is_due_is_not_ordered_from(spark: SparkSession) -> None:
    assert limits.filled_up(wanted(spark, *FILLING[1:]), {"v1": 60.0}).count() == 0


def test_a_vendor_without_a_least_order_gets_what_is_due_alone(spark: SparkSession) -> None:
    rows = wanted(spark, *FILLING, policy("p6", vendor_id="v2"), policy("p7", vendor_id=None))
    found = limits.filled_up(rows, {"v2": 1000.0})
    assert {row.product_id for row in found.collect()} == {"p1", "p6", "p7"}
    assert {row.product_id for row in limits.filled_up(rows, {}).collect()} == {"p1", "p6", "p7"}


def store(name: str, surplus: float, need: float) -> Row:
    return policy(store_id=name, surplus=surplus, need=need, need_by=MONDAY if need else None)


def test_a_transfer_refused_lately_is_held_back_and_the_need_is_ordered(spark: SparkSession) -> None:
    refused = frame(spark, REJECTED, {"store_id": "s2", "product_id": "p1", "from_store": "s1", "rejected": 9.0})
    policies = frame(spark, tables.POLICIES, store("s1", 50.0, 0.0), store("s2", 0.0, 9.0), store("s3", 0.0, 7.0))
    moves = transfers.transfers(policies, refused, 0.25, 1)
    assert {row.to_store: (row.quantity, row.status) for row in moves.collect()} == {
        "s2": (9.0, "rejected"),
        "s3": (7.0, "suggested"),
    }
    found = orders.orders(policies, moves, refused, 0.25).where("is_due").collect()
    assert [(row.store_id, row.quantity, row.status) for row in found] == [("s2", 12.0, "suggested")]


def test_a_transfer_has_another_name_than_the_order_of_the_same_need(spark: SparkSession) -> None:
    policies = frame(spark, tables.POLICIES, store("s1", 50.0, 0.0), store("s2", 0.0, 9.0))
    move = transfers.transfers(policies, frame(spark, REJECTED), 0.25, 1).first()
    order = orders.orders(policies, frame(spark, tables.TRANSFERS), frame(spark, REJECTED), 0.25).first()
    assert move.order_id != order.order_id


def test_of_a_fill_rate_a_risk_is_what_misses_more_than_it_allows_however_likely_a_shortage_is(
    spark: SparkSession,
) -> None:
    shares = {"p1": 0.1, "p2": 0.11, "p3": None}
    rows = [policy(name, target_kind="fill_rate", missing_share=share) for name, share in shares.items()]
    rows += [policy("p4", target_kind="cycle_service", missing_share=0.0)]
    found = orders.risks(frame(spark, tables.POLICIES, *rows)).collect()
    assert {row.product_id: row.probability for row in found} == {"p2": 0.6, "p4": 0.6}


def test_risks_name_what_may_run_out_and_what_is_too_much(spark: SparkSession) -> None:
    rows = [policy(), policy("p2", stock_out=0.1), policy("p3", stock_out=0.0, surplus=7.0)]
    found = orders.risks(frame(spark, tables.POLICIES, *rows)).collect()
    assert {(row.product_id, row.risk, row.probability, row.units, row.value) for row in found} == {
        ("p1", "stock_out", 0.6, 3.0, 24.0),
        ("p3", "overstock", None, 7.0, 35.0),
    }


def decision(
    spark: SparkSession,
    word: str,
    quantity: str,
    day: int,
    product: str = "p1",
    giver: str | None = None,
    **changes: str,
) -> Row:
    vendor = None if giver else "v1"
    told = frame(spark, tables.POLICIES, policy(product, vendor_id=vendor))
    named = told.select(decisions.order_id(F.lit("here"), F.lit(giver).cast("string"))).first()
    assert named is not None
    row = {"order_id": named[0], "store_id": "s1", "vendor_id": vendor, "product_id": product, "from_store": giver}
    row |= {"need_by": str(MONDAY)}
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
        decision(spark, "approved", "12", 0, order_id=f"{decision(spark, 'approved', '12', 0)['order_id']}-more"),
    ]
    problems = [row.problem for row in judged(spark, *rows).collect()]
    assert problems == [
        None,
        "decision is none of approved, amended, rejected",
        "quantity is missing or below 0",
        "order_id is not of this order",
        "a date is missing or unreadable",
        "order_id is not of this order",
    ]
    with pytest.raises(SchemaError, match="file: no column quantity; found order_id"):
        decisions.judged(frame(spark, FILE, *rows).drop("quantity"), "here", "file")


def test_a_file_read_again_adds_nothing_and_a_corrected_row_takes_the_place_of_the_old(spark: SparkSession) -> None:
    first = judged(spark, decision(spark, "approved", "12", 0), decision(spark, "maybe", "12", 0, "p2"))
    again = decisions.merged(first, first)
    assert again.count() == 2
    told = ((2, "rejected"), (1, "amended"))
    words = [{**decision(spark, word, "6", 0), decisions.TOLD: at} for at, word in told]
    corrected = decisions.merged(again, judged(spark, *words))
    kept = corrected.where("problem is null").collect()
    assert [(row.decision, row.quantity) for row in kept] == [("rejected", 6.0)]


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
    assert [tuple(row) for row in refused.collect()] == [("s1", "p3", None, 12.0)]
    assert decisions.rejected(known, _day(16), 14).count() == 0


def test_a_transfer_is_open_for_each_store_until_that_is_counted_and_is_no_order(spark: SparkSession) -> None:
    known = judged(
        spark,
        decision(spark, "approved", "12", 0, giver="s2"),
        decision(spark, "amended", "5", 0, "p2", giver="s3"),
        decision(spark, "rejected", "7", 0, "p3", giver="s2"),
        decision(spark, "approved", "9", 0, "p4", giver="s9"),
    )
    assert known.where("problem is not null").count() == 0
    counts = [{"store_id": name, "product_id": "p1", "counted_on": _day(day)} for name, day in (("s1", 3), ("s2", -1))]
    counts.append({"store_id": "s3", "product_id": "p1", "counted_on": _day(4)})
    found = decisions.approved_transfers(known, frame(spark, tables.ON_HAND, *counts), _day(5), 60).collect()
    assert {(row.product_id, row.from_store, row.to_store, row.quantity, row.given, row.taken) for row in found} == {
        ("p1", "s2", "s1", 12.0, True, False),
        ("p4", "s9", "s1", 9.0, True, False),
    }
    assert decisions.approved(known, frame(spark, supply.PURCHASES), _day(5), 60).count() == 0
    assert [tuple(row) for row in decisions.rejected(known, _day(5), 14).collect()] == [("s1", "p3", "s2", 7.0)]


def test_a_transfer_is_open_for_as_long_as_no_count_shows_it_and_in_a_store_that_is_never_counted_until_it_lapses(
    spark: SparkSession,
) -> None:
    known = judged(spark, decision(spark, "approved", "12", -80, giver="s2"))
    counts = frame(spark, tables.ON_HAND, {"store_id": "s2", "product_id": "p1", "counted_on": _day(-90)})
    (found,) = decisions.approved_transfers(known, counts, _day(5), 60).collect()
    assert (found.given, found.taken) == (True, False)


def test_a_file_without_transfers_needs_no_column_for_them(spark: SparkSession) -> None:
    rows = frame(spark, FILE, decision(spark, "approved", "12", 0)).drop("from_store")
    assert [row.problem for row in decisions.judged(rows, "here", "file").collect()] == [None]


def test_what_is_bought_and_not_there_yet_is_on_order(spark: SparkSession) -> None:
    rows = [purchase(0, 5.0), purchase(1, 7.0, received=9), purchase(2, 4.0, received=4), purchase(-90, 3.0)]
    found = decisions.on_order(frame(spark, supply.PURCHASES, *rows), _day(5), 60)
    assert {(row.reference, row.quantity) for row in found.collect()} == {("0", 5.0), ("1", 7.0)}
