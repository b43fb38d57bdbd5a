from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pytest
from chispa import assert_df_equality
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from builders import MONDAY, Row, demand, frame, product, sale
from shelfcast.demand import (
    UNCATALOGUED,
    as_counted,
    as_series,
    as_wanted,
    demand_class,
    join_category,
    known_on,
    sum_by_day,
    sum_by_period,
)
from shelfcast.schemas import DEMAND, PRODUCTS, SALES, SERIES

SOLD = f"{SALES.columns}, category_id string"
TUESDAY, SUNDAY, NEXT_MONDAY = date(2017, 1, 3), date(2017, 1, 8), date(2017, 1, 9)
KEY = ("basket_id", "product_id")


def sold(spark: SparkSession, *sales: Row) -> DataFrame:
    """Sales with the category of their product: c1 unless they say so."""
    return frame(spark, SOLD, *({"category_id": "c1", **row} for row in sales))


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        pytest.param(date(2017, 1, 1), {}, id="nothing-before-it-was-sold"),
        pytest.param(MONDAY, {"now": 5.0, "never": 1.0}, id="on-the-evening-it-was-sold"),
        pytest.param(
            SUNDAY, {"now": 5.0, "never": 1.0, "late": 1.0}, id="a-correction-known-later-is-not-seen-earlier"
        ),
        pytest.param(NEXT_MONDAY, {"now": 3.0, "never": 1.0, "late": 1.0}, id="it-is-seen-on-the-day-it-is-known"),
        pytest.param(date(2017, 2, 1), {"now": 4.0, "never": 1.0, "late": 1.0}, id="the-newest-of-several-wins"),
    ],
)
def test_each_sale_is_seen_as_it_was_known(spark: SparkSession, as_of: date, expected: dict[str, float]) -> None:
    sales = frame(
        spark,
        SALES,
        sale(5.0, basket_id="now"),
        sale(4.0, basket_id="now", known_from=date(2017, 1, 20)),
        sale(3.0, basket_id="now", known_from=NEXT_MONDAY),
        sale(1.0, basket_id="never"),
        sale(1.0, basket_id="late", known_from=SUNDAY),
    )
    assert {row.basket_id: row.quantity for row in known_on(sales, as_of, KEY).collect()} == expected


def test_the_same_basket_holds_a_version_of_each_product(spark: SparkSession) -> None:
    sales = frame(spark, SALES, *(sale(basket_id="b", product_id=name) for name in ("p1", "p2", "p3")))
    assert known_on(sales, SUNDAY, KEY).columns == SALES.names
    assert known_on(sales, SUNDAY, KEY).count() == 3


def test_without_a_key_equal_sales_are_sales_of_their_own(spark: SparkSession) -> None:
    sales = frame(spark, SALES, *(sale(basket_id=None) for _ in range(3)), sale(known_from=NEXT_MONDAY))
    assert known_on(sales, SUNDAY, ()).count() == 3


def test_a_product_that_the_catalogue_does_not_know_is_sold_all_the_same(spark: SparkSession) -> None:
    sales = frame(spark, SALES, sale(product_id="p1"), sale(product_id="unknown"))
    joined = join_category(sales, frame(spark, PRODUCTS, product("p1", "c1"), product("unsold", "c2")))
    assert {row.product_id: row.category_id for row in joined.collect()} == {"p1": "c1", "unknown": UNCATALOGUED}


def test_the_sales_of_a_day_are_one_row_and_returns_are_not_demand(spark: SparkSession) -> None:
    daily = sum_by_day(
        sold(
            spark,
            sale(2.0, unit_price=3.0, revenue=6.0, discount=0.5),
            sale(1.0, unit_price=6.0, revenue=5.0),
            sale(-4.0),
            sale(0.0, unit_price=None, revenue=0.0, discount=9.0),
            sale(900.0, capped_quantity=20.0, sold_on=TUESDAY, is_outlier=True),
            sale(-1.0, store_id="s2"),
        )
    )
    columns = DEMAND["daily"].columns.replace(", level string", "")
    day = {"region": "here", "store_id": "s1", "item_id": "p1", "category_id": "c1"}
    expected = frame(
        spark,
        columns,
        {**day, "day": MONDAY, "quantity": 3.0, "observed_quantity": 3.0, "revenue": 11.0, "discount": 0.5, "sales": 2}
        | {"unit_price": 4.0},
        {**day, "day": TUESDAY, "quantity": 20.0, "observed_quantity": 900.0, "revenue": 1800.0, "discount": 0.0}
        | {"sales": 1, "unit_price": 2.0},
    )
    assert_df_equality(daily, expected, ignore_row_order=True, ignore_column_order=True, ignore_nullable=True)


DAILY = DEMAND["daily"].columns


def day_of(quantity: float, day: date, **changes: Any) -> Row:
    """A row of daily product demand."""
    row = {"region": "here", "store_id": "s1", "item_id": "p1", "category_id": "c1", "day": day, "quantity": quantity}
    return {
        **row,
        "observed_quantity": quantity,
        "revenue": 0.0,
        "discount": 0.0,
        "sales": 1,
        "unit_price": 1.0,
        **changes,
    }


