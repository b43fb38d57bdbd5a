from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from builders import demand, frame
from panel_builders import week
from shelfcast.forecasting.unlisted import (
    METHOD,
    NOT_LISTED_YET,
    PRIOR_UNITS,
    forecast_unlisted,
    share_not_listed,
    sum_new_sales,
)
from shelfcast.schemas import DEMAND

CATEGORIES = "cutoff date, store_id string, category_id string, step int"
DATED = f"{CATEGORIES}, week date, y double"
SPLIT = f"{CATEGORIES}, unlisted double"
HORIZON = 2
FEW_EXAMPLES = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# (store, item) -> week number -> units; all of category c1
Sales = Mapping[tuple[str, str], Mapping[int, float]]


def weekly(spark: SparkSession, sold: Sales) -> DataFrame:
    rows = [
        demand(units, week(n), store_id=store, item_id=item)
        for (store, item), weeks in sold.items()
        for n, units in weeks.items()
    ]
    return frame(spark, DEMAND["weekly"], *rows)


def shares(
    spark: SparkSession, sold: Sales, cutoffs: Sequence[int], stores: Sequence[str], horizon: int = HORIZON
) -> dict[tuple[int, str, int], float]:
    rows = [
        {"cutoff": week(cutoff), "store_id": store, "category_id": "c1", "step": step + 1}
        for cutoff in cutoffs
        for store in stores
        for step in range(horizon)
    ]
    numbers = {week(cutoff): cutoff for cutoff in cutoffs}
    new_sales = sum_new_sales(weekly(spark, sold), horizon)
    found = share_not_listed(frame(spark, CATEGORIES, *rows), new_sales, horizon).collect()
    assert len(found) == len(rows)
    return {(numbers[row["cutoff"]], row["store_id"], row["step"]): row["unlisted"] for row in found}


def test_new_sales_are_those_of_products_first_sold_so_few_weeks_before(spark: SparkSession) -> None:
    sold = {("s1", "old"): {0: 5.0, 4: 2.0}, ("s1", "new"): {3: 1.0, 4: 3.0, 6: 4.0}, ("s2", "old"): {4: 7.0}}
    found = {
        (row["store_id"], row["week"]): (row["units"], row["new"])
        for row in sum_new_sales(weekly(spark, sold), 2).collect()
    }
    assert found == {
        ("s1", week(0)): (5.0, [5.0, 5.0]),
        ("s1", week(3)): (1.0, [1.0, 1.0]),
        # a week after its first sale it is new to an origin two weeks back alone
        ("s1", week(4)): (5.0, [0.0, 3.0]),
        ("s1", week(6)): (4.0, [0.0, 0.0]),
        # another store's first sale is its own
        ("s2", week(4)): (7.0, [7.0, 7.0]),
    }


def held(new: float, units: float, of: float) -> float:
    return (new + PRIOR_UNITS * of) / (units + PRIOR_UNITS)


def test_the_share_of_each_step_is_that_of_the_last_weeks_held_to_all_stores(spark: SparkSession) -> None:
    old = dict.fromkeys(range(10), 10.0)
    sold = {("s1", "old"): old, ("s2", "old"): old, ("s1", "new"): {8: 20.0, 9: 40.0}}
    found = shares(spark, sold, [9], ["s1", "s2"])
    # weeks 8 and 9: s1 sold 80 units, of them 20 in the product's first week, 60 in its first two; s2 20 old ones
    expected = {}
    for step, new in ((1, 20.0), (2, 60.0)):
        of_category = held(new, 100, new / 100)
        expected |= {(9, "s1", step): held(new, 80, of_category), (9, "s2", step): held(0, 20, of_category)}
    assert found == pytest.approx(expected)


def test_a_week_counts_where_the_origin_before_it_knew_the_category(spark: SparkSession) -> None:
    # all that a store sells is new in its first weeks, and no forecast was made there before
    sold = {("s1", "first"): {8: 10.0, 9: 10.0}}
    assert set(shares(spark, sold, [9], ["s1"]).values()) == {0.0}


def test_what_sells_after_the_cutoff_changes_no_share(spark: SparkSession) -> None:
    sold = {("s1", "old"): dict.fromkeys(range(12), 10.0), ("s1", "new"): {5: 4.0, 6: 8.0}}
    known = shares(spark, sold, [6], ["s1"])
    later = shares(spark, {**sold, ("s1", "newer"): {7: 900.0}}, [6], ["s1"])
    assert known == later
    assert min(known.values()) > 0


def test_a_chain_where_nothing_new_sells_has_share_zero(spark: SparkSession) -> None:
    sold = {(store, item): dict.fromkeys(range(9), 3.0) for store in ("s1", "s2") for item in ("p1", "p2")}
    found = shares(spark, sold, [5, 8], ["s1", "s2", "silent"])
    assert set(found.values()) == {0.0}


weeks_sold = st.dictionaries(st.integers(0, 9), st.integers(1, 50).map(float), min_size=1, max_size=5)
chains = st.dictionaries(
    st.tuples(st.sampled_from(["s1", "s2", "s3"]), st.sampled_from("abcdef")), weeks_sold, min_size=1
)


@given(chains)
@FEW_EXAMPLES
def test_a_share_is_a_share_and_grows_with_the_step_where_all_weeks_count(spark: SparkSession, sold: Sales) -> None:
    stores = ("s1", "s2", "s3")
    known_for_long = {**sold, **{(store, "always"): {-5: 1.0} for store in stores}}
    found = shares(spark, known_for_long, [6, 9], [*stores, "never"], horizon=3)
    assert all(0 <= share <= 1 for share in found.values())
    for cutoff, store in {(cutoff, store) for cutoff, store, _ in found}:
        steps = [found[cutoff, store, step] for step in (1, 2, 3)]
        assert steps == pytest.approx(sorted(steps), abs=1e-12)


def test_its_row_has_what_came_of_products_first_sold_after_the_cutoff(spark: SparkSession) -> None:
    sold = {("s1", "old"): {0: 5.0, 4: 2.0}, ("s1", "new"): {3: 1.0, 4: 3.0}}
    at = [(2, 1, 1.0), (2, 2, 5.0), (5, 1, None), (5, 2, None), (3, 2, 0.0)]
    keys = [{"cutoff": week(cutoff), "store_id": "s1", "category_id": "c1", "step": step} for cutoff, step, _ in at]
    rows = [{**key, "week": week(n + step), "y": y} for key, (n, step, y) in zip(keys, at, strict=True)]
    split = frame(spark, SPLIT, *({**key, "unlisted": 0.5} for key in keys))
    new_sales = sum_new_sales(weekly(spark, sold), HORIZON)
    found = forecast_unlisted(frame(spark, DATED, *rows), split, new_sales).collect()
    assert {(row["item_id"], row["method"], row["mean"]) for row in found} == {(NOT_LISTED_YET, METHOD, 0.5)}
    came = {(row["cutoff"], row["step"]): row["y"] for row in found}
    # not known ahead; nothing where the category sold nothing
    assert came == {
        (week(2), 1): 1.0,
        (week(2), 2): 3.0,
        (week(5), 1): None,
        (week(5), 2): None,
        (week(3), 2): 0.0,
    }
