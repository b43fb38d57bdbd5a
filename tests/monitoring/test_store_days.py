"""Days of a chain of small stores: each sells too little for a day of its own to stand out."""

import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession

from builders import frame, sale
from shelfcast import schemas
from shelfcast.cleaning.fate import DAY_COUNTS
from shelfcast.monitoring.holds import without_held
from shelfcast.monitoring.judge import Judge
from shelfcast.monitoring.store_days import sum_store_days
from shelfcast.settings.monitoring import Monitoring

MONDAY, DAYS, STORES = date(2016, 9, 26), 44, 6
LAST = MONDAY + timedelta(days=DAYS - 1)
Sold = list[tuple[date, str, str, float]]


def sold() -> Sold:
    """One to three rows of each store on each day."""
    draw = random.Random(5)
    return [
        (MONDAY + timedelta(days=n), f"s{store}", f"p{product}", float(draw.randint(1, 3)))
        for n in range(DAYS)
        for store in range(STORES)
        for product in draw.sample(range(9), draw.randint(1, 3))
    ]


def but(change: Callable[[Sold], Sold], day: date = LAST) -> Sold:
    """What sold, changed on a day."""
    return [row for row in sold() if row[0] != day] + change([row for row in sold() if row[0] == day])


def sales_of(spark: SparkSession, rows: Sold) -> DataFrame:
    made = [sale(quantity, store_id=store, product_id=item, sold_on=day) for day, store, item, quantity in rows]
    return frame(spark, schemas.SALES, *made)


def tenfold(rows: Sold) -> Sold:
    return [(day, store, product, 10 * quantity) for day, store, product, quantity in rows]


@pytest.mark.parametrize(
    ("rows", "day", "said"),
    [
        pytest.param(sold(), None, None, id="as-usual"),
        pytest.param(but(tenfold), LAST, "times its usual Tuesday", id="ten-times-the-units"),
        pytest.param(but(lambda rows: 2 * rows), LAST, "rows is there twice", id="each-row-twice"),
        pytest.param(
            but(lambda _: [], LAST - timedelta(days=1)), LAST - timedelta(days=1), "nothing sold", id="missing"
        ),
        pytest.param(but(lambda rows: rows[:2]), None, None, id="one-store-alone-has-come"),
        pytest.param(but(lambda rows: tenfold(rows[:2]) * 9 + rows[2:]), None, None, id="one-store-alone-is-far-off"),
        pytest.param(
            but(lambda rows: [*rows, (LAST, "new", "p0", 900.0)]), None, None, id="a-store-that-hardly-sold-is-far-off"
        ),
    ],
)
def test_a_bad_day_of_small_stores_is_found_in_their_sum_and_nothing_learns_from_it(
    spark: SparkSession, rows: Sold, day: date | None, said: str | None
) -> None:
    sales = sales_of(spark, rows)
    judge = Judge(Monitoring(), LAST, frozenset())
    found = judge.findings_of_all(sum_store_days(sales, frame(spark, DAY_COUNTS)))
    told = [(row.severity, row.store_id, row.day, row.reason) for row in found.collect()]
    if day is None or said is None:
        assert told == []
        return
    ((severity, store, on, reason),) = told
    assert (severity, store, on) == ("critical", None, day)
    assert reason.startswith(f"{day}, all stores: ")
    assert said in reason
    left = without_held(sales, found.select("store_id", "day", "reason"))
    assert left.where(sales["sold_on"] == day).isEmpty()
    assert left.count() == sum(row[0] != day for row in rows)
