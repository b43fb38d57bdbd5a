from collections.abc import Mapping
from datetime import date

import pytest
from pyspark.sql import DataFrame, SparkSession

from builders import demand, frame
from panel_builders import week
from shelfcast.config import Forecast
from shelfcast.forecasting.weights import PRIOR_UNITS, at_each_day, fit_rates, share_weights, sum_history
from shelfcast.schemas import DEMAND, SERIES

SETTINGS = Forecast(share_weeks=3, share_prior=0.5, remainder_floor=0.0, calibration_share=1.0)
HISTORY = "at date, band int, next double, weight double"


def weekly(spark: SparkSession, sold: Mapping[str, Mapping[int, float]]) -> DataFrame:
    """What the products sold: item -> week number -> units."""
    rows = [demand(units, week(n), item_id=item) for item, weeks in sold.items() for n, units in weeks.items()]
    return frame(spark, DEMAND["weekly"], *rows)


def weights_of(
    spark: SparkSession,
    sold: Mapping[str, Mapping[int, float]],
    cutoffs: list[date],
    *listed: str,
    models_from: int = 9,
) -> dict[tuple[date, str], float]:
    series = [{"store_id": "s1", "item_id": item, "category_id": "c1"} for item in listed]
    found = share_weights(weekly(spark, sold), frame(spark, SERIES, *series), cutoffs, 1, models_from, SETTINGS)
    return {(row["cutoff"], row["item_id"]): row["weight"] for row in found.collect()}


def test_recent_units_weigh_whole_and_older_ones_less(spark: SparkSession) -> None:
    # the last week that counts whole, the one before it, and one after the earlier cutoff
    sold = {"p1": {2: 1.0, 3: 10.0, 5: 100.0, 6: 1000.0}, "p2": {6: 7.0}, "refused": {1: 9.0}}
    # nothing is thin before these cutoffs: units weigh what they are
    found = weights_of(spark, sold, [week(5), week(6)], "p1", "p2", "never", models_from=1)
    assert found == pytest.approx(
        {
            # of weeks 3 to 5 and before
            (week(5), "p1"): 110.5,
            # of weeks 4 to 6 and before
            (week(6), "p1"): 1105.5,
            # had not sold by week 5: no row there; the one that never sold has its row at the last cutoff
            (week(6), "p2"): 7.0,
            (week(6), "never"): 0.0,
        }
    )


def test_what_sold_of_late_weighs_more_where_it_came_again(spark: SparkSession) -> None:
    """At week 19, as from 18 to 19: of the four products that had just sold two sold again, of the silent none."""
    just = {f"just{n}": {18: 100.0, **({19: 100.0} if n < 2 else {})} for n in range(4)}
    silent = {f"silent{n}": {9: 100.0} for n in range(4)}
    found = weights_of(spark, {**just, **silent}, [week(19)], "just2", "silent2")
    # next and weight before: 200 of 400 and 0 of 200, for a unit out of share_weeks counts half
    of_all = 200 / 600
    rates = {"just": (200 + PRIOR_UNITS * of_all) / (400 + PRIOR_UNITS) / of_all,
             "silent": PRIOR_UNITS * of_all / (200 + PRIOR_UNITS) / of_all}  # fmt: skip
    assert found == pytest.approx(
        {(week(19), "just2"): 100 * rates["just"], (week(19), "silent2"): 50 * rates["silent"]}
    )


def test_what_is_sold_for_the_first_time_has_not_come_again(spark: SparkSession) -> None:
    sold = {f"just{n}": {18: 100.0, **({19: 100.0} if n < 2 else {})} for n in range(4)}
    sold |= {f"silent{n}": {9: 100.0} for n in range(4)}
    new = {f"new{n}": {19: 100.0} for n in range(3)}
    found = weights_of(spark, sold | new, [week(19)], "just2", "silent2")
    assert found == weights_of(spark, sold, [week(19)], "just2", "silent2")


def test_what_sells_after_the_cutoff_changes_no_weight(spark: SparkSession) -> None:
    sold = {"p1": {1: 5.0, 8: 3.0}, "p2": {3: 4.0}, "p3": {9: 2.0}}
    later = {**sold, "p2": {3: 4.0, 10: 500.0}, "p4": {10: 500.0}}
    early = weights_of(spark, sold, [week(9), week(11)], "p1", "p2", "p3")
    known = weights_of(spark, later, [week(9), week(11)], "p1", "p2", "p3")
    assert {key: weight for key, weight in known.items() if key[0] == week(9)} == {
        key: weight for key, weight in early.items() if key[0] == week(9)
    }


def test_weeks_of_silence_make_the_band(spark: SparkSession) -> None:
    sold = {f"p{n}": {40 - n: 1.0} for n in (0, 1, 2, 3, 4, 7, 8, 13, 14, 26, 27, 40)}
    history = sum_history(weekly(spark, sold), [week(40)], 1, SETTINGS)
    found = at_each_day(history, week(40)).collect()
    bands = {int(row["item_id"][1:]): row["band"] for row in found}
    assert bands == {0: 0, 1: 0, 2: 1, 3: 1, 4: 2, 7: 2, 8: 3, 13: 3, 14: 4, 26: 4, 27: 5, 40: 5}


@pytest.mark.parametrize("came", [0.0, 40.0], ids=["nothing-came", "all-bands-alike"])
def test_bands_that_are_alike_have_rate_one(spark: SparkSession, came: float) -> None:
    rows = [{"at": week(1), "band": band, "next": came, "weight": 80.0} for band in range(3)]
    rates = [row["rate"] for row in fit_rates(frame(spark, HISTORY, *rows)).collect()]
    assert rates == pytest.approx([1.0] * 3)
