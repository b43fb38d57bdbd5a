from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession

from builders import MONDAY, Row, demand, frame, promotion, reference, sale
from shelfcast.config import Reference
from shelfcast.panels import (
    as_panel,
    bucket_of,
    by_bucket,
    deal_largest,
    demand_panel,
    hide_unknown,
    join_promotions,
    reference_panel,
    without_promotions,
)
from shelfcast.schemas import DEMAND, PANEL_DEMAND, PROMOTIONS, SALES, SERIES

WEEKS = [MONDAY + timedelta(weeks=n) for n in range(8)]
KEYS = ["store_id", "item_id", "category_id", "week"]
ROWS = "store_id string, item_id string, category_id string, week date, quantity double, promoted double"


def by_key(rows: DataFrame, *values: str) -> dict[tuple[Any, ...], Any]:
    """Store, item and week -> values; a key twice would be a row lost."""
    found = rows.collect()
    keyed = {(r.store_id, r.item_id, r.week): tuple(r[value] for value in values) for r in found}
    assert len(keyed) == len(found)
    return keyed


def draw_sales(seed: int, count: int = 600) -> pd.DataFrame:
    """Sales of ten stores of unequal size in five categories, some beyond the weeks, some returns, scans or
    outliers."""
    draw = np.random.default_rng(seed)
    stores, categories = np.array([f"s{n}" for n in range(10)]), np.array(["A", "B", "C", "FUEL", "TOYS"])
    quantity = draw.choice([1, 1, 2, 3, 0, -1, 98, 99, 100, 9_000], count).astype(float)
    return pd.DataFrame(
        {
            "store_id": stores[np.minimum(draw.geometric(0.3, count) - 1, 9)],
            "category_id": draw.choice(categories, count, p=[0.5, 0.25, 0.1, 0.1, 0.05]),
            "sold_on": [MONDAY + timedelta(days=int(day)) for day in draw.integers(-9, 7 * 8 + 9, count)],
            "source_quantity": quantity,
        }
    )


def select_by_hand(sales: pd.DataFrame, settings: Reference) -> pd.DataFrame:
    """The published selection, in pandas."""
    week = sales["sold_on"].map(lambda day: day - timedelta(days=day.weekday()))
    kept = sales[
        sales["source_quantity"].between(1, settings.max_quantity)
        & ~sales["category_id"].isin(settings.exclude_categories)
        & week.between(WEEKS[0], WEEKS[-1])
    ].assign(week=week)
    weekly = kept.groupby(["store_id", "category_id", "week"], as_index=False)["source_quantity"].sum()
    units = weekly.groupby("store_id")["source_quantity"].sum()
    largest = sorted(units.index, key=lambda store: (-units[store], store))[: settings.stores]
    of_series = weekly.groupby(["store_id", "category_id"])["source_quantity"].transform("sum")
    chosen = weekly["store_id"].isin(largest) & (of_series >= settings.min_units)
    return weekly.loc[chosen, :]


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(reference(), id="all-series"),
        pytest.param(reference(stores=4, min_units=80.0, exclude_categories=("FUEL", "TOYS")), id="the-large-ones"),
    ],
)
def test_the_reference_panel_agrees_with_pandas(spark: SparkSession, settings: Reference) -> None:
    sales = draw_sales(seed=settings.stores)
    wanted = select_by_hand(sales, settings)
    assert 0 < len(wanted) < len(sales)
    panel = reference_panel(spark.createDataFrame(sales), settings, WEEKS[0], WEEKS[-1])
    assert by_key(panel, "category_id", "quantity") == {
        (row.store_id, row.category_id, row.week): (row.category_id, row.source_quantity) for row in wanted.itertuples()
    }


def test_of_stores_of_one_size_the_first_by_name_is_taken(spark: SparkSession) -> None:
    sold = f"{SALES.columns}, category_id string"
    rows = [sale(5.0, store_id=store, category_id="c1") for store in ("s3", "s1", "s2")]
    panel = reference_panel(frame(spark, sold, *rows), reference(stores=2), WEEKS[0], WEEKS[-1])
    assert {store for store, _, _ in by_key(panel)} == {"s1", "s2"}


