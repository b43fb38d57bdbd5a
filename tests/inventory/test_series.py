"""What a plan knows of each series."""

from datetime import timedelta

import numpy as np
import pytest
from pyspark.sql import SparkSession

from benchmarks.classes_in_memory import abc, xyz
from builders import MONDAY, demand, frame
from shelfcast import schemas
from shelfcast.inventory import classes, series, tables
from shelfcast.inventory.level import measure_lasting_variance, measure_level_variance

SERIES = "store_id string, product_id string"
DAILY = "store_id string, item_id string, day date, quantity double"
UNKNOWN = "store_id string, week date"
BACKTEST = "cutoff date, store_id string, item_id string, step int, y double, y_hat double"


def test_a_series_sells_on_the_days_of_its_own_shrunk_to_its_stores(spark: SparkSession) -> None:
    rows = [("s1", "p1", MONDAY, 30.0), ("s1", "p2", MONDAY + timedelta(days=1), 63.0)]
    known = spark.createDataFrame([("s1", "p1"), ("s1", "p3"), ("s2", "p1")], SERIES)
    found = series.with_weekdays(known, spark.createDataFrame(rows, DAILY), 7.0)
    profiles = {(row.store_id, row.product_id): row.profile for row in found.collect()}
    assert all(sum(profile) == pytest.approx(1.0) for profile in profiles.values())
    store = [31 / 100, 64 / 100, *[1 / 100] * 5]
    assert profiles["s1", "p3"] == pytest.approx(store)
    assert profiles["s1", "p1"] == pytest.approx(
        [(own + 7 * all_) / 37 for own, all_ in zip([30, *[0] * 6], store, strict=True)]
    )
    assert profiles["s2", "p1"] == pytest.approx([1 / 7] * 7)


def test_classes_are_those_of_the_formulae(spark: SparkSession) -> None:
    rng = np.random.default_rng(3)
    units = rng.negative_binomial(1, 0.2, (12, 40)) * (rng.random((12, 40)) < 0.8)
    units[:, 0] = np.maximum(units[:, 0], 1)
    weeks = [MONDAY + timedelta(weeks=week) for week in range(40)]
    sold = [
        demand(float(count), weeks[week], item_id=f"p{item:02}", revenue=float(count) * 2**item)
        for item in range(12)
        for week, count in enumerate(units[item])
        if count
    ]
    known = spark.createDataFrame([("s1", f"p{item:02}") for item in range(13)], SERIES)
    found = series.with_class(
        known, frame(spark, schemas.DEMAND["weekly"], *sold), weeks[-1], classes.Borders(), frame(spark, UNKNOWN)
    )
    variation = units.std(axis=1) / units.mean(axis=1)
    letters = abc(units.sum(axis=1) * 2.0 ** np.arange(12), classes.Borders())
    wanted = [f"{one}{other}" for one, other in zip(letters, xyz(variation, classes.Borders()), strict=True)]
    assert [row["class"] for row in found.orderBy("product_id").collect()] == [*wanted, "CZ"]


def test_a_series_that_was_out_of_stock_all_year_is_cz_and_all_of_a_store_that_took_nothing_is_c(
    spark: SparkSession,
) -> None:
    weeks = [MONDAY + timedelta(weeks=week) for week in range(3)]
    sold = [demand(0.0, weeks[0], revenue=0.0, recovered_quantity=3.0)]
    sold += [demand(4.0, week, item_id="p2", revenue=8.0) for week in weeks]
    # What is given away has no revenue.
    sold += [demand(4.0, week, store_id="s2", revenue=0.0) for week in weeks]
    known = spark.createDataFrame([("s1", "p1"), ("s1", "p2"), ("s2", "p1")], SERIES)
    found = series.with_class(
        known, frame(spark, schemas.DEMAND["weekly"], *sold), weeks[-1], classes.Borders(), frame(spark, UNKNOWN)
    )
    named = {(row.store_id, row.product_id): row["class"] for row in found.collect()}
    assert named == {("s1", "p1"): "CZ", ("s1", "p2"): "AX", ("s2", "p1"): "CX"}


