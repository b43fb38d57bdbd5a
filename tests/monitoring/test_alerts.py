from datetime import date
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import MONDAY, frame, sale
from shelfcast import schemas
from shelfcast.cleaning.fate import tally_by_day
from shelfcast.monitoring.alerts import FINDINGS, Finding, as_alerts, at_or_above, told_once, without_accepted
from shelfcast.monitoring.store_days import sum_store_days
from shelfcast.monitoring.stores import judge_shares, new_stores, product_shares
from shelfcast.settings.monitoring import Accepted, Monitoring

DAY = date(2016, 12, 20)


def finding(store: str, found: float = 10.0, severity: str = "critical", **changes: Any) -> Finding:
    subject = f"{DAY}, store {store}"
    row = Finding(
        severity, "volume", subject, store, DAY, found, 3.0, severity == "critical", f"{subject}: {found} times"
    )
    return row._replace(**changes)


def test_what_befell_most_stores_on_a_day_is_told_once_with_the_worst(spark: SparkSession) -> None:
    others = [finding("9", check="copy"), finding("3", store_id=None, day=None, subject="price", reason="price: PSI")]
    rows = [finding("1"), finding("2", 12.0), finding("3", 0.2, "warning"), *others]
    found = {row.subject: row for row in told_once(spark.createDataFrame(rows, FINDINGS), 5).collect()}
    assert {*found} == {"2016-12-20, 3 of 5 stores", "2016-12-20, store 9", "price"}
    together = found["2016-12-20, 3 of 5 stores"]
    assert (together.severity, together.held, together.store_id, together.day) == ("critical", True, None, DAY)
    assert together.reason == "2016-12-20, 3 of 5 stores, such as store 2: 12.0 times"
    assert told_once(spark.createDataFrame(rows[:2], FINDINGS), 2).count() == 2
    of_all = finding("", store_id=None, subject=f"{DAY}, all stores", reason="all")
    assert [row.subject for row in told_once(spark.createDataFrame([*rows[:3], of_all], FINDINGS), 5).collect()] == [
        "2016-12-20, all stores"
    ]


def test_the_same_finding_has_the_same_name_and_a_worse_one_another(spark: SparkSession) -> None:
    rows = [finding("1"), finding("1", 11.0), finding("1", 2.0, "warning")]
    alerts = as_alerts(spark.createDataFrame([*rows, finding("1", severity="info")], FINDINGS))
    names = [row.alert_id for row in at_or_above(alerts, "warning").collect()]
    assert names[0] == names[1] != names[2]
    assert len(names) == 3


def test_accepted_days_are_information_and_held_no_longer(spark: SparkSession) -> None:
    rows = spark.createDataFrame([finding("1"), finding("2"), finding("3", day=None, held=False)], FINDINGS)
    chosen = without_accepted(rows, [Accepted(day=DAY, store="2")])
    assert [(row.store_id, row.severity, row.held) for row in chosen.orderBy("store_id").collect()] == [
        ("1", "critical", True),
        ("2", "info", False),
        ("3", "critical", False),
    ]
    assert without_accepted(rows, [Accepted(day=DAY)]).where("held").isEmpty()


def test_a_day_tells_its_rows_its_content_in_any_order_and_what_became_of_those_received(spark: SparkSession) -> None:
    goods = [("p1", 2.0), ("p2", 1.0), ("p3", 1.0)]
    days = {"a": goods, "b": goods[::-1], "twice": 2 * goods, "half": [*goods, goods[0]]}
    rows = [sale(units, store_id=store, product_id=name) for store, sold in days.items() for name, units in sold]
    fates = [*["clean"] * 3, *["duplicate"] * 2, "impossible_price"]
    columns = "store_id string, sold_on date, _fate string"
    judged = spark.createDataFrame([("a", MONDAY, fate) for fate in fates], columns)
    never = F.lit(None).cast("date")
    counts = tally_by_day(judged, F.col("sold_on"), never).withColumn("region", F.lit("here"))
    found = {row.store_id: row for row in sum_store_days(frame(spark, schemas.SALES, *rows), counts).collect()}
    assert found["a"].content == found["b"].content != found["half"].content
    assert {store for store, row in found.items() if row.twice} == {"twice"}
    assert (found["a"].rows, found["a"].units, found["twice"].rows) == (3.0, 4.0, 6.0)
    assert (found["a"].raw, found["a"].duplicates, found["a"].quarantined) == (6.0, 2.0, 1.0)


def test_a_store_that_opened_lately_is_new_and_the_first_ones_are_not(spark: SparkSession) -> None:
    rows = [("old", date(2016, 1, 1), 5.0), ("new", date(2016, 12, 1), 5.0), ("refused", date(2016, 12, 2), 0.0)]
    days = spark.createDataFrame(rows, "store_id string, day date, rows double")
    (row,) = new_stores(days, DAY, 28).collect()
    assert (row.severity, row.reason) == ("info", "store new: new, its first day is 2016-12-01")
    assert new_stores(days.where("store_id != 'old'"), DAY, 28).isEmpty()


def test_the_share_of_products_that_are_new_or_gone_is_that_of_their_revenue(spark: SparkSession) -> None:
    # a block of 28 days each: p1 sells in all; p2 in the two oldest; p3 in the newest alone
    sold = [("p1", 0), ("p1", 1), ("p1", 2), ("p2", 1), ("p2", 2), ("p3", 0)]
    rows = [sale(1.0, product_id=name, sold_on=date.fromordinal(DAY.toordinal() - 28 * block)) for name, block in sold]
    found = {
        row.block: (row.new, row.gone) for row in product_shares(frame(spark, schemas.SALES, *rows), DAY, 28).collect()
    }
    assert found == {0: (0.5, 0.5), 1: (0.0, 0.0)}


def test_a_share_of_new_products_beyond_that_of_earlier_weeks_is_told() -> None:
    quiet = [(0, 0.1, 0.1), (1, 0.08, 0.05), (2, 0.1, 0.07), (3, 0.12, 0.02)]
    assert judge_shares(quiet, Monitoring()) == []
    (found,) = judge_shares([(0, 0.4, 0.1), *quiet[1:]], Monitoring())
    assert found.reason == (
        "new products, last 4 weeks: 40% of the revenue is of products that never sold before them; 12% at most in "
        "earlier weeks"
    )
    assert judge_shares([(0, 0.9, 0.9), (1, 0.0, 0.0)], Monitoring()) == []