@pytest.mark.parametrize(
    ("period", "starts"),
    [
        pytest.param("day", ["2017-01-01", "2017-01-02", "2017-01-08", "2017-02-01"], id="a-day-is-itself"),
        pytest.param("week", ["2016-12-26", "2017-01-02", "2017-01-30"], id="a-week-begins-on-monday"),
        pytest.param("month", ["2017-01-01", "2017-02-01"], id="a-month-begins-on-its-first"),
    ],
)
def test_a_period_is_named_by_its_first_day(spark: SparkSession, period: str, starts: list[str]) -> None:
    days = (date(2017, 1, 1), date(2017, 1, 2), date(2017, 1, 8), date(2017, 2, 1))
    found = sum_by_period(frame(spark, DAILY, *(day_of(1.0, day) for day in days)), period).where("level = 'product'")
    assert sorted(str(row[period]) for row in found.collect()) == starts


def test_a_price_is_weighted_by_what_was_bought_at_it(spark: SparkSession) -> None:
    daily = frame(spark, DAILY, day_of(1.0, MONDAY, unit_price=4.0), day_of(3.0, TUESDAY, unit_price=2.0))
    assert {row.unit_price for row in sum_by_period(daily, "week").collect()} == {2.5}


def start_of(period: str, day: date) -> date:
    return day - timedelta(days=day.weekday()) if period == "week" else day.replace(day=1)


items = st.sampled_from([("p1", "c1"), ("p2", "c1"), ("p3", "c2"), ("p4", "c1")])
days = st.dates(date(2016, 12, 25), date(2017, 2, 5))
daily_rows = st.lists(
    st.tuples(st.sampled_from(["s1", "s2"]), items, days, st.integers(1, 9)),
    min_size=20,
    max_size=80,
    unique_by=lambda row: row[:3],
)


@given(daily_rows)
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_categories_sum_to_what_their_products_do_in_every_period_and_nothing_is_filled_in(
    spark: SparkSession, drawn: list[tuple[str, tuple[str, str], date, int]]
) -> None:
    rows = [
        day_of(float(units), day, store_id=store, item_id=item, category_id=category)
        for store, (item, category), day, units in drawn
    ]
    for period in ("week", "month"):
        wanted: defaultdict[tuple[Any, ...], float] = defaultdict(float)
        for store, (item, category), day, units in drawn:
            wanted["product", store, item, category, start_of(period, day)] += units
            wanted["category", store, category, category, start_of(period, day)] += units
        found = sum_by_period(frame(spark, DAILY, *rows), period).collect()
        keyed = {(r.level, r.store_id, r.item_id, r.category_id, r[period]): r.quantity for r in found}
        # As many rows as were sold in: a period without a sale has none.
        assert len(found) == len(wanted)
        assert keyed == wanted
        assert {*found[0].asDict()} == {*DEMAND[f"{period}ly"].names}
        for level in ("product", "category"):
            of_level = [row for row in found if row.level == level]
            assert sum(row.quantity for row in of_level) == sum(units for *_, units in drawn)
            assert sum(row.sales for row in of_level) == len(drawn)


# Weeks sold in -> units; worked by hand: adi = weeks from the first to the last sale / steps between sales,
# cv2 = population variance / squared mean of the units sold.
SERIES_BY_HAND = [
    pytest.param({0: 4, 1: 6, 2: 5}, 1.0, (2 / 3) / 25, "smooth", id="every-week-about-as-much-is-smooth"),
    pytest.param({0: 1, 1: 9, 2: 2}, 1.0, (38 / 3) / 16, "erratic", id="every-week-now-much-now-little-is-erratic"),
    pytest.param({0: 2, 3: 2, 4: 2}, 2.0, 0.0, "intermittent", id="the-same-now-and-then-is-intermittent"),
    pytest.param({0: 1, 5: 9}, 5.0, 16 / 25, "lumpy", id="much-or-little-now-and-then-is-lumpy"),
    pytest.param({7: 3}, None, None, "single", id="sold-in-one-week-has-no-interval"),
]


@pytest.mark.parametrize(("units", "adi", "cv2", "name"), SERIES_BY_HAND)
def test_series_measured_by_hand(
    spark: SparkSession, units: dict[int, float], adi: float | None, cv2: float | None, name: str
) -> None:
    weekly = [demand(float(n), MONDAY + timedelta(weeks=week)) for week, n in units.items()]
    series = as_series(frame(spark, DEMAND["weekly"], *weekly), sold(spark, sale()), date(2017, 12, 31), None)
    (found,) = series.where("level = 'product'").collect()
    assert (found.adi, found.cv2, found.demand_class) == (pytest.approx(adi), pytest.approx(cv2), name)
    assert (found.units, found.selling_weeks) == (sum(units.values()), len(units))
    assert found.first_week == MONDAY + timedelta(weeks=min(units))
    assert found.last_week == MONDAY + timedelta(weeks=max(units))


