"""A forecast beside the past, and beside what has come since."""

from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from builders import MONDAY, Row, demand, frame
from shelfcast import schemas
from shelfcast.forecasting.conformal import QUANTILES
from shelfcast.monitoring import arrivals, levels
from shelfcast.monitoring.bounds import outside_history
from shelfcast.monitoring.shift import level_shifts
from shelfcast.settings.monitoring import Monitoring

WEEKS, HORIZON = 24, 4
SETTINGS = Monitoring(history_weeks=WEEKS)
HELD = "store_id string, day date"
FIRST_AHEAD = MONDAY + timedelta(weeks=WEEKS)


def week(number: int) -> date:
    return MONDAY + timedelta(weeks=number)


def forecast(
    level: str, mean: float, store: str = "s1", item: str = "(all)", made: int = WEEKS, **changes: Any
) -> list[Row]:
    """A series' forecast for HORIZON weeks, made on the Sunday before week `made`."""
    keys = {"region": "here", "forecast_date": week(made) - timedelta(days=1), "level": level, "store_id": store}
    quantiles = {"p10": 0.5 * mean, "p50": mean, "p90": 1.5 * mean, "p98": 2.0 * mean}
    row = {**keys, "item_id": item, "category_id": item, "mean": mean, **quantiles, **changes}
    return [{**row, "step": step, "week": week(made + step - 1)} for step in range(1, HORIZON + 1)]


STORES = ("s1", "s2", "s3", "s4", "s5")


@pytest.fixture(scope="module")
def history(spark: SparkSession) -> DataFrame:
    """Five stores that sell 70, 80 or 90 units a week of c1 and 20 of c2 each."""
    units = {"c1": lambda n: 70.0 + 10 * (n % 3), "c2": lambda _: 20.0}
    rows = [
        demand(sold(n), week(n), level="category", store_id=store, item_id=category, category_id=category)
        for store in STORES
        for category, sold in units.items()
        for n in range(WEEKS)
    ]
    weekly = frame(spark, schemas.DEMAND["weekly"], *rows)
    return levels.weekly_levels(weekly, FIRST_AHEAD).localCheckpoint()


def told(found: DataFrame) -> dict[str, tuple[str, str]]:
    return {row.subject: (row.severity, row.reason) for row in found.collect()}


def test_stores_and_the_region_are_sums_of_their_categories(history: DataFrame) -> None:
    rows = history.where(f"week = '{week(1)}' and level in ('store', 'region')").collect()
    assert {row.store_id: row.quantity for row in rows} == {**dict.fromkeys(STORES, 100.0), "(all)": 500.0}


def test_means_outside_of_all_that_ever_sold_are_named(spark: SparkSession, history: DataFrame) -> None:
    rows = [*forecast("store", 1000.0), *forecast("store", 50.0, "s2"), *forecast("store", 100.0, "s3")]
    rows += [*forecast("region", 900.0, "(all)"), *forecast("category", 200.0, "s2", "c2")]
    rows += forecast("category", 20.0, "s3", "c2")
    said = "%.1f units in the week of 2017-06-19; %.1f at %s in the past"
    series = "1 of 2 series, such as store s2, item c2: " + said % (200, 20, "most")
    assert told(outside_history(frame(spark, schemas.FORECASTS, *rows), history, SETTINGS)) == {
        "forecast, store s1": ("critical", f"forecast, store s1: {said % (1000, 110, 'most')}"),
        "forecast, store s2": ("warning", f"forecast, store s2: {said % (50, 90, 'least')}"),
        "forecast, region": ("warning", f"forecast, region: {said % (900, 550, 'most')}"),
        "forecast, level category": ("warning", f"forecast, level category: {series}"),
    }


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        pytest.param(0, {"forecast, store s1"}, id="in-every-week-of-months"),
        pytest.param(WEEKS - 1, set(), id="in-one-week-alone"),
    ],
)
def test_the_least_that_sold_is_a_bound_where_something_always_sold(
    spark: SparkSession, first: int, expected: set[str]
) -> None:
    sold = [
        demand(20.0, week(n), level="category", store_id="s1", item_id="c1", category_id="c1")
        for n in range(first, WEEKS)
    ]
    history = levels.weekly_levels(frame(spark, schemas.DEMAND["weekly"], *sold), FIRST_AHEAD)
    assert {
        *told(outside_history(frame(spark, schemas.FORECASTS, *forecast("store", 1.0)), history, SETTINGS))
    } == expected