def test_weeks_of_which_nothing_is_known_make_a_series_no_less_steady(spark: SparkSession) -> None:
    weeks = [MONDAY + timedelta(weeks=week) for week in range(12)]
    # Of week 3 a day's file came; in week 4 the store was closed; in week 5 one product did not sell.
    of_week = {3: 1.0, 4: 0.0, 5: 0.0}
    sold = [demand(of_week.get(n, 10.0), week, revenue=10.0) for n, week in enumerate(weeks) if n != 4]
    closed = [{"store_id": store, "week": weeks[n]} for store, n in (("s1", 3), ("s1", 4), ("s2", 5))]
    known, names = spark.createDataFrame([("s1", "p1")], SERIES), []
    for unknown in (closed, []):
        of = (frame(spark, schemas.DEMAND["weekly"], *sold), weeks[-1], classes.Borders(0.8, 0.95, 0.35, 1.0))
        names.append(series.with_class(known, *of, frame(spark, UNKNOWN, *unknown)).first()["class"])
    # Nine weeks of 10 and one without: a coefficient of variation of a third.
    assert names == ["AX", "AY"]
    hidden = series.with_unknown(known, frame(spark, UNKNOWN, *closed)).first()
    assert sorted(hidden.unknown) == weeks[3:5]


def test_a_store_without_orders_takes_its_vendors_lead_times_and_a_vendor_without_the_assumed_ones(
    spark: SparkSession,
) -> None:
    row = {"region": "here", "vendor_id": "v1", "chances": [1.0]}
    leads = [{**row, "store_id": "s1", "days": [3]}, {**row, "store_id": tables.ALL_STORES, "days": [5]}]
    known = spark.createDataFrame(
        [("s1", "p1", "v1"), ("s2", "p1", "v1"), ("s1", "p2", "v2"), ("s1", "p3", None)], f"{SERIES}, vendor_id string"
    )
    found = series.with_lead_times(known, frame(spark, tables.LEAD_TIMES, *leads), 9)
    days = {(row.store_id, row.product_id): row.lead_days for row in found.collect()}
    assert days == {("s1", "p1"): [3], ("s2", "p1"): [5], ("s1", "p2"): [9], ("s1", "p3"): [9]}


def test_stock_is_known_of_counted_stores_alone(spark: SparkSession) -> None:
    known = spark.createDataFrame([("s1", "p1"), ("s1", "p2"), ("s2", "p1")], SERIES)
    counted = frame(spark, tables.ON_HAND, {"store_id": "s1", "product_id": "p1", "on_hand": 4.0})
    due = [{"store_id": "s1", "product_id": "p2", "quantity": units} for units in (6.0, 2.0)]
    move = {"product_id": "p1", "from_store": "s1", "to_store": "s2", "quantity": 3.0, "given": True, "taken": True}
    moves = [move, {**move, "quantity": 99.0, "given": False, "taken": False}]
    open_ = frame(spark, tables.OPEN_ORDERS, *due), frame(spark, tables.OPEN_TRANSFERS, *moves)
    found = series.with_stock(known, counted, *open_)
    rows = {(row.store_id, row.product_id): (row.on_hand, row.on_order, row.promised) for row in found.collect()}
    assert rows == {("s1", "p1"): (4.0, 0.0, 3.0), ("s1", "p2"): (0.0, 8.0, 0.0), ("s2", "p1"): (None, 3.0, 0.0)}


@pytest.mark.parametrize(
    ("balance", "ordered", "to_come"),
    [
        pytest.param(2.0, 0.0, 18.0, id="nothing-of-it-has-sold"),
        pytest.param(-5.0, 0.0, 13.0, id="five-of-it-have-sold"),
        pytest.param(-18.0, 0.0, 0.0, id="all-of-it-has-sold"),
        pytest.param(-20.0, 6.0, 6.0, id="an-order-is-to-come-whatever-has-sold"),
    ],
)
def test_what_came_by_a_transfer_and_has_sold_is_to_come_no_more(
    spark: SparkSession, balance: float, ordered: float, to_come: float
) -> None:
    known = spark.createDataFrame([("s1", "p1")], SERIES)
    row = {"store_id": "s1", "product_id": "p1"}
    counted = frame(spark, tables.ON_HAND, {**row, "balance": balance, "on_hand": max(balance, 0.0)})
    due = frame(spark, tables.OPEN_ORDERS, {**row, "quantity": ordered})
    move = {"product_id": "p1", "from_store": "s2", "to_store": "s1", "quantity": 18.0, "given": True, "taken": True}
    found = series.with_stock(known, counted, due, frame(spark, tables.OPEN_TRANSFERS, move)).first()
    assert found is not None
    assert (found.on_hand, found.on_order) == (max(balance, 0.0), to_come)


