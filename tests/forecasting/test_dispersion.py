"""Dispersions of series whose true one is known."""

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from builders import demand, frame
from panel_builders import week
from shelfcast.forecasting.conformal import fit_ratios, mean_of_bin, with_quantiles
from shelfcast.forecasting.dispersion import fit_by_size, measure_recent, with_dispersion
from shelfcast.schemas import DEMAND, SERIES

MEANS = "level string, mean double, item_id string, own_weeks double, own_excess double"
UNKNOWN = "store_id string, week date"
SIZES = "level string, bin int, ratios bigint, excess double, p10 double, p50 double, p90 double, p98 double"


def weeks_of(item: str, quantities: list[float], store: str = "s1", level: str = "product") -> list[dict[str, object]]:
    """Rows of demand/weekly, for the weeks that sold; the last of `quantities` is that of week 29."""
    first = 30 - len(quantities)
    rows = [demand(q, week(first + n), item_id=item, store_id=store, level=level) for n, q in enumerate(quantities)]
    return [row for row in rows if row["quantity"]]


def known_from(item: str, first: int | None, store: str = "s1", level: str = "product") -> dict[str, object]:
    row = {"region": "here", "level": level, "store_id": store, "item_id": item, "category_id": "c1"}
    return {**row, "first_week": None if first is None else week(first)}


def test_the_recent_weeks_since_the_first_sale_tell_the_variance_zeros_and_all(spark: SparkSession) -> None:
    lumpy, young = [0.0] * 3 + [9.0] + [0.0] * 24 + [12.0, 3.0], [4.0, 0.0, 1.0]
    category = [[5.0] * 30, [7.0] * 30]
    rows = [*weeks_of("lumpy", lumpy), *weeks_of("young", young), *weeks_of("new", [6.0])]
    rows += [row for n, each in enumerate(category) for row in weeks_of("c1", each, f"s{n}", "category")]
    series = [known_from("lumpy", 3), known_from("young", 27), known_from("new", 29), known_from("never", None)]
    series += [known_from("c1", 0, f"s{n}", "category") for n in range(2)]
    found = measure_recent(
        frame(spark, DEMAND["weekly"], *rows), frame(spark, SERIES, *series), week(29), frame(spark, UNKNOWN)
    )
    told = {(row.level, row.store_id, row.item_id): (row.own_weeks, row.own_excess) for row in found.collect()}
    recent = np.array(lumpy[-26:])
    by_hand = (recent.var(ddof=1) - recent.mean()) / recent.mean() ** 2
    of_young = np.array(young)
    assert told.pop(("product", "s1", "lumpy")) == (26, pytest.approx(by_hand))
    assert told.pop(("product", "s1", "young")) == (
        3,
        pytest.approx((of_young.var(ddof=1) - of_young.mean()) / of_young.mean() ** 2),
    )
    assert told.pop(("product", "s1", "new")) == (1, None)
    steady = {("category", f"s{n}", "c1") for n in range(2)} | {("store", f"s{n}", "(all)") for n in range(2)}
    assert told == dict.fromkeys(steady | {("region", "(all)", "(all)")}, (26, 0.0))


def test_weeks_of_which_nothing_is_known_are_not_weeks_without_demand(spark: SparkSession) -> None:
    draw = np.random.default_rng(4)
    sold = [float(units) for units in draw.poisson(10.0, 26)]
    unknown = [{"store_id": "s1", "week": week(n)} for n in range(10, 18)]
    left = np.array([units for n, units in enumerate(sold) if not 6 <= n < 14])
    # A part of the first of these weeks was delivered; what the region has in them is what it sold.
    some = [0.0 if 6 < n < 14 else units for n, units in enumerate(sold)]
    rows = [row for level in ("product", "category") for row in weeks_of("c1", some, level=level)]
    series = [known_from("c1", 4, level=level) for level in ("product", "category")]
    of = frame(spark, DEMAND["weekly"], *rows), frame(spark, SERIES, *series), week(29)
    found = {row.level: row for row in measure_recent(*of, frame(spark, UNKNOWN, *unknown)).collect()}
    by_hand = max((left.var(ddof=1) - left.mean()) / left.mean() ** 2, 0.0)
    for level in ("product", "category", "store"):
        assert (found[level].own_weeks, found[level].own_excess) == (18, pytest.approx(by_hand))
    assert found["region"].own_weeks == 26