def test_a_store_that_leaves_its_level_is_named(spark: SparkSession, history: DataFrame) -> None:
    means = dict(zip(STORES, (105.0, 160.0, 60.0, 300.0, 40.0), strict=True))
    ahead = frame(
        spark, schemas.FORECASTS, *(row for store, mean in means.items() for row in forecast("store", mean, store))
    )
    found = told(level_shifts(ahead, history, FIRST_AHEAD, HORIZON, SETTINGS))
    assert {subject: severity for subject, (severity, _) in found.items()} == {
        "forecast, store s2": "warning",
        "forecast, store s3": "warning",
        "forecast, store s4": "critical",
        "forecast, store s5": "critical",
    }
    said = found["forecast, store s4"][1]
    assert said.endswith(": 300.0 units a week ahead, 102.5 in the last 4 weeks, a factor of 2.93")


def test_a_level_that_moved_as_much_before_may_move_again(spark: SparkSession) -> None:
    rows = [demand(200.0 if n % 8 < 4 else 50.0, week(n), level="category", item_id="c1") for n in range(WEEKS)]
    moving = levels.weekly_levels(frame(spark, schemas.DEMAND["weekly"], *rows), FIRST_AHEAD)
    ahead = frame(spark, schemas.FORECASTS, *forecast("store", 195.0))
    assert told(level_shifts(ahead, moving, FIRST_AHEAD, HORIZON, SETTINGS)) == {}


def arrived(
    spark: SparkSession, history: DataFrame, *rows: Row, unknown: DataFrame | None = None
) -> list[arrivals.Arrived]:
    unknown = frame(spark, "store_id string, week date") if unknown is None else unknown
    joined = arrivals.join_demand(frame(spark, schemas.FORECASTS, *rows), history, unknown, FIRST_AHEAD)
    found = []
    for row in arrivals.sum_arrivals(joined).collect():
        shares = [{name: row[f"{kind}_{name}"] for name in QUANTILES} for kind in ("observed", "below")]
        found.append(arrivals.Arrived(row.level, row.weeks, row.sold, row.forecast, *shares))
    return found


def past(mean: float, **changes: Any) -> list[Row]:
    """Forecasts of store s1 made before twenty weeks that have come."""
    return [row for made in range(0, 20, HORIZON) for row in forecast("store", mean, made=made, **changes)]


def test_a_forecast_that_keeps_its_word_is_not_told_of(spark: SparkSession, history: DataFrame) -> None:
    not_come = forecast("store", 1000.0)
    (level,) = arrived(spark, history, *past(100.0, p10=90.0, p90=110.0, p98=111.0), *not_come)
    assert (level.weeks, level.forecast) == (20, 2000.0)
    assert arrivals.judge_coverage([level], SETTINGS) == []
    assert arrivals.judge_bias([level], SETTINGS) == []


def test_quantiles_that_demand_exceeds_and_means_too_low_are_told_of(spark: SparkSession, history: DataFrame) -> None:
    (level,) = arrived(spark, history, *past(50.0))
    found = {each.subject: each.reason for each in arrivals.judge_coverage([level], SETTINGS)}
    assert {*found} == {f"forecast, level store, {name}" for name in ("p50", "p90", "p98")}
    assert found["forecast, level store, p90"].endswith(
        "p90: 0% of demand lies at or below it in 20 weeks that have come"
    )
    (bias,) = arrivals.judge_bias([level], SETTINGS)
    assert bias.found == pytest.approx(1000.0 / level.sold - 1)
    assert bias.reason.endswith("50% too few")


def test_a_week_without_a_row_sold_nothing_and_one_that_is_held_is_not_known(
    spark: SparkSession, history: DataFrame
) -> None:
    rows = [*forecast("store", 10.0, "closed", made=0), *forecast("region", 500.0, "(all)", made=0)]
    held = arrivals.held_weeks(spark.createDataFrame([("closed", week(0) + timedelta(days=2))], HELD))
    store, region = sorted(arrived(spark, history, *rows, unknown=held), reverse=True)
    assert (store.weeks, store.sold, region.weeks) == (HORIZON - 1, 0.0, HORIZON - 1)
    of_all = arrivals.held_weeks(spark.createDataFrame([(None, week(1))], HELD))
    store, region = sorted(arrived(spark, history, *rows, unknown=of_all), reverse=True)
    assert (store.weeks, region.weeks) == (HORIZON - 1, HORIZON - 1), "a day that is held of all stores"
    few = [level._replace(weeks=SETTINGS.min_weeks - 1) for level in (store, region)]
    assert arrivals.judge_coverage(few, SETTINGS) == arrivals.judge_bias(few, SETTINGS) == []