def test_of_what_has_ended_and_is_not_planned_all_that_is_not_promised_is_too_much(spark: SparkSession) -> None:
    row = {"level": "product", "store_id": "s1", "state": "ended"}
    states = {"p1": "ended", "p2": "listed", "p3": "ended"}
    known = frame(spark, schemas.SERIES, *[row | {"item_id": name, "state": state} for name, state in states.items()])
    gone = series.ended(known, frame(spark, tables.POLICIES, {"store_id": "s1", "product_id": "p3"}))
    counted = frame(spark, tables.ON_HAND, {"store_id": "s1", "product_id": "p1", "on_hand": 9.5})
    move = {"product_id": "p1", "from_store": "s1", "to_store": "s2", "quantity": 3.0, "given": True, "taken": True}
    stocked = series.with_stock(
        gone, counted, frame(spark, tables.OPEN_ORDERS), frame(spark, tables.OPEN_TRANSFERS, move)
    )
    found = series.with_surplus(stocked).collect()
    assert [(row.store_id, row.product_id, row.surplus) for row in found] == [("s1", "p1", 6.0)]


@pytest.mark.parametrize("variance", [0.0, 0.3])
def test_the_level_that_weeks_share_is_found_beneath_the_noise_of_each(spark: SparkSession, variance: float) -> None:
    rng = np.random.default_rng(5)
    means = np.exp(rng.uniform(0, 3, 4000)).tolist()
    level = rng.gamma(1 / variance, variance, 4000) if variance else np.ones(4000)
    rates = [level * rng.gamma(1.0, 1.0, 4000) for _ in range(2)]
    rows = [
        (MONDAY, "s1", f"p{number}", step + 1, float(rng.poisson(means[number] * rates[step][number])), means[number])
        for number in range(4000)
        for step in range(2)
    ]
    assert measure_level_variance(spark.createDataFrame(rows, BACKTEST)) == pytest.approx(variance, abs=0.08)


def test_what_weeks_far_apart_share_is_no_promotion_with_the_dip_behind_it(spark: SparkSession) -> None:
    rng = np.random.default_rng(5)
    level, lift = rng.gamma(1 / 0.3, 0.3, 2000), rng.choice([0.9, -0.9], (4, 2000))
    # Two weeks each: what the one sells more the other lacks.
    rates = np.stack([1 + lift, 1 - lift], axis=1).reshape(8, 2000) * level
    rows = [
        (MONDAY, "s1", f"p{number}", step + 1, float(rng.poisson(9.0 * rates[step, number])), 9.0)
        for number in range(2000)
        for step in range(8)
    ]
    backtest = spark.createDataFrame(rows, BACKTEST)
    assert measure_level_variance(backtest) == 0.0
    assert measure_lasting_variance(backtest) == pytest.approx(0.3, abs=0.08)


def test_without_a_backtest_the_level_is_taken_as_known(spark: SparkSession) -> None:
    none = spark.createDataFrame([], BACKTEST)
    assert (measure_level_variance(none), measure_lasting_variance(none)) == (0.0, 0.0)


def test_the_weeks_that_sold_lately_are_told_by_how_long_ago_they_were(spark: SparkSession) -> None:
    sold = [demand(units, MONDAY + timedelta(weeks=week)) for units, week in ((3.0, 0), (5.0, 7), (9.0, 9))]
    known = spark.createDataFrame([("s1", "p1"), ("s1", "p2")], SERIES)
    last = MONDAY + timedelta(weeks=8)
    found = series.with_recent(known, frame(spark, schemas.DEMAND["weekly"], *sold), last, 8).collect()
    recent = {row.product_id: row.recent for row in found}
    assert [tuple(entry) for entry in recent["p1"]] == [(1, 5.0)]
    assert recent["p2"] is None
