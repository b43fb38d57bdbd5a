from datetime import date

import pytest
from pyspark.sql import SparkSession

from builders import frame
from panel_builders import week
from shelfcast.forecasting.bias import PRIOR_UNITS, correct, fit_factors, teachers

MEANS = "cutoff date, item_id string, mean double, y double"


@pytest.mark.parametrize(
    ("cutoffs", "expected"),
    [
        pytest.param((8, 16, 24, 32), {8: 8, 16: 8, 24: 16, 32: 24}, id="windows-side-by-side"),
        pytest.param((8, 12, 16, 24), {8: 8, 12: 12, 16: 8, 24: 16}, id="of-windows-that-overlap-one-that-is-over"),
        pytest.param((8, 12, 14, 22), {8: 8, 12: 12, 22: 14}, id="the-judged-learns-from-no-window-that-is-not-over"),
    ],
)
def test_a_cutoff_learns_from_the_latest_window_that_was_over(
    cutoffs: tuple[int, ...], expected: dict[int, int]
) -> None:
    found = teachers([week(n) for n in cutoffs], 8)
    assert found == {week(cutoff): week(teacher) for cutoff, teacher in expected.items()}


def corrected(
    spark: SparkSession, rows: list[tuple[date, float, float | None]], learned: dict[date, date]
) -> list[float]:
    named = [{"cutoff": cutoff, "item_id": f"{n:03}", "mean": mean, "y": y} for n, (cutoff, mean, y) in enumerate(rows)]
    means = frame(spark, MEANS, *named)
    found = correct(means, fit_factors(means), learned).orderBy("item_id")
    assert found.columns == means.columns
    return [row["mean"] for row in found.collect()]


def test_each_size_is_corrected_by_what_came_of_that_size_before(spark: SparkSession) -> None:
    past = [(week(8), 2.0, 1.0)] * 100 + [(week(8), 16.0, 16.0)] * 100
    ahead = [(week(16), mean, None) for mean in (0.0, 3.0, 20.0, 0.5)]
    of_all = (1700 + PRIOR_UNITS) / (1800 + PRIOR_UNITS)
    low, high = (100 + PRIOR_UNITS * of_all) / (200 + PRIOR_UNITS), (1600 + PRIOR_UNITS * of_all) / (1600 + PRIOR_UNITS)
    found = corrected(spark, [*past, *ahead], {week(16): week(8)})
    # those that learn from nowhere stay; a size that was never seen goes with all
    assert found[:200] == [mean for _, mean, _ in past]
    assert found[200:] == pytest.approx([0.0, 3.0 * low, 20.0 * high, 0.5 * of_all])


def test_without_a_past_means_stay(spark: SparkSession) -> None:
    rows = [(week(16), 3.0, None), (week(16), 0.0, None)]
    assert corrected(spark, rows, {week(16): week(8)}) == [3.0, 0.0]


def test_means_that_came_true_stay(spark: SparkSession) -> None:
    rows = [(week(8), mean, mean) for mean in (0.1, 1.0, 7.0, 300.0)]
    assert corrected(spark, rows, {week(8): week(8)}) == pytest.approx([mean for _, mean, _ in rows])