def test_what_was_wanted_and_never_sold_has_no_variance(spark: SparkSession) -> None:
    row = demand(0.0, week(28), item_id="empty", recovered_quantity=0.2)
    known = frame(spark, SERIES, known_from("empty", 0))
    found = measure_recent(frame(spark, DEMAND["weekly"], row), known, week(29), frame(spark, UNKNOWN)).first()
    assert (found.own_weeks, found.own_excess) == (26, None)


def test_a_level_has_the_dispersion_of_its_quantiles_and_where_these_tell_none_that_of_its_errors(
    spark: SparkSession,
) -> None:
    draw = np.random.default_rng(3)
    past = []
    for level, mean, k in (("large", 30.0, 2.0), ("thin", 0.02, 0.1)):
        y = draw.poisson(mean * draw.gamma(k, 1 / k, 40_000))
        past += [(level, mean, float(one)) for one in y]
    ratios = fit_ratios(spark.createDataFrame(pd.DataFrame(past, columns=["level", "mean", "y"])))
    sizes = {(row.level, row.bin): row.excess for row in fit_by_size(ratios).collect()}
    bins = {level: int(np.floor(2 * np.log2(mean))) for level, mean in (("large", 30.0), ("thin", 0.02))}
    assert 1 / sizes["large", bins["large"]] == pytest.approx(2.0, rel=0.3)
    assert 1 / sizes["thin", bins["thin"]] == pytest.approx(0.1, rel=0.4)


def test_where_no_quantile_is_known_there_is_no_dispersion(spark: SparkSession) -> None:
    few = {"level": "region", "bin": 6, "ratios": 0, "excess": None}
    some = {"level": "store", "bin": 6, "ratios": 24, "excess": 0.5, "p10": 0.5, "p50": 1.0, "p90": 1.5}
    sizes = fit_by_size(frame(spark, SIZES, few, some))
    rows = [{"level": level, "mean": 8.0, "own_weeks": 26.0, "own_excess": 0.1} for level in ("region", "store")]
    found = {row.level: row.dispersion for row in with_dispersion(frame(spark, MEANS, *rows), sizes).collect()}
    assert found["region"] is None
    assert 0.05 <= found["store"] <= 200
    assert mean_of_bin(np.array([6.0])) == pytest.approx(2**3.25)


def test_lumpy_series_of_one_mean_are_told_from_smooth_ones(spark: SparkSession) -> None:
    """Quantiles that follow from the mean alone are the same for all of them."""
    draw = np.random.default_rng(11)
    truth = np.repeat([0.3, 2.0, 50.0], 300)
    mean = draw.uniform(1.5, 6.0, len(truth))
    # 26 weeks that are known, and one behind them from which the quantiles are learned
    rates = mean[:, None] * draw.gamma(truth[:, None], 1 / truth[:, None], (len(truth), 27))
    y = draw.poisson(rates).astype(float)
    known, behind = y[:, :26], y[:, 26]
    own = np.maximum(known.var(axis=1, ddof=1) - known.mean(axis=1), 0) / np.maximum(known.mean(axis=1), 1e-9) ** 2
    told = pd.DataFrame({"level": "product", "mean": mean, "item_id": np.arange(len(truth)).astype(str)})
    told["own_weeks"], told["own_excess"], told["y"] = 26.0, np.where(known.sum(axis=1) > 0, own, np.nan), behind
    rows = spark.createDataFrame(told)
    ratios = fit_ratios(rows)
    dispersed = with_dispersion(with_quantiles(rows, ratios), fit_by_size(ratios)).toPandas()
    found = np.log(dispersed.sort_values("item_id", key=lambda ids: ids.astype(int))["dispersion"].to_numpy())
    medians = [float(np.median(found[truth == k])) for k in (0.3, 2.0, 50.0)]
    assert medians == sorted(medians)
    assert medians[2] - medians[0] > np.log(2)
    pooled = np.log(1 / np.average(1 / np.exp(found)))
    assert np.abs(found - np.log(truth)).mean() < 0.9 * np.abs(pooled - np.log(truth)).mean()