def test_a_panel_holds_the_given_series_in_the_given_weeks(spark: SparkSession) -> None:
    weekly = [
        *(demand(float(n + 1), week) for n, week in enumerate(WEEKS)),
        demand(9.0, WEEKS[1], item_id="other"),
        demand(9.0, WEEKS[1], store_id="s2"),
    ]
    series = frame(spark, SERIES, {"store_id": "s1", "item_id": "p1"}, {"store_id": "s2", "item_id": "other"})
    panel = demand_panel(frame(spark, DEMAND["weekly"], *weekly), series, WEEKS[1], WEEKS[3])
    assert by_key(panel, "category_id", "quantity") == {("s1", "p1", WEEKS[n]): ("c1", n + 1.0) for n in (1, 2, 3)}
    assert panel.columns == [*KEYS, "quantity"]


def cell(item: str, week: int, **values: float) -> Row:
    return {"store_id": "s1", "item_id": item, "category_id": "c1", "week": WEEKS[week], **values}


SOLD_ROWS = ROWS.removesuffix(", promoted double")


def test_a_promoted_week_without_a_sale_is_a_row_of_zero_and_so_is_one_ahead(spark: SparkSession) -> None:
    sold = cell("p1", 0, quantity=3.0), cell("p1", 1, quantity=4.0), cell("p2", 0, quantity=1.0)
    promotions = frame(
        spark,
        PROMOTIONS,
        *(promotion("p1", WEEKS[week]) for week in (1, 2, 7)),
        promotion("never sold", WEEKS[1]),
        promotion("p2", WEEKS[3], store_id="s2"),
    )
    joined = join_promotions(frame(spark, SOLD_ROWS, *sold), promotions, WEEKS[0], WEEKS[7])
    assert joined.dtypes == [tuple(column.split()) for column in ROWS.split(", ")]
    assert by_key(joined, "category_id", "quantity", "promoted") == {
        ("s1", "p1", WEEKS[0]): ("c1", 3.0, 0.0),
        ("s1", "p1", WEEKS[1]): ("c1", 4.0, 1.0),
        ("s1", "p1", WEEKS[2]): ("c1", 0.0, 1.0),
        ("s1", "p1", WEEKS[7]): ("c1", 0.0, 1.0),
        ("s1", "p2", WEEKS[0]): ("c1", 1.0, 0.0),
    }


def test_a_product_is_promoted_once_in_a_week_whatever_the_places(spark: SparkSession) -> None:
    promotions = frame(
        spark,
        PROMOTIONS,
        promotion("p1", WEEKS[1], display="3"),
        promotion("p1", WEEKS[1], display="9", mailer="A"),
        promotion("p1", WEEKS[1] + timedelta(days=6), display="1"),
    )
    joined = join_promotions(frame(spark, SOLD_ROWS, cell("p1", 1, quantity=4.0)), promotions, WEEKS[0], WEEKS[7])
    assert by_key(joined, "quantity", "promoted") == {("s1", "p1", WEEKS[1]): (4.0, 1.0)}


# Days from the first Monday, none where no end is told, and the weeks.
LASTING: dict[str, tuple[int, int | None, set[int]]] = {
    "each week that it lasts": (9, 21, {1, 2, 3}),
    "begun before the first": (-30, 6, {0}),
    "ends after the last": (55, 400, {7}),
    "no end is told": (13, None, {1}),
    "over before the first": (-30, -1, set()),
    "after the last": (56, 60, set()),
}


def test_a_promotion_is_one_of_each_week_that_it_touches(spark: SparkSession) -> None:
    promotions = [
        promotion(
            name, MONDAY + timedelta(days=begins), valid_to=None if ends is None else MONDAY + timedelta(days=ends)
        )
        for name, (begins, ends, _) in LASTING.items()
    ]
    sold = frame(spark, SOLD_ROWS, *(cell(name, 5, quantity=4.0) for name in LASTING))
    joined = join_promotions(sold, frame(spark, PROMOTIONS, *promotions), WEEKS[0], WEEKS[7])
    found = joined.where("promoted = 1").collect()
    weeks = {name: {WEEKS.index(row.week) for row in found if row.item_id == name} for name in LASTING}
    assert weeks == {name: weeks for name, (_, _, weeks) in LASTING.items()}


def test_a_panel_of_categories_is_never_promoted(spark: SparkSession) -> None:
    panel = without_promotions(frame(spark, SOLD_ROWS, cell("c1", 0, quantity=3.0)))
    assert by_key(panel, "quantity", "promoted") == {("s1", "c1", WEEKS[0]): (3.0, 0.0)}
    assert panel.columns == [*KEYS, "quantity", "promoted"]