def test_the_limits_between_the_classes_belong_to_the_harder_one(spark: SparkSession) -> None:
    cases = [
        (2, 1.319, 0.489, "smooth"),
        (2, 1.319, 0.49, "erratic"),
        (2, 1.32, 0.489, "intermittent"),
        (2, 1.32, 0.49, "lumpy"),
        (1, None, None, "single"),
        (0, None, None, "none"),
        (None, None, None, "none"),
    ]
    columns = "selling_weeks bigint, adi double, cv2 double, wanted string"
    found = spark.createDataFrame(cases, columns).select("wanted", demand_class().alias("found")).collect()
    assert [row.found for row in found] == [row.wanted for row in found]


def test_a_product_that_was_only_listed_or_returned_is_a_series_without_units(spark: SparkSession) -> None:
    sales = sold(
        spark,
        sale(0.0, product_id="listed", category_id="c2"),
        sale(-1.0, product_id="returned", category_id="c2"),
        sale(2.0, product_id="p1"),
    )
    weekly = [demand(2.0), demand(2.0, level="category", item_id="c1")]
    series = as_series(frame(spark, DEMAND["weekly"], *weekly), sales, SUNDAY, 1)
    assert {*series.columns} == {*SERIES.names}
    found = {
        (r.level, r.item_id): (r.category_id, r.units, r.selling_weeks, r.demand_class, r.state)
        for r in series.collect()
    }
    assert found == {
        ("product", "p1"): ("c1", 2.0, 1, "single", "listed"),
        ("product", "listed"): ("c2", 0.0, 0, "none", "listed"),
        ("product", "returned"): ("c2", 0.0, 0, "none", "listed"),
        ("category", "c1"): ("c1", 2.0, 1, "single", "listed"),
        ("category", "c2"): ("c2", 0.0, 0, "none", "listed"),
    }


def test_a_week_in_which_all_demand_was_lost_is_no_selling_week(spark: SparkSession) -> None:
    rows = [demand(2.0, recovered_quantity=2.5), demand(0.0, NEXT_MONDAY, recovered_quantity=3.0)]
    series = as_series(frame(spark, DEMAND["weekly"], *rows), sold(spark, sale()), SUNDAY, None)
    (found,) = series.where("level = 'product'").collect()
    assert (found.selling_weeks, found.units, found.last_week, found.demand_class) == (1, 2.0, MONDAY, "single")


def test_what_was_wanted_is_what_is_recovered_and_where_that_is_not_known_what_sold(spark: SparkSession) -> None:
    rows = [demand(2.0, recovered_quantity=2.5), demand(4.0, NEXT_MONDAY)]
    found = as_wanted(frame(spark, DEMAND["weekly"], *rows)).collect()
    assert {row.week: row.quantity for row in found} == {MONDAY: 2.5, NEXT_MONDAY: 4.0}


def test_counts_stay_counts_at_least_what_sold_and_about_as_much_in_sum(spark: SparkSession) -> None:
    weeks = [MONDAY + timedelta(weeks=n) for n in range(400)]
    rows = [demand(2.0, week, recovered_quantity=2.3) for week in weeks] + [demand(0.5, MONDAY, item_id="fuel")]
    found = {
        (row.item_id, row.week): row.quantity
        for row in as_counted(frame(spark, DEMAND["weekly"], *rows), "week").collect()
    }
    assert found.pop(("fuel", MONDAY)) == 0.5
    assert {*found.values()} == {2.0, 3.0}
    # Of 400 draws of a chance of 0.3: four standard deviations.
    assert sum(found.values()) / 400 == pytest.approx(2.3, abs=0.09)


def test_what_was_lost_adds_up_to_weeks_and_categories(spark: SparkSession) -> None:
    lost = day_of(0.0, TUESDAY, item_id="p2", observed_quantity=0.0, sales=0, unit_price=None, recovered_quantity=1.5)
    daily = frame(spark, DAILY, day_of(2.0, MONDAY, recovered_quantity=2.25), lost)
    found = {(row.level, row.item_id): row for row in sum_by_period(daily, "week").collect()}
    assert {key: row.recovered_quantity for key, row in found.items()} == {
        ("product", "p1"): 2.25,
        ("product", "p2"): 1.5,
        ("category", "c1"): 3.75,
    }
    assert (found["product", "p2"].quantity, found["product", "p2"].unit_price) == (0.0, None)


@pytest.mark.parametrize(
    ("as_of", "after", "state"),
    [
        pytest.param(date(2017, 1, 22), 2, "listed", id="the-second-silent-week-is-not-over"),
        pytest.param(date(2017, 1, 23), 2, "ended", id="two-whole-weeks-of-silence-end-it"),
        pytest.param(date(2027, 1, 1), None, "listed", id="silence-says-nothing-where-the-configuration-says-so"),
    ],
)
def test_when_a_series_has_ended(spark: SparkSession, as_of: date, after: int | None, state: str) -> None:
    series = as_series(frame(spark, DEMAND["weekly"], demand()), sold(spark, sale()), as_of, after)
    assert [row.state for row in series.where("level = 'product'").collect()] == [state]