# Units per item: the largest is neither the first nor the last; "b" and "d" are of one size.
UNITS = {"a": 1.0, "b": 4.0, "c": 9.0, "d": 4.0}


@pytest.mark.parametrize(
    ("ranked", "wanted"),
    [
        pytest.param(3, {"a": None, "b": 2, "c": 1, "d": 3}, id="the-three-largest-ties-by-name"),
        pytest.param(9, {"a": 4, "b": 2, "c": 1, "d": 3}, id="all-where-there-are-fewer"),
        pytest.param(0, dict.fromkeys("abcd"), id="none"),
    ],
)
def test_the_largest_series_are_ranked(spark: SparkSession, ranked: int, wanted: dict[str, int | None]) -> None:
    rows = [cell(item, week, quantity=units / 2, promoted=0.0) for item, units in UNITS.items() for week in (0, 1)]
    panel = as_panel(frame(spark, ROWS, *rows), "here", "product", 2, ranked)
    assert panel.columns == PANEL_DEMAND.names
    found = panel.collect()
    assert len(found) == len(rows)
    assert {row.item_id: row.size_rank for row in found} == wanted
    assert {(row.region, row.panel) for row in found} == {("here", "product")}


def test_the_ranked_series_are_dealt_out_evenly(spark: SparkSession) -> None:
    rows = [cell(item, week, quantity=units / 2, promoted=0.0) for item, units in UNITS.items() for week in (0, 1)]
    dealt = deal_largest(as_panel(frame(spark, ROWS, *rows), "here", "product", 5, ranked=3), 2)
    assert {(row.item_id, row.bucket) for row in dealt.collect()} == {("c", 1), ("b", 0), ("d", 1)}
    assert dealt.columns == PANEL_DEMAND.names


def test_the_stores_of_an_item_share_its_bucket(spark: SparkSession) -> None:
    rows = [cell("p1", 0, store_id=f"s{n}") for n in range(20)]
    assert frame(spark, ROWS, *rows).select(bucket_of(7)).distinct().count() == 1


def test_each_bucket_is_a_task_of_its_own(spark: SparkSession) -> None:
    rows = [cell(f"p{n}", 0) for n in range(200)]
    panel = frame(spark, ROWS, *rows).withColumn("bucket", bucket_of(7))

    def task_of(_: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"task": [TaskContext.get().partitionId()]})

    tasks = by_bucket(panel, 7).applyInPandas(task_of, "task int").collect()
    assert len({row.task for row in tasks}) == len(tasks) == 7


def test_a_series_is_in_one_bucket_and_the_same_one_in_any_frame(spark: SparkSession) -> None:
    rows = [cell(f"p{n}", week) for n in range(200) for week in (0, 1)]
    series = frame(spark, ROWS, *rows)
    first = series.select("item_id", bucket_of(7).alias("bucket")).distinct().collect()
    again = series.where("week > '2017-01-02'").repartition(3).select("item_id", bucket_of(7).alias("bucket")).collect()
    assert len(first) == 200
    assert {*first} == {*again}
    assert {row.bucket for row in first} == {*range(7)}


def test_weeks_end_on_sunday(spark: SparkSession) -> None:
    sold = f"{SALES.columns}, category_id string"
    days = (date(2017, 1, 8), date(2017, 1, 9))
    sales = frame(spark, sold, *(sale(category_id="c1", sold_on=day) for day in days))
    panel = reference_panel(sales, reference(), WEEKS[0], WEEKS[0])
    assert by_key(panel, "quantity") == {("s1", "c1", WEEKS[0]): (1.0,)}


def test_a_stores_weeks_of_which_nothing_is_known_are_null_for_each_of_its_series_and_no_others(
    spark: SparkSession,
) -> None:
    sold = [
        ("s1", "a", "c", WEEKS[0], 2.0, 0.0),
        ("s1", "a", "c", WEEKS[1], 3.0, 1.0),
        ("s2", "a", "c", WEEKS[1], 4.0, 0.0),
    ]
    unknown = spark.createDataFrame([("s1", WEEKS[1]), ("s1", WEEKS[2])], "store_id string, week date")
    found = by_key(hide_unknown(spark.createDataFrame(sold, ROWS), unknown), "quantity", "promoted")
    assert found == {
        ("s1", "a", WEEKS[0]): (2.0, 0.0),
        ("s1", "a", WEEKS[1]): (None, 1.0),
        ("s1", "a", WEEKS[2]): (None, 0.0),
        ("s2", "a", WEEKS[1]): (4.0, 0.0),
    }
